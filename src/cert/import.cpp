#include "cert/import.hpp"

#include "base/clock.hpp"
#include "cert/account.hpp"
#include "cert/acme_sh.hpp"
#include "cert/certbot.hpp"
#include "cert/dehydrated.hpp"
#include "cert/due.hpp"
#include "cert/lego.hpp"
#include "cert/site.hpp"
#include "cert/store.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <spdlog/spdlog.h>
#include <utility>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";
constexpr const char* kLetsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory";

struct Client {
    const char* name;
    const char* folder; ///< below the root folder
    Foreign (*read)(const fs::path&);
};

constexpr std::array kClients{
    Client{"certbot", "etc/letsencrypt", read_certbot},
    Client{"lego", "root/.lego", read_lego},
    Client{"acme.sh", "root/.acme.sh", read_acme_sh},
    Client{"dehydrated", "var/lib/dehydrated", read_dehydrated},
};

using Directories = std::vector<std::string>;

/// A certificate that was found and that is good, described as if it were in a store already.
struct Candidate {
    fs::path file;
    Pair pair;
    Generation generation;
};

struct Adoption {
    fs::path file;
    std::string directory;
    Account account;
};

struct Installation {
    Site site;
    const Candidate* candidate;
};

/// Everything that is to be written.
struct Plan {
    std::vector<Adoption> adoptions{};
    std::vector<Installation> installations{};
};

void add_once(Directories& directories, const std::string& directory) {
    if (!directory.empty() && std::ranges::find(directories, directory) == directories.end())
        directories.push_back(directory);
}

/// `HOST:PORT` of an address; the port only where the address has one.
std::string_view host_of(std::string_view address) {
    const auto scheme = address.find("://");
    if (scheme == std::string_view::npos)
        return {};
    const auto host = address.substr(scheme + 3);
    return host.substr(0, host.find('/'));
}

