#include "cert/history.hpp"

#include "acme/json.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t kDay = std::int64_t{24} * 3600;

fs::path file_of(const fs::path& folder) { return folder / "failures.json"; }

Failure from_json(const json& stored) {
    return {{stored.at("directory").get<std::string>(), stored.at("names").get<std::vector<std::string>>(),
             stored.at("email").get<std::string>(), stored.at("profile").get<std::string>(),
             stored.at("means").get<std::map<std::string, std::string>>()},
            stored.at("failures").get<int>(),
            stored.at("refusals").get<int>(),
            stored.at("failed_at").get<std::int64_t>(),
            stored.at("next_try").get<std::int64_t>(),
            stored.at("message").get<std::string>()};
}

json to_json(const Failure& failure) {
    return {{"directory", failure.request.directory}, {"names", failure.request.names},
            {"email", failure.request.email},         {"profile", failure.request.profile},
            {"means", failure.request.means},         {"failures", failure.failures},
            {"refusals", failure.refusals},           {"failed_at", failure.failed_at},
            {"next_try", failure.next_try},           {"message", failure.message}};
}

} // namespace

std::int64_t pause_after(int refusals, std::optional<std::int64_t> retry_after) {
    constexpr std::int64_t kFirst = std::int64_t{5} * 60;
    std::int64_t pause = kFirst;
    for (int i = 1; i < refusals && pause < kDay; ++i)
        pause *= 2;
    return std::max(std::min(pause, kDay), retry_after.value_or(0));
}

bool holds_back(const Failure& failure, std::int64_t now) { return failure.failed_at <= now && now < failure.next_try; }

bool is_persistent(const Failure& failure) {
    constexpr int kEnough = 3;
    return failure.failures >= kEnough;
}

std::vector<Failure> all_failures(const fs::path& folder) {
    const auto text = read_file(file_of(folder));
    const auto stored = text ? parse_object(*text) : std::nullopt;
    std::vector<Failure> failures;
    try {
        for (const auto& entry : stored ? list_field(*stored, "failures") : json::array())
            failures.push_back(from_json(entry));
    } catch (const json::exception&) {
        return {};
    }
    return failures;
}

std::optional<Failure> last_failure(const fs::path& folder, const Request& request) {
    auto failures = all_failures(folder);
    const auto found = std::ranges::find(failures, request, &Failure::request);
    return found == failures.end() ? std::nullopt : std::optional(std::move(*found));
}

Result<void> remember(const fs::path& folder, const Failure& failure) {
    constexpr mode_t kFolder = 0755;
    constexpr mode_t kMode = 0644; // commentoctl shows it
    json entries = json::array({to_json(failure)});
    for (const auto& other : all_failures(folder)) {
        if (other.request.directory != failure.request.directory)
            entries.push_back(to_json(other));
    }
    const json document = {{"failures", std::move(entries)}};
    COMMENTO_CHECK(make_folder(folder, kFolder));
    return write_file(file_of(folder), document.dump(2, ' ', false, json::error_handler_t::replace) + "\n", kMode);
}

Result<void> forget_failures(const fs::path& folder) {
    if (::unlink(file_of(folder).c_str()) == 0)
        return sync_folder(folder);
    if (errno == ENOENT)
        return {};
    return fail_errno(ErrorCode::storage, "cannot remove " + file_of(folder).string(), errno);
}

} // namespace commento
