#include "base/program.hpp"
#include "metrics/exposition.hpp"
#include "metrics/observations.hpp"

namespace commento {
namespace {

double number(bool truth) { return truth ? 1 : 0; }

template <typename T>
double number(T value) {
    return static_cast<double>(value);
}

void add_certificates(const Observations& seen, Exposition& out) {
    out.gauge("commento_certificate_up", "Whether there is a certificate of that name that can be read.");
    for (const auto& [name, certificate] : seen.certificates)
        out.sample(number(certificate.has_value()), {{"name", name}});
    const auto each = [&](auto&& value) {
        for (const auto& [name, certificate] : seen.certificates) {
            if (certificate)
                out.sample(number(value(*certificate)), {{"name", name}});
        }
    };
    out.gauge("commento_certificate_not_before_timestamp_seconds", "When the certificate began to be valid.");
    each([](const Certificate& certificate) { return certificate.not_before; });
    out.gauge("commento_certificate_not_after_timestamp_seconds", "When the certificate ends.");
    each([](const Certificate& certificate) { return certificate.not_after; });
    out.gauge("commento_certificate_self_signed",
              "Whether no authority issued it: a placeholder, unless TLS_MODE is selfsigned.");
    each([](const Certificate& certificate) { return certificate.self_signed; });
    out.gauge("commento_front_up", "Whether nginx answers over TLS for DOMAIN on this host.");
    out.sample(number(seen.served.has_value()));
    out.gauge("commento_front_certificate_not_after_timestamp_seconds", "When the certificate ends that nginx serves.");
    if (seen.served)
        out.sample(number(seen.served->not_after));
}

void add_units(const Observations& seen, Exposition& out) {
    out.gauge("commento_run_end_timestamp_seconds", "End of the last run of a unit that runs once, since the boot.");
    for (const auto& [unit, run] : seen.runs)
        out.sample(number(run.ended), {{"unit", unit}});
    out.gauge("commento_run_success", "Whether that run ended well.");
    for (const auto& [unit, run] : seen.runs)
        out.sample(number(run.well), {{"unit", unit}});
    out.gauge("commento_unit_active", "Whether a service runs.");
    for (const auto& [unit, active] : seen.active)
        out.sample(number(active), {{"unit", unit}});
}

void add_backups(const Observations& seen, Exposition& out) {
    out.gauge("commento_backup_up", "Whether the folder of the backups can be read.");
    out.sample(number(seen.backups.has_value()));
    if (!seen.backups)
        return;
    out.gauge("commento_backups", "Backups on this host.");
    out.sample(seen.backups->count);
    out.gauge("commento_backups_size_bytes", "Size of all of them.");
    out.sample(number(seen.backups->bytes));
    out.gauge("commento_backup_last_success_timestamp_seconds", "When the newest backup was made; 0: there is none.");
    out.sample(number(seen.backups->last));
    out.gauge("commento_backup_last_size_bytes", "Size of the newest backup.");
    out.sample(number(seen.backups->last_bytes));
    out.gauge("commento_backup_last_verified_timestamp_seconds",
              "When a backup was put back on trial and compared; 0: of those that are kept, none was.");
    out.sample(number(seen.backups->verified));
}

void add_application(const Observations& seen, Exposition& out) {
    out.gauge("commento_application_up", "Whether the application answers.");
    out.sample(number(seen.answer_seconds.has_value()));
    out.gauge("commento_application_answer_seconds", "How long it took to answer GET /login.");
    if (seen.answer_seconds)
        out.sample(*seen.answer_seconds);
    out.gauge("commento_application_database_up", "Whether its answer to a call that reads the database is a success.");
    out.sample(number(seen.answers_with_database));
    out.gauge("commento_application_info", "The release that is installed.");
    if (!seen.release.empty())
        out.sample(1, {{"release", seen.release}});
}

/// Of one elsewhere, that server's own exporter tells.
void add_database(const Observations& seen, Exposition& out) {
    if (seen.database_is_elsewhere)
        return;
    out.gauge("commento_database_up", "Whether the host's PostgreSQL answers on the comment server's database.");
    out.sample(number(seen.database.has_value()));
    if (!seen.database)
        return;
    out.gauge("commento_database_size_bytes", "Size of the database.");
    out.sample(number(seen.database->bytes));
    out.gauge("commento_database_connections", "Connections to the database.");
    out.sample(number(seen.database->connections));
    out.gauge("commento_database_connections_limit", "Connections that the server takes, to all of its databases.");
    out.sample(number(seen.database->most_connections));
}

} // namespace

std::string to_text(const Observations& seen, std::int64_t now, double seconds) {
    Exposition out;
    out.gauge("commento_build_info", "The version of commento-stack.");
    out.sample(1, {{"version", std::string(stack_version())}});
    add_certificates(seen, out);
    add_units(seen, out);
    add_backups(seen, out);
    add_application(seen, out);
    add_database(seen, out);
    out.gauge("commento_collect_timestamp_seconds", "When all this was measured.");
    out.sample(number(now));
    out.gauge("commento_collect_duration_seconds", "How long that took.");
    out.sample(seconds);
    return out.text();
}

} // namespace commento