std::string list_of(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

std::vector<std::string> sorted(std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
}

Result<void> check_folder(const fs::path& folder, const Client& client) {
    std::error_code fault;
    const fs::directory_iterator entries(folder, fault);
    if (!fault)
        return {};
    const bool denied = fault == std::errc::permission_denied;
    return fail(denied ? ErrorCode::permission : ErrorCode::settings,
                fmt::format("cannot read the folder {}: {}", folder.string(), fault.message()),
                denied ? "commentoctl cert import runs this with the right to read it"
                       : fmt::format("name the folder where {} keeps its certificates", client.name));
}

/// The main site and the further ones whose files are right.
Result<std::vector<Site>> all_sites(const Paths& paths) {
    COMMENTO_ASSIGN(Settings loaded, Settings::load(paths));
    const auto settings = std::make_shared<const Settings>(std::move(loaded));
    std::vector<Site> sites{main_site(paths, settings)};
    for (auto& further : further_sites(paths, settings)) {
        if (further.site)
            sites.push_back(*std::move(further.site));
        else
            spdlog::warn("{}; ignoring {}", further.site.error().message, further.name);
    }
    return sites;
}

/// Directories that something found may belong to, those of the settings first.
Directories known_directories(const std::vector<Site>& sites) {
    Directories known;
    for (const auto& site : sites)
        for (const auto& directory : wanted_by(site).directories)
            add_once(known, directory);
    add_once(known, kLetsEncrypt);
    add_once(known, kLetsEncryptStaging);
    return known;
}

/// Empty where there is no telling.
std::string directory_of(const Authority& authority, const Directories& known) {
    if (!authority.directory.empty())
        return authority.directory;
    const auto host = host_of(authority.address);
    const auto found = std::ranges::find_if(known, [&](const auto& directory) { return host_of(directory) == host; });
    return host.empty() || found == known.end() ? std::string() : *found;
}

/// Directories that there are accounts with, those of the settings first.
Directories directories_of(const std::vector<ForeignAccount>& accounts, const Directories& known) {
    Directories found;
    for (const auto& account : accounts)
        add_once(found, directory_of(account.authority, known));
    std::ranges::stable_sort(found, {}, [&](const auto& directory) { return std::ranges::find(known, directory); });
    return found;
}

/// Where the client says nothing: the authority of its account, of several the first that issues such certificates.
/// Let's Encrypt's staging authority signs as "(STAGING) …" (letsencrypt.org/docs/staging-environment).
std::string directory_by_issuer(const std::string& issuer, const Directories& of_accounts) {
    const bool staging = issuer.starts_with("(STAGING)");
    const auto found = std::ranges::find_if(
        of_accounts, [&](const std::string& directory) { return (directory == kLetsEncryptStaging) == staging; });
    return found == of_accounts.end() ? std::string() : *found;
}

std::string problem_with_directory(const std::string& directory) {
    if (directory.empty())
        return "nothing says which authority it is from; set ACME_DIRECTORY to its directory, then import again";
    if (const auto problem = problem_with_assignment("ACME_DIRECTORY", directory); !problem.empty())
        return fmt::format("the address of its authority {}", problem);
    return {};
}

/// What is known of the account that the settings or the protocol would refuse is left out: it is asked for again.
void clean(Account& account, const std::string& directory) {
    // certbot keeps accounts of the former protocol, whose addresses (acme-v01…) no longer count.
    if (host_of(account.url) != host_of(directory) || !problem_with_assignment("ACME_DIRECTORY", account.url).empty())
        account.url.clear();
    if (!problem_with_assignment("EMAIL", account.email).empty())
        account.email.clear();
}

Result<bool> is_ours(const Paths& paths, const std::string& directory, const Account& account) {
    COMMENTO_ASSIGN(const Account present, read_account(paths, directory));
    return EVP_PKEY_eq(present.key.get(), account.key.get()) == 1;
}

/// The accounts to adopt, one for each directory without one.
Result<std::vector<Adoption>> plan_accounts(const Paths& paths, std::vector<ForeignAccount>& accounts,
                                            const Directories& known) {
    std::vector<Adoption> adoptions;
    Directories taken;
    for (auto& [key_file, authority, account] : accounts) {
        const std::string directory = directory_of(authority, known);
        if (const auto problem = problem_with_directory(directory); !problem.empty()) {
            spdlog::warn("{}: {}; ignoring this account", key_file.string(), problem);
        } else if (has_account(paths, directory)) {
            COMMENTO_ASSIGN(const bool ours, is_ours(paths, directory, account));
            spdlog::info("the account of {} {}", key_file.string(),
                         ours ? "is in use already" : "is not taken in: there is another one with " + directory);
        } else if (std::ranges::find(taken, directory) != taken.end()) {
            spdlog::info("the account of {} is not taken in: there is another one with {}", key_file.string(),
                         directory);
        } else {
            taken.push_back(directory);
            clean(account, directory);
            adoptions.push_back({key_file, directory, std::move(account)});
        }
    }
    return adoptions;
}

std::string problem_with_candidate(const Certificate& leaf, const Pair& pair, const std::string& directory) {
    if (leaf.names.empty())
        return "the certificate has no names";
    if (auto problem = problem_with_assignment("TLS_NAMES", fmt::format("{}", fmt::join(leaf.names, " ")));
        !problem.empty())
        return "the certificate's list of names " + problem;
    if (auto problem = problem_with(pair, leaf.names, now()); !problem.empty())
        return problem;
    if (leaf.self_signed)
        return "the certificate is self-signed, not from an authority";
    return problem_with_directory(directory);
}

/// ErrorCode::settings with the reason why it can't be used.
Result<Candidate> examine(ForeignCertificate& found, const Directories& known, const Directories& of_accounts) {
    auto leaf = parse_certificate(found.pair.chain);
    if (!leaf)
        return fail(ErrorCode::settings, std::move(leaf).error().message);
    std::string directory = directory_of(found.authority, known);
    if (directory.empty() && found.authority.address.empty())
        directory = directory_by_issuer(leaf->issuer, of_accounts);
    if (auto problem = problem_with_candidate(*leaf, found.pair, directory); !problem.empty())
        return fail(ErrorCode::settings, std::move(problem));
    const PrivateKey key = parse_key(found.pair.key);
    Generation generation{};
    generation.facts.origin = {Source::acme, std::move(directory)};
    generation.facts.profile = found.profile;
    generation.key_type = type_of(key.get());
    generation.issuer = std::move(leaf->issuer);
    generation.serial = std::move(leaf->serial);
    generation.names = std::move(leaf->names);
    generation.not_before = leaf->not_before;
    generation.not_after = leaf->not_after;
    generation.fingerprint = std::move(leaf->fingerprint);
    return Candidate{std::move(found.chain_file), std::move(found.pair), std::move(generation)};
}

std::vector<Candidate> examine_all(std::vector<ForeignCertificate>& certificates, const Directories& known,
                                   const Directories& of_accounts) {
    std::vector<Candidate> candidates;
    for (auto& certificate : certificates) {
        if (auto candidate = examine(certificate, known, of_accounts))
            candidates.push_back(*std::move(candidate));
        else
            spdlog::warn("{}: {}; ignoring this certificate", certificate.chain_file.string(),
                         candidate.error().message);
    }
    return candidates;
}

/// Assignments with which the next renewal would find a certificate as it should be; none where it does already.
std::vector<std::string> settings_that_keep(const Generation& generation, const Wanted& wanted) {
    std::vector<std::string> settings;
    const std::string& directory = generation.facts.origin.directory;
    if (std::ranges::find(wanted.directories, directory) == wanted.directories.end())
        settings.push_back(directory == kLetsEncryptStaging ? "TEST=true" : "ACME_DIRECTORY=" + directory);
    if (generation.key_type != wanted.key_type)
        settings.push_back("TLS_KEY_TYPE=" + generation.key_type);
    if (generation.facts.profile != wanted.profile)
        settings.push_back("ACME_PROFILE=" + generation.facts.profile);
    return settings;
}

/// Of two certificates for a site the greater one is better: one that renewal keeps, then one that lasts longer.
std::pair<bool, std::int64_t> worth(const Generation& generation, const Wanted& wanted) {
    return {settings_that_keep(generation, wanted).empty(), generation.not_after};
}

/// Why what is in the site's store is better than a candidate; empty where it is not.
std::string why_not(const Site& site, const Generation& candidate, const Wanted& wanted) {
    if (wanted.source != Source::acme)
        return "TLS_MODE asks for no authority's certificate; set TLS_MODE=acme, then import again";
    const auto live = published(site.store);
    if (live && live->fingerprint == candidate.fingerprint)
        return "it is in place already";
    const auto kept = all_generations(site.store);
    const auto known = std::ranges::find(kept, candidate.fingerprint, &Generation::fingerprint);
    if (known != kept.end() && known->revoked)
        return "it was revoked";
    if (!live || live->facts.origin.source != Source::acme || live->revoked)
        return {};
    if (known != kept.end())
        return fmt::format("it was in place before, as generation {}", known->name);
    return worth(candidate, wanted) < worth(*live, wanted) ? "the one in place is better: " + summary(*live) : "";
}

/// The best candidate for exactly these names; null where there is none.
const Candidate* best_for(const Wanted& wanted, const std::vector<Candidate>& candidates) {
    const Candidate* best = nullptr;
    for (const auto& candidate : candidates) {
        if (sorted(candidate.generation.names) != sorted(wanted.names))
            continue;
        if (best == nullptr || worth(best->generation, wanted) < worth(candidate.generation, wanted))
            best = &candidate;
    }
    return best;
}

std::vector<Installation> plan_certificates(const std::vector<Site>& sites, const std::vector<Candidate>& candidates) {
    std::vector<Installation> installations;
    for (const auto& site : sites) {
        const Wanted wanted = wanted_by(site);
        const Candidate* best = best_for(wanted, candidates);
        if (best == nullptr)
            spdlog::info("{}: there is no certificate for {}", site.name, list_of(wanted.names));
        else if (const auto reason = why_not(site, best->generation, wanted); !reason.empty())
            spdlog::info("{}: {} is not taken in: {}", site.name, best->file.string(), reason);
        else
            installations.push_back({site, best});
    }
    return installations;
}

/// Tells what is there for names that no site has.
void list_others(const std::vector<Site>& sites, const std::vector<Candidate>& candidates) {
    std::set<std::vector<std::string>> asked_for;
    for (const auto& site : sites)
        asked_for.insert(sorted(wanted_by(site).names));
    for (const auto& [file, pair, generation] : candidates) {
        if (!asked_for.contains(sorted(generation.names)))
            spdlog::info("{} is for {} until {}, which nothing asks for; to have it: commentoctl cert issue {} "
                         "--later, then import again",
                         file.string(), list_of(generation.names), local_time(generation.not_after),
                         fmt::join(generation.names, " "));
    }
}

void tell_of_next_renewal(const Paths& paths, const Site& site, const Generation& generation) {
    if (generation.key_type.empty()) {
        spdlog::warn("{}: TLS_KEY_TYPE has no word for the kind of its key; the next renewal makes another", site.name);
        return;
    }
    const auto settings = settings_that_keep(generation, wanted_by(site));
    const fs::path file = site.name == kMain ? paths.settings() : paths.certificates() / (site.name + ".conf");
    if (!settings.empty())
        spdlog::warn("{}: the settings ask for another one, which the next renewal gets; to keep this one, write into "
                     "{}: {}",
                     site.name, file.string(), fmt::join(settings, " "));
}

Result<void> carry_out(const Paths& paths, const Plan& plan) {
    for (const auto& [file, directory, account] : plan.adoptions) {
        COMMENTO_CHECK(adopt_account(paths, directory, account));
        spdlog::info("took in the account of {} with {}", file.string(), directory);
    }
    for (const auto& [site, candidate] : plan.installations) {
        COMMENTO_ASSIGN(const Generation made, install(site.store, candidate->pair, candidate->generation.facts));
        spdlog::info("{}: took in {} as {}, valid until {}", site.name, candidate->file.string(), summary(made),
                     local_time(made.not_after));
        tell_of_next_renewal(paths, site, made);
    }
    return {};
}

} // namespace

