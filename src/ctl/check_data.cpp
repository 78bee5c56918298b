// Database, application and backups.

#include "base/clock.hpp"
#include "base/translate.hpp"
#include "config/database_server.hpp"
#include "config/keys.hpp"
#include "config/serving.hpp"
#include "ctl/check.hpp"
#include "ctl/known_versions.hpp"
#include "net/application.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace commento {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

// --- database ---

Finding look_whether_it_answers(CheckedHost& host) {
    const auto& database = host.facts().database;
    if (database)
        return ok(tr("PostgreSQL {} answers", version_of_postgresql(database->version)));
    const bool own = database_server(host.paths(), host.settings()).is_own;
    return fault(database.error().message,
                 own ? by_hand({"systemctl", "restart", "postgresql.service"}) : advise(database.error().hint));
}

/// What commento-db check says.
Finding look_at_parts(CheckedHost& host) {
    constexpr const char* kUnit = "commento-db-check.service";
    auto& units = host.units();
    if (!units)
        return skipped(units.error().message);
    const auto result = units->run_job("StartUnit", kUnit, 60s);
    if (!result)
        return skipped(result.error().message);
    if (*result == "done")
        return ok(tr("roles, database and pool are as they should be"));
    const auto state = units->state(kUnit);
    const auto words = state ? last_words(kUnit, state->invocation) : std::nullopt;
    return fault(words ? words->message : tr("{} failed", kUnit), safely({"commentoctl", "db", "provision"}));
}

/// PostgreSQL's words for it (SQLSTATE 53300).
bool is_crowded(const Error& refusal) {
    return refusal.message.find("connection slots") != std::string::npos ||
           refusal.message.find("too many clients") != std::string::npos;
}

Finding look_at_connections(CheckedHost& host) {
    constexpr int kNearlyAll = 90;
    constexpr int kHundred = 100;
    const auto& database = host.facts().database;
    const Remedy look =
        advise(tr("who has them: sudo -u postgres psql -c 'SELECT usename, application_name, count(*) FROM "
                  "pg_stat_activity GROUP BY 1, 2'; max_connections stands in postgresql.conf"));
    if (!database)
        return is_crowded(database.error()) ? fault(tr("all connections are taken"), look)
                                            : skipped(tr("the database does not answer"));
    const std::string saw = tr("{} of {} connections are taken", database->connections, database->most_connections);
    return database->connections * kHundred < database->most_connections * kNearlyAll ? ok(saw) : warning(saw, look);
}

Finding look_at_version(CheckedHost& host) {
    const auto& database = host.facts().database;
    if (!database)
        return skipped(tr("the database does not answer"));
    const std::string version = version_of_postgresql(database->version);
    const std::string end = support_end_of_postgresql(database->version);
    if (end.empty() || end > utc_time(now()))
        return ok(tr("PostgreSQL {} is supported", version));
    return warning(tr("PostgreSQL {} has had no more fixes since {}", version, end),
                   by_hand({"commentoctl", "db", "upgrade"}));
}

// --- application ---

Remedy restart_application() { return safely({"systemctl", "restart", "commento.service"}); }

Finding look_at_application(CheckedHost& host) {
    const Facts& facts = host.facts();
    if (facts.answer)
        return ok(tr("answers in {:.1f} ms", std::chrono::duration<double, std::milli>(*facts.answer).count()));
    const auto& failed = facts.application;
    return fault(failed && failed->failure ? failed->failure->message : facts.answer.error().message,
                 restart_application());
}

/// Its own word on the database, which comes with status 200 (APP-CONTRACT, HTTP).
Finding look_at_its_database(CheckedHost& host) {
    if (!host.facts().answer)
        return skipped(tr("the application does not answer"));
    HttpClient client({.connect = 5s, .total = 10s});
    const std::string address =
        client.reach_here(serving_port(host.paths(), host.settings())) + host.settings().base_path();
    const auto answer = count_comments(client, address);
    if (!answer)
        return fault(answer.error().message, restart_application());
    if (problem_with_count(*answer).empty())
        return ok(tr("it reads from the database"));
    return fault(tr("it does not get at the database"),
                 safely({"systemctl", "restart", "commento-db-pool.service", "commento.service"}));
}

