#include "ctl/status.hpp"

#include "base/translate.hpp"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStart = "sudo systemctl start commento.target";
constexpr const char* kRestart = "sudo systemctl restart commento.target";
constexpr const char* kOnlyRoot = msgid("only root can see this: sudo commentoctl status");

void add(std::string& text, std::string_view more) { text += fmt::format("{}{}", text.empty() ? "" : "; ", more); }

void worsen(Part& part, std::string_view detail, const std::string& hint) {
    part.health = Health::unwell;
    add(part.detail, detail);
    if (part.hint.empty())
        part.hint = hint;
}

Part unknown(std::string name, const Error& error) {
    return {std::move(name), Health::unknown, msgid("unknown"), 0, error.message, error.hint, Json::object()};
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

bool has_failed(const UnitFacts& unit) { return !unit.state.result.empty() && unit.state.result != "success"; }

/// Adds why the unit's last run failed, if it did.
void blame(Part& part, const std::string& unit, const Result<UnitFacts>& facts) {
    if (!facts || !has_failed(*facts))
        return;
    const std::string journal = fmt::format("sudo journalctl -u {}", unit);
    const bool refused = facts->state.result == "exit-code" && code_of(facts->state.exit_status) == ErrorCode::settings;
    if (refused) // the faults stand in the row of the settings
        worsen(part, tr("{} found the settings faulty", unit), kRestart);
    else if (facts->failure)
        worsen(part, first_line(facts->failure->message),
               facts->failure->hint.empty() ? journal : facts->failure->hint);
    else
        worsen(part, tr("{} failed: {}", unit, facts->state.result), journal);
}

/// A part that a unit stands for: well while the unit is active.
Part part_of(std::string name, const std::string& unit, const Result<UnitFacts>& facts) {
    if (!facts)
        return unknown(std::move(name), facts.error());
    const UnitState& state = facts->state;
    Part part{std::move(name), Health::well, state.active, state.since, "", "", {{"unit", unit}}};
    if (state.load != "loaded") {
        part.state = state.load;
        worsen(part, tr("{} is {}", unit, state.load), fmt::format("systemctl status {}", unit));
        return part;
    }
    blame(part, unit, facts);
    if (state.active != "active" && part.health == Health::well)
        worsen(part, tr("{} is {}", unit, state.active), kStart);
    return part;
}

/// UTC for programs (RFC 3339); null when not known.
Json json_time(std::int64_t seconds) {
    return seconds == 0 ? Json() : Json(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds)));
}

/// Local time for people.
std::string local_time(std::int64_t seconds) {
    return seconds == 0 ? "-" : fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(seconds));
}

Part settings_part(const Facts& facts) {
    Part part{msgid("settings"), Health::well, msgid("valid"), 0, "", "", Json::object()};
    if (!facts.settings) {
        part.state = msgid("missing");
        worsen(part, facts.settings.error().message, facts.settings.error().hint);
        return part;
    }
    part.facts["faults"] = Json::array();
    std::string lines;
    for (const auto& fault : facts.settings->faults) {
        part.facts["faults"].push_back(to_string(fault));
        lines += (lines.empty() ? "" : "\n") + to_string(fault);
    }
    if (!lines.empty()) {
        part.state = msgid("faulty");
        worsen(part, lines, tr("sudo commentoctl setup, or an editor; commentoctl show-config shows every value"));
    }
    return part;
}

Part target_part(const Facts& facts) {
    Part part = part_of(msgid("target"), "commento.target", facts.target);
    if (!facts.target)
        return part;
    const bool at_boot = facts.target->state.enabled == "enabled";
    part.facts["enabled"] = at_boot;
    add(part.detail, at_boot ? tr("starts at boot") : tr("does not start at boot"));
    return part;
}

Part application_part(const Facts& facts) {
    Part part = part_of(msgid("application"), "commento.service", facts.application);
    part.facts["release"] = facts.release.empty() ? Json() : Json(facts.release);
    part.facts["answer_ms"] = nullptr;
    blame(part, "commento-app-install.service", facts.install);
    blame(part, "commento-db-guard.service", facts.guard);
    if (!facts.release.empty())
        add(part.detail, facts.release);
    if (facts.answer) {
        const double milliseconds = std::chrono::duration<double, std::milli>(*facts.answer).count();
        part.facts["answer_ms"] = milliseconds;
        add(part.detail, tr("answers in {:.1f} ms", milliseconds));
    } else if (part.health != Health::unwell) {
        worsen(part, facts.answer.error().message, "sudo journalctl -u commento.service");
    }
    return part;
}

Part database_part(const Facts& facts) {
    Part part{msgid("database"), Health::well, "active", 0, "", "", Json::object()};
    part.facts["size_bytes"] = nullptr;
    if (facts.database) {
        constexpr double kMegabyte = 1e6;
        part.since = facts.database->since;
        part.facts["size_bytes"] = facts.database->size;
        add(part.detail, fmt::format("{:.1f} MB", static_cast<double>(facts.database->size) / kMegabyte));
    } else if (facts.database.error().code == ErrorCode::permission) {
        part.health = Health::unknown;
        part.state = msgid("unknown");
        part.detail = translated(kOnlyRoot);
    } else {
        part.state = msgid("failed");
        worsen(part, facts.database.error().message, facts.database.error().hint);
    }
    blame(part, "commento-db-provision.service", facts.provision);
    blame(part, "commento-db-pool.service", facts.pool);
    blame(part, "commento-db-follow.service", facts.follow);
    return part;
}

