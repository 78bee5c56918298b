#include "cert/history.hpp"

#include "base/files.hpp"
#include "acme/json.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <unistd.h>

namespace commento {
namespace {

using nlohmann::json;

constexpr std::int64_t kDay = std::int64_t{24} * 3600;

std::filesystem::path file_of(const Paths& paths) { return paths.acme() / "failures.json"; }

std::optional<std::int64_t> parse_seconds(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (fault != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return seconds;
}

/// The three forms of RFC 9110, 5.6.7.
std::optional<std::int64_t> parse_date(const std::string& text) {
    constexpr std::array kForms{"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
    for (const char* form : kForms) {
        std::tm parts{};
        const char* end = ::strptime(text.c_str(), form, &parts);
        if (end != nullptr && *end == '\0')
            return ::timegm(&parts);
    }
    return std::nullopt;
}

Failure from_json(const json& stored) {
    return {{stored.at("directory").get<std::string>(), stored.at("domain").get<std::string>(),
             stored.at("email").get<std::string>()},
            stored.at("refusals").get<int>(),
            stored.at("failed_at").get<std::int64_t>(),
            stored.at("next_try").get<std::int64_t>(),
            stored.at("message").get<std::string>()};
}

json to_json(const Failure& failure) {
    return {{"directory", failure.request.directory},
            {"domain", failure.request.domain},
            {"email", failure.request.email},
            {"refusals", failure.refusals},
            {"failed_at", failure.failed_at},
            {"next_try", failure.next_try},
            {"message", failure.message}};
}

} // namespace

std::optional<std::int64_t> parse_retry_after(std::string_view header, std::int64_t now) {
    constexpr std::int64_t kLongest = 7 * kDay;
    auto seconds = parse_seconds(header);
    if (!seconds) {
        if (const auto date = parse_date(std::string(header)))
            seconds = *date - now;
    }
    if (!seconds || *seconds <= 0)
        return std::nullopt;
    return std::min(*seconds, kLongest);
}

std::int64_t pause_after(int refusals, std::optional<std::int64_t> retry_after) {
    constexpr std::int64_t kFirst = std::int64_t{5} * 60;
    std::int64_t pause = kFirst;
    for (int i = 1; i < refusals && pause < kDay; ++i)
        pause *= 2;
    return std::max(std::min(pause, kDay), retry_after.value_or(0));
}

bool holds_back(const Failure& failure, std::int64_t now) { return failure.failed_at <= now && now < failure.next_try; }

std::optional<Failure> last_failure(const Paths& paths, const Request& request) {
    const auto text = read_file(file_of(paths));
    const auto stored = text ? parse_object(*text) : std::nullopt;
    if (!stored)
        return std::nullopt;
    try {
        auto failure = from_json(*stored);
        return failure.request == request ? std::optional(std::move(failure)) : std::nullopt;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

Result<void> remember(const Paths& paths, const Failure& failure) {
    constexpr mode_t kMode = 0644; // commentoctl status shows it
    return write_file(file_of(paths), to_json(failure).dump(2, ' ', false, json::error_handler_t::replace) + "\n",
                      kMode);
}

Result<void> forget_failures(const Paths& paths) {
    if (::unlink(file_of(paths).c_str()) != 0 && errno != ENOENT)
        return fail_errno(ErrorCode::storage, "cannot remove " + file_of(paths).string(), errno);
    return sync_folder(paths.acme());
}

} // namespace commento