/// To the release that this version of commento-stack names.
Remedy take_default(const Settings& settings) {
    std::vector<std::string> setup{"commentoctl", "setup"};
    for (const char* key : {"APP_URL", "APP_SHA256", "APP_ARCHIVE"}) {
        if (settings.text(key) != find_key(key)->standard)
            setup.insert(setup.end(), {"--set", fmt::format("{}=", key)});
    }
    const std::vector<std::string> upgrade{"commentoctl", "app", "upgrade"};
    return setup.size() == 2 ? by_hand(upgrade) : by_hand_all({setup, upgrade});
}

Finding look_at_release(CheckedHost& host) {
    const std::string& release = host.facts().release;
    if (release.empty())
        return fault(tr("no release is installed"), safely({"commentoctl", "app", "install"}));
    const std::string why = why_outdated(release);
    return why.empty() ? ok(release) : warning(fmt::format("{}: {}", release, why), take_default(host.settings()));
}

// --- backups ---

/// The last one that is whole; null where there is none. Of two that were begun in one second, the names differ.
json last_backup(const json& all) {
    json last;
    for (const auto& each : all) {
        if (each.at("fault").is_null() && (last.is_null() || each.at("name") > last.at("name")))
            last = each;
    }
    return last;
}

Remedy back_up() { return safely({"commentoctl", "backup", "now"}); }

Finding look_at_age(CheckedHost& host) {
    const auto& all = host.backups();
    if (!all)
        return fault(all.error().message, back_up());
    const json last = last_backup(*all);
    if (last.is_null())
        return warning(tr("there is no backup yet"), back_up());
    const auto made = parse_utc_time(last.at("made"));
    const std::int64_t age = now() - made.value_or(0);
    const std::string saw = tr("the last one is {} hours old", age / kHour);
    return age > 2 * kDay ? fault(saw, back_up()) : ok(saw);
}

Finding look_whether_verified(CheckedHost& host) {
    const auto& all = host.backups();
    const json last = all ? last_backup(*all) : json();
    if (last.is_null())
        return skipped(tr("there is no backup yet"));
    for (const auto& each : *all) {
        if (!each.at("fault").is_null())
            return fault(
                tr("{} is damaged: {}", each.at("name").get<std::string>(), each.at("fault").get<std::string>()),
                advise(tr("its copy elsewhere may be whole; sudo commentoctl backup prune removes it in time")));
    }
    const std::string name = last.at("name");
    if (last.at("verified").is_null())
        return warning(tr("{} was not put back for a trial yet", name),
                       safely({"commentoctl", "backup", "verify", name}));
    return ok(tr("{} was put back for a trial", name));
}

Finding look_at_schedule(CheckedHost& host) {
    constexpr const char* kTimer = "commento-db-backup.timer";
    auto& units = host.units();
    const auto timer = units ? units->state(kTimer) : Result<UnitState>(tl::unexpected(units.error()));
    if (!timer)
        return skipped(timer.error().message);
    if (timer->active != "active")
        return fault(tr("{} is {}: no backup is made", kTimer, timer->active), safely({"systemctl", "start", kTimer}));
    const std::string unit = "commento-db-backup.service";
    const auto last = units->state(unit);
    if (last && !last->result.empty() && last->result != "success") {
        const auto words = last_words(unit, last->invocation);
        return fault(words ? words->message : tr("the last run failed: {}", last->result),
                     safely({"systemctl", "start", unit}));
    }
    return ok(tr("a backup is made each night"));
}

constexpr std::array kChecks{
    Check{"database.answers", msgid("PostgreSQL answers"), look_whether_it_answers},
    Check{"database.parts", msgid("Roles, database and pool are in place"), look_at_parts},
    Check{"database.connections", msgid("PostgreSQL has connections left"), look_at_connections},
    Check{"database.version", msgid("PostgreSQL is supported"), look_at_version},
    Check{"application.answers", msgid("The application answers"), look_at_application},
    Check{"application.database", msgid("The application gets at the database"), look_at_its_database},
    Check{"application.release", msgid("The release is a current one"), look_at_release},
    Check{"backups.age", msgid("There is a fresh backup"), look_at_age},
    Check{"backups.verified", msgid("Backups can be put back"), look_whether_verified},
    Check{"backups.schedule", msgid("Backups are made by themselves"), look_at_schedule},
};

} // namespace

std::span<const Check> data_checks() { return kChecks; }

} // namespace commento
