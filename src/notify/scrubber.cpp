#include "notify/scrubber.hpp"

#include "config/database_url.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace commento {
namespace {

constexpr std::string_view kMask = "***";

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view kUnreserved = "-._~"; // RFC 3986, 2.3
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || kUnreserved.find(c) != std::string_view::npos)
            encoded += c;
        else
            encoded += fmt::format("%{:02X}", byte);
    }
    return encoded;
}

void replace_all(std::string& text, std::string_view what) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + kMask.size()))
        text.replace(at, what.size(), kMask);
}

/// scheme://user:password@ of every address in the text.
void mask_passwords(std::string& text) {
    constexpr std::string_view kScheme = "://";
    for (auto at = text.find(kScheme); at != std::string::npos; at = text.find(kScheme, at)) {
        at += kScheme.size();
        const auto end = std::min(text.find_first_of(" \t\n\"'<>/?#", at), text.size());
        const auto host = text.substr(at, end - at).rfind('@');
        const auto colon = text.find(':', at);
        if (host != std::string::npos && colon < at + host)
            text.replace(colon + 1, at + host - colon - 1, kMask);
    }
}

} // namespace

Scrubber::Scrubber(std::vector<std::string> secrets) {
    for (auto& secret : secrets) {
        if (secret.empty())
            continue;
        secrets_.push_back(percent_encoded(secret));
        secrets_.push_back(std::move(secret));
    }
    std::ranges::stable_sort(secrets_, std::greater<>(), &std::string::size);
}

std::string Scrubber::clean(std::string_view text) const {
    std::string cleaned(text);
    for (const auto& secret : secrets_)
        replace_all(cleaned, secret);
    mask_passwords(cleaned);
    return cleaned;
}

Error Scrubber::clean(Error error) const {
    error.message = clean(error.message);
    error.hint = clean(error.hint);
    return error;
}

std::vector<std::string> secrets_of(const Settings& settings, const std::vector<std::string>& more) {
    constexpr std::size_t kShortest = 8; // of a piece of the webhook's path that may be the key to it
    std::vector<std::string> secrets;
    for (const auto& key : all_keys()) {
        if (key.secrecy != Secrecy::secret)
            continue;
        secrets.push_back(settings.text(key.name));
        if (const auto database = parse_database_url(secrets.back()); database && key.type == ValueType::database_url)
            secrets.push_back(database->password);
    }
    const std::string& webhook = settings.text("NOTIFY_WEBHOOK");
    const auto scheme = webhook.find("://");
    const auto path = scheme == std::string::npos ? scheme : webhook.find_first_of("/?#", scheme + 3);
    if (path != std::string::npos) {
        for (const auto piece : split(std::string_view(webhook).substr(path), '/')) {
            if (piece.size() >= kShortest)
                secrets.emplace_back(piece);
        }
        secrets.push_back(webhook.substr(path + 1));
    }
    for (const auto& text : more) {
        for (const auto& assignment : parse_env_file(text, {}).assignments)
            secrets.push_back(assignment.value);
    }
    return secrets;
}

} // namespace commento