std::vector<std::string> importable_clients() {
    std::vector<std::string> names(kClients.size());
    std::ranges::transform(kClients, names.begin(), &Client::name);
    return names;
}

Result<void> import_from(const Paths& paths, const ImportRequest& request) {
    const auto* client = std::ranges::find(kClients, request.client, &Client::name);
    if (client == kClients.end())
        return fail(ErrorCode::settings, fmt::format("nothing can be imported from {}", request.client),
                    "one of " + list_of(importable_clients()));
    const fs::path folder = request.folder.empty() ? paths.root / client->folder : request.folder;
    COMMENTO_ASSIGN(const std::vector<Site> sites, all_sites(paths));
    COMMENTO_CHECK(check_folder(folder, *client));
    Foreign found = client->read(folder);
    if (found.empty())
        return fail(ErrorCode::settings, fmt::format("{} holds nothing of {}", folder.string(), client->name),
                    fmt::format("name the folder where {} keeps its certificates", client->name));
    for (const auto& problem : found.problems)
        spdlog::warn("{}; ignoring it", problem);

    const Directories known = known_directories(sites);
    const Directories of_accounts = directories_of(found.accounts, known);
    const auto candidates = examine_all(found.certificates, known, of_accounts);
    Plan plan{{}, plan_certificates(sites, candidates)};
    COMMENTO_ASSIGN(plan.adoptions, plan_accounts(paths, found.accounts, known));
    list_others(sites, candidates);
    return carry_out(paths, plan);
}

} // namespace commento