Part web_part(const Facts& facts) {
    Part part = part_of(msgid("web front"), "nginx.service", facts.nginx);
    blame(part, "commento-nginx-render.service", facts.render);
    if (!facts.served)
        worsen(part, facts.served.error().message, "sudo commentoctl nginx render");
    else if (facts.certificate && facts.served->fingerprint != facts.certificate->fingerprint)
        worsen(part, tr("serves another certificate than the one on disk"), "sudo commentoctl nginx reload");
    else
        add(part.detail, tr("answers over TLS"));
    return part;
}

Part certificate_part(const Facts& facts) {
    Part part{msgid("certificate"), Health::well, msgid("valid"), 0, "", "", Json::object()};
    if (!facts.certificate) {
        const bool denied = facts.certificate.error().code == ErrorCode::permission;
        part.state = denied ? msgid("unknown") : msgid("missing");
        if (denied) {
            part.health = Health::unknown;
            part.detail = translated(kOnlyRoot);
        } else {
            worsen(part, facts.certificate.error().message, "sudo commentoctl cert bootstrap");
        }
        return part;
    }
    constexpr std::int64_t kDay = 86400;
    const Certificate& certificate = *facts.certificate;
    const bool wants_authority = !facts.settings || facts.settings->settings.text("TLS_MODE") == "acme";
    const bool placeholder = certificate.self_signed && wants_authority;
    const std::int64_t days = (certificate.not_after - facts.now) / kDay;
    part.since = certificate.not_before;
    part.facts = {{"issuer", certificate.issuer},
                  {"names", certificate.names},
                  {"serial", certificate.serial},
                  {"placeholder", placeholder},
                  {"not_before", json_time(certificate.not_before)},
                  {"not_after", json_time(certificate.not_after)},
                  {"days_left", days}};
    add(part.detail, tr("{} by {}, {} days left", fmt::join(certificate.names, " "), certificate.issuer, days));
    if (placeholder) {
        part.state = msgid("placeholder");
        worsen(part, tr("made here until the authority issues one"), "sudo commentoctl cert renew");
    }
    if (certificate.not_after <= facts.now) {
        part.state = msgid("expired");
        worsen(part, tr("ended {}", local_time(certificate.not_after)), "sudo commentoctl cert renew");
    }
    return part;
}

Part renewal_part(const Facts& facts) {
    Part part = part_of(msgid("renewal"), "commento-cert-renew.timer", facts.timer);
    const std::int64_t last = facts.renew ? facts.renew->state.since : 0;
    const std::int64_t next = facts.runs ? facts.runs->next : 0;
    part.facts["last_run"] = json_time(last);
    part.facts["last_result"] = facts.renew && last != 0 ? Json(facts.renew->state.result) : Json();
    part.facts["next_run"] = json_time(next);
    add(part.detail, tr("last run {}, next {}", local_time(last), local_time(next)));
    if (facts.renew && has_failed(*facts.renew))
        part.state = msgid("failed");
    blame(part, "commento-cert-renew.service", facts.renew);
    return part;
}

Colour colour_of(Health health) {
    switch (health) {
    case Health::well:
        return Colour::good;
    case Health::unwell:
        return Colour::bad;
    case Health::unknown:
        break;
    }
    return Colour::doubtful;
}

const char* name_of(Health health) {
    switch (health) {
    case Health::well:
        return "well";
    case Health::unwell:
        return "unwell";
    case Health::unknown:
        break;
    }
    return "unknown";
}

} // namespace

Status assess(const Facts& facts) {
    Status status;
    if (facts.settings && !facts.settings->settings.text("DOMAIN").empty())
        status.address = facts.settings->settings.origin();
    for (const auto& find :
         {settings_part, target_part, application_part, database_part, web_part, certificate_part, renewal_part})
        status.parts.push_back(find(facts));
    return status;
}

bool is_healthy(const Status& status) {
    return std::ranges::none_of(status.parts, [](const Part& part) { return part.health == Health::unwell; });
}

std::string to_text(const Status& status, Look look) {
    std::vector<std::vector<Cell>> rows;
    for (const auto& part : status.parts)
        rows.push_back({{translated(part.name)},
                        {translated(part.state), colour_of(part.health)},
                        {local_time(part.since)},
                        {part.detail.empty() ? "-" : part.detail}});
    const std::string table = draw_table({tr("PART"), tr("STATE"), tr("SINCE"), tr("DETAIL")}, rows, look);
    return status.address.empty() ? table : fmt::format("{}\n\n{}", table, status.address);
}

Json to_json(const Status& status) {
    Json parts = Json::object();
    for (const auto& part : status.parts) {
        std::string key = part.name;
        std::ranges::replace(key, ' ', '_');
        Json& entry = parts[key] = {{"health", name_of(part.health)},
                                    {"state", part.state},
                                    {"since", json_time(part.since)},
                                    {"detail", part.detail},
                                    {"hint", part.hint.empty() ? Json() : Json(part.hint)}};
        entry.update(part.facts);
    }
    return {{"healthy", is_healthy(status)},
            {"address", status.address.empty() ? Json() : Json(status.address)},
            {"parts", std::move(parts)}};
}

Result<void> verdict(const Status& status) {
    std::string names;
    std::string hints;
    for (const auto& part : status.parts) {
        if (part.health != Health::unwell)
            continue;
        names += (names.empty() ? "" : ", ") + translated(part.name);
        hints += fmt::format("{}{}: {}", hints.empty() ? "" : "\n      ", translated(part.name), part.hint);
    }
    if (names.empty())
        return {};
    return fail(ErrorCode::unhealthy, tr("not well: {}", names), hints);
}

} // namespace commento
