#include "cert/export.hpp"

#include "acme/json.hpp"
#include "acme/jwk.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/hex.hpp"
#include "cert/account.hpp"
#include "cert/site.hpp"
#include "cert/store.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <array>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/pem.h>
#include <set>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr mode_t kFolder = 0700;
constexpr mode_t kSecretFile = 0600;
constexpr mode_t kOpenFile = 0644;

/// What certbot calls a lineage.
struct Lineage {
    std::string name;
    Generation generation;
    Pair pair;
};

struct KeptAccount {
    std::string directory;
    std::string id;
    Account account;
};

struct Exported {
    std::vector<Lineage> lineages{};
    std::vector<KeptAccount> accounts{};
};

fs::path archive_of(const fs::path& target, const Lineage& lineage) { return target / "archive" / lineage.name; }
fs::path live_of(const fs::path& target, const Lineage& lineage) { return target / "live" / lineage.name; }
fs::path renewal_of(const fs::path& target, const Lineage& lineage) {
    return target / "renewal" / (lineage.name + ".conf");
}

/// accounts/HOST/PATH, of a directory https://HOST/PATH.
fs::path accounts_of(const fs::path& target, const std::string& directory) {
    return target / "accounts" / directory.substr(directory.find("://") + 3);
}

fs::path folder_of(const fs::path& target, const KeptAccount& kept) {
    return accounts_of(target, kept.directory) / kept.id;
}

