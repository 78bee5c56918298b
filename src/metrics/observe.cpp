#include "base/files.hpp"
#include "config/serving.hpp"
#include "metrics/database.hpp"
#include "metrics/observations.hpp"
#include "net/application.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <sys/stat.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPatience{5000};

constexpr std::array kJobs{"commento-app-check.service",    "commento-app-install.service",
                           "commento-cert-renew.service",   "commento-db-backup.service",
                           "commento-db-copy.service",      "commento-db-provision.service",
                           "commento-nginx-reload.service", "commento-nginx-render.service"};
constexpr std::array kServices{"commento.service", "commento-db-pool.service", "nginx.service"};

template <typename T>
std::optional<T> value_of(Result<T> result) {
    return result ? std::optional<T>(*std::move(result)) : std::nullopt;
}

void look_at_certificates(const Paths& paths, const Settings& settings, Observations& seen) {
    seen.certificates["main"] = value_of(read_certificate(paths.tls_chain()));
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(paths.tls_further(), fault))
        seen.certificates[entry.path().filename()] = value_of(read_certificate(entry.path() / "live/fullchain.pem"));
    seen.served = value_of(served_certificate("127.0.0.1", settings.number("HTTPS_PORT"), settings.text("DOMAIN"),
                                              kPatience, preamble_of(settings)));
}

/// One that was skipped, or stopped, did not run; of one that runs now, systemd tells no result.
void look_at_run(const UnitState& state, const std::string& unit, Observations& seen) {
    const bool over = state.active == "inactive" || state.active == "failed";
    if (over && state.since != 0 && state.result != "exec-condition")
        seen.runs[unit] = {state.since, state.result == "success"};
}

void look_at_units(Observations& seen) {
    auto units = Units::connect();
    if (!units)
        return;
    for (const char* unit : kJobs) {
        if (const auto state = units->state(unit))
            look_at_run(*state, unit, seen);
    }
    for (const char* unit : kServices) {
        if (const auto state = units->state(unit))
            seen.active[unit] = state->active == "active" || state->active == "reloading";
    }
}

/// By the folder's entries alone: what is in a backup is for nobody but commento-backup.
std::optional<Backups> look_at_backups(const fs::path& folder) {
    Backups backups;
    std::error_code fault;
    for (const auto& entry : fs::directory_iterator(folder, fault)) {
        struct stat status {};
        if (::lstat(entry.path().c_str(), &status) != 0)
            continue;
        if (entry.path().extension() == ".verified")
            backups.verified = std::max<std::int64_t>(backups.verified, status.st_mtime);
        if (entry.path().extension() != ".zip")
            continue;
        ++backups.count;
        backups.bytes += static_cast<std::uintmax_t>(status.st_size);
        if (status.st_mtime < backups.last)
            continue;
        backups.last = status.st_mtime;
        backups.last_bytes = static_cast<std::uintmax_t>(status.st_size);
    }
    return fault ? std::nullopt : std::optional(backups);
}

void ask_application(const Paths& paths, const Settings& settings, Observations& seen) {
    HttpClient client({.connect = kPatience, .total = kPatience});
    const std::string address = client.reach_here(serving_port(paths, settings)) + settings.base_path();
    const auto begin = std::chrono::steady_clock::now();
    const bool answers = problem_with_page(client, address).empty();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (!answers)
        return;
    seen.answer_seconds = took.count();
    seen.answers_with_database = problem_with_database(client, address).empty();
}

} // namespace

Observations observe(const Paths& paths, const Settings& settings) {
    Observations seen;
    look_at_certificates(paths, settings, seen);
    look_at_units(seen);
    seen.backups = look_at_backups(paths.backups());
    ask_application(paths, settings, seen);
    seen.release = fs::path(link_target(paths.app_current())).filename();
    seen.database_is_elsewhere = !settings.text("DATABASE_URL").empty();
    if (!seen.database_is_elsewhere)
        seen.database = ask_database(paths, settings);
    return seen;
}

} // namespace commento
