#include "cert/foreign.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kMailto = "mailto:";
constexpr int kDeepest = 8;

/// Entries of a folder, by name; none where it can't be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code fault;
    for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault))
        entries.push_back(entry->path());
    std::ranges::sort(entries);
    return entries;
}

bool is_folder(const fs::path& path) {
    std::error_code fault;
    return fs::is_directory(path, fault);
}

bool is_there(const fs::path& path) {
    std::error_code fault;
    return fs::exists(path, fault);
}

void collect_with(std::vector<fs::path>& found, const std::string& file, const fs::path& folder, int depth) {
    if (is_there(folder / file))
        found.push_back(folder);
    if (depth == kDeepest)
        return;
    for (const auto& inner : folders_in(folder))
        collect_with(found, file, inner, depth + 1);
}

Result<Pair> read_pair_of(const fs::path& chain_file, const fs::path& key_file) {
    COMMENTO_ASSIGN(std::string chain, read_file(chain_file));
    COMMENTO_ASSIGN(std::string key, read_file(key_file));
    return Pair{std::move(chain), std::move(key)};
}

} // namespace

void add_certificate(Foreign& found, ForeignCertificate certificate, const fs::path& key_file) {
    auto pair = read_pair_of(certificate.chain_file, key_file);
    if (!pair) {
        found.problems.push_back(std::move(pair).error().message);
        return;
    }
    certificate.pair = *std::move(pair);
    found.certificates.push_back(std::move(certificate));
}

void add_account(Foreign& found, ForeignAccount account) {
    if (account.account.key && can_sign(account.account.key.get()))
        found.accounts.push_back(std::move(account));
    else
        found.problems.push_back(
            fmt::format("{} holds no account key that can be used: a whole one of P-256, P-384, or "
                        "RSA of 2048 bits and more",
                        account.key_file.string()));
}

PrivateKey read_key(const fs::path& file) {
    const auto text = read_file(file);
    return text ? parse_key(*text) : nullptr;
}

json read_object(const fs::path& file) {
    const auto text = read_file(file);
    return text ? parse_object(*text).value_or(json::object()) : json::object();
}

std::string first_email(const json& account) {
    for (const auto& contact : list_field(account, "contact")) {
        if (contact.is_string() && contact.get_ref<const std::string&>().starts_with(kMailto))
            return contact.get<std::string>().substr(kMailto.size());
    }
    return {};
}

std::vector<fs::path> folders_in(const fs::path& folder) {
    auto entries = entries_of(folder);
    std::erase_if(entries, [](const fs::path& entry) { return !is_folder(entry); });
    return entries;
}

std::vector<fs::path> folders_with(const std::string& file, const fs::path& folder) {
    std::vector<fs::path> found;
    collect_with(found, file, folder, 0);
    return found;
}

std::vector<fs::path> files_in(const fs::path& folder, const std::string& extension) {
    auto entries = entries_of(folder);
    std::erase_if(entries, [&](const fs::path& entry) {
        return !entry.filename().string().ends_with(extension) || is_folder(entry);
    });
    return entries;
}

} // namespace commento