/// Certbot's name for an account: MD5 of the public key, PEM.
std::string account_id(EVP_PKEY* key) {
    const Owned<BIO> pem(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(pem.get(), key);
    char* text = nullptr;
    const long size = BIO_get_mem_data(pem.get(), &text);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_Digest(text, static_cast<std::size_t>(size), digest.data(), &length, EVP_md5(), nullptr);
    return to_hex(std::span(digest).first(length));
}

/// The first name, without what makes it a wildcard; numbered as certbot does where others have it already.
std::string lineage_name(const Generation& generation, const std::vector<Lineage>& others) {
    constexpr std::string_view kWildcard = "*.";
    std::string name = generation.names.front();
    if (name.starts_with(kWildcard))
        name.erase(0, kWildcard.size());
    const auto is_taken = [&](const std::string& word) {
        return std::ranges::find(others, word, &Lineage::name) != others.end();
    };
    std::string numbered = name;
    for (int number = 1; is_taken(numbered); ++number)
        numbered = fmt::format("{}-{:04}", name, number);
    return numbered;
}

// Root runs this and reads what another user wrote. Names become paths, and lines of a file in which certbot finds
// programs to run, so nothing else than names, addresses and words may be among them.

std::string problem_with_directory(const std::string& directory) {
    if (auto problem = problem_with_assignment("ACME_DIRECTORY", directory); directory.empty() || !problem.empty())
        return fmt::format("the address of its authority {}", directory.empty() ? "is missing" : problem);
    return directory.find("/..") == std::string::npos ? "" : "the address of its authority leads upwards";
}

std::string problem_with_lineage(const Generation& generation, const Pair& pair) {
    if (auto problem = problem_with(pair); !problem.empty())
        return problem;
    const auto leaf = parse_certificate(pair.chain);
    if (!leaf || leaf->names.empty() || leaf->names != generation.names)
        return "info.json does not fit the certificate";
    if (auto problem = problem_with_assignment("TLS_NAMES", fmt::format("{}", fmt::join(leaf->names, " ")));
        !problem.empty())
        return "its list of names " + problem;
    return problem_with_directory(generation.facts.origin.directory);
}

Result<void> add_lineage(std::vector<Lineage>& lineages, const Site& site) {
    auto live = published(site.store);
    if (!live || live->facts.origin.source != Source::acme) {
        spdlog::info("{}: no certificate of an authority; leaving it out", site.name);
        return {};
    }
    COMMENTO_ASSIGN(Pair pair, read_pair(site.store, *live));
    if (const auto problem = problem_with_lineage(*live, pair); !problem.empty())
        return fail(ErrorCode::storage, fmt::format("{}: {}", site.store.live().string(), problem),
                    "commentoctl cert renew mends it");
    live->key_type = type_of(parse_key(pair.key).get());
    // The first of the settings' names is what the operator knows it by; an authority may have sorted them.
    const auto names = site.settings->certificate_names();
    std::stable_partition(live->names.begin(), live->names.end(),
                          [&](const std::string& name) { return name == names.front(); });
    std::string name = lineage_name(*live, lineages);
    lineages.push_back({std::move(name), *std::move(live), std::move(pair)});
    return {};
}

Result<std::vector<Lineage>> all_lineages(const Paths& paths) {
    COMMENTO_ASSIGN(Settings loaded, Settings::load(paths));
    const auto settings = std::make_shared<const Settings>(std::move(loaded));
    std::vector<Lineage> lineages;
    COMMENTO_CHECK(add_lineage(lineages, main_site(paths, settings)));
    for (const auto& further : further_sites(paths, settings)) {
        if (!further.site) {
            spdlog::warn("{}; leaving {} out", further.site.error().message, further.name);
            continue;
        }
        COMMENTO_CHECK(add_lineage(lineages, *further.site));
    }
    return lineages;
}

Result<std::vector<KeptAccount>> all_accounts(const Paths& paths) {
    std::vector<KeptAccount> accounts;
    for (const auto& directory : account_directories(paths)) {
        if (const auto problem = problem_with_directory(directory); !problem.empty())
            return fail(ErrorCode::storage, fmt::format("the account with {}: {}", directory, problem));
        COMMENTO_ASSIGN(Account account, read_account(paths, directory));
        if (account.url.empty())
            continue;
        std::string id = account_id(account.key.get());
        accounts.push_back({directory, std::move(id), std::move(account)});
    }
    return accounts;
}

/// Whether nobody or certbot lives there; Debian's package puts cli.ini into an otherwise empty folder.
bool is_free_or_certbots(const fs::path& target) {
    std::error_code fault;
    if (!fs::exists(target, fault) || fs::is_empty(target, fault))
        return true;
    constexpr std::array kEntries{"accounts", "archive", "live", "renewal", "cli.ini"};
    return std::ranges::any_of(kEntries, [&](const char* entry) { return fs::exists(target / entry, fault); });
}

Result<void> check_target(const fs::path& target, const Exported& exported) {
    if (!is_free_or_certbots(target))
        return fail(ErrorCode::settings,
                    fmt::format("{} is neither empty nor a configuration folder of certbot", target.string()),
                    "name a folder that is not there yet, or /etc/letsencrypt");
    std::vector<std::string> in_the_way;
    for (const auto& lineage : exported.lineages) {
        for (const auto& path : {archive_of(target, lineage), live_of(target, lineage), renewal_of(target, lineage)}) {
            std::error_code fault;
            if (fs::symlink_status(path, fault).type() != fs::file_type::not_found)
                in_the_way.push_back(path.string());
        }
    }
    if (!in_the_way.empty())
        return fail(ErrorCode::settings, fmt::format("there already: {}", fmt::join(in_the_way, ", ")),
                    "certbot delete --cert-name NAME removes a certificate; or export into a new folder");
    return {};
}

/// As certbot keeps an account; the key last, without which it takes the folder for none.
Result<void> write_account(const fs::path& folder, const Account& account) {
    std::array<char, HOST_NAME_MAX + 1> host{};
    ::gethostname(host.data(), host.size() - 1);
    const json meta = {{"creation_dt", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now()))},
                       {"creation_host", host.data()}};
    const json registration = {{"body", json::object()}, {"uri", account.url}};
    COMMENTO_CHECK(make_folder(folder, kFolder));
    COMMENTO_CHECK(write_file(folder / "meta.json", meta.dump(), kOpenFile));
    COMMENTO_CHECK(write_file(folder / "regr.json", registration.dump(), kOpenFile));
    return write_file(folder / "private_key.json", private_jwk(account.key.get()).dump(), kSecretFile);
}

Result<void> write_accounts(const fs::path& target, const std::vector<KeptAccount>& accounts) {
    for (const auto& kept : accounts) {
        const fs::path folder = folder_of(target, kept);
        if (fs::exists(folder / "private_key.json")) {
            spdlog::info("the account with {} is in {} already", kept.directory, folder.string());
            continue;
        }
        COMMENTO_CHECK(write_account(folder, kept.account));
        spdlog::info("wrote the account with {} to {}", kept.directory, folder.string());
    }
    return {};
}

/// cert.pem, chain.pem and so on are links to numbered files in the archive.
Result<void> write_files(const fs::path& target, const Lineage& lineage) {
    const std::string& all = lineage.pair.chain;
    const auto issuers = std::min(all.find("-----BEGIN", all.find("-----END")), all.size());
    const fs::path archive = archive_of(target, lineage);
    const fs::path live = live_of(target, lineage);
    COMMENTO_CHECK(make_folder(archive, kFolder));
    COMMENTO_CHECK(make_folder(live, kFolder));
    struct Part {
        const char* kind;
        std::string text;
        mode_t mode;
    };
    for (const auto& [kind, text, mode] :
         {Part{"cert", all.substr(0, issuers), kOpenFile}, Part{"chain", all.substr(issuers), kOpenFile},
          Part{"fullchain", all, kOpenFile}, Part{"privkey", lineage.pair.key, kSecretFile}}) {
        COMMENTO_CHECK(write_file(archive / fmt::format("{}1.pem", kind), text, mode));
        COMMENTO_CHECK(point_link(live / fmt::format("{}.pem", kind),
                                  fs::path("../../archive") / lineage.name / fmt::format("{}1.pem", kind)));
    }
    return {};
}

/// Options of certbot for a kind of key.
std::string key_options(const std::string& key_type) {
    if (key_type.starts_with("rsa-"))
        return fmt::format("key_type = rsa\nrsa_key_size = {}\n", key_type.substr(key_type.find('-') + 1));
    return fmt::format("key_type = ecdsa\nelliptic_curve = {}\n", key_type == "ecdsa-p384" ? "secp384r1" : "secp256r1");
}

/// How certbot renews it: through the folder that nginx shows challenges from.
std::string renewal_text(const Paths& paths, const fs::path& target, const Lineage& lineage,
                         const std::vector<KeptAccount>& accounts) {
    const std::string& directory = lineage.generation.facts.origin.directory;
    const auto kept = std::ranges::find(accounts, directory, &KeptAccount::directory);
    const std::string live = live_of(target, lineage).string();
    const std::string webroot = paths.acme_webroot().string();
    std::string text = fmt::format("version = 2.1.0\narchive_dir = {}\n", archive_of(target, lineage).string());
    for (const char* kind : {"cert", "privkey", "chain", "fullchain"})
        text += fmt::format("{0} = {1}/{0}.pem\n", kind, live);
    text += "\n[renewalparams]\n";
    if (kept != accounts.end())
        text += fmt::format("account = {}\n", kept->id);
    text += fmt::format("server = {}\n{}authenticator = webroot\nwebroot_path = {},\n[[webroot_map]]\n", directory,
                        key_options(lineage.generation.key_type), webroot);
    for (const auto& name : lineage.generation.names)
        text += fmt::format("{} = {}\n", name, webroot);
    return text;
}

} // namespace

Result<void> export_certbot(const Paths& paths, const fs::path& target) {
    const fs::path folder = fs::absolute(target).lexically_normal();
    Exported exported;
    COMMENTO_ASSIGN(exported.lineages, all_lineages(paths));
    COMMENTO_ASSIGN(exported.accounts, all_accounts(paths));
    if (exported.lineages.empty() && exported.accounts.empty())
        return fail(ErrorCode::settings, "there is neither a certificate of an authority nor an account to export");
    COMMENTO_CHECK(check_target(folder, exported));
    COMMENTO_CHECK(write_accounts(folder, exported.accounts));
    for (const auto& lineage : exported.lineages) {
        COMMENTO_CHECK(write_files(folder, lineage));
        // Written last: what makes certbot know of it.
        COMMENTO_CHECK(make_folder(folder / "renewal", kFolder));
        COMMENTO_CHECK(write_file(renewal_of(folder, lineage), renewal_text(paths, folder, lineage, exported.accounts),
                                  kOpenFile));
        spdlog::info("wrote the certificate for {} to {}", fmt::join(lineage.generation.names, ", "),
                     live_of(folder, lineage).string());
    }
    return {};
}

} // namespace commento
