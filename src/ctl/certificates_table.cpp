#include "ctl/certificates_table.hpp"

#include "base/clock.hpp"
#include "base/translate.hpp"

#include <algorithm>
#include <array>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <utility>
#include <vector>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<Cell>;

constexpr const char* kNone = "-";

Json member(const Json& object, const char* name) { return object.value(name, Json()); }

std::string text_of(const Json& value) {
    if (value.is_null())
        return kNone;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    return text.empty() ? kNone : text;
}

std::string text_of(const Json& object, const char* name) { return text_of(member(object, name)); }

/// From UTC as programs write it (RFC 3339).
std::string time_of(const Json& object, const char* name) {
    const std::string text = text_of(object, name);
    const auto moment = parse_utc_time(text);
    return moment ? fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(*moment)) : text;
}

std::vector<std::string> names_of(const Json& certificate, const char* which) {
    std::vector<std::string> names;
    for (const auto& name : member(certificate, which))
        names.push_back(text_of(name));
    return names;
}

/// The first ones, and how many there are besides.
std::string few(const std::vector<std::string>& names, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
        text += (text.empty() ? "" : " ") + names[i];
    if (names.size() > most)
        text += fmt::format(" +{}", names.size() - most);
    return text.empty() ? kNone : text;
}

std::string all(const std::vector<std::string>& names) { return few(names, names.size()); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

Cell state_of(const Json& certificate) {
    // commento-cert's own words.
    [[maybe_unused]] static constexpr std::array kWords{msgid("valid"), msgid("placeholder"), msgid("expired"),
                                                        msgid("missing"), msgid("faulty settings")};
    std::string state = text_of(certificate, "state");
    const Colour colour = state == "valid" ? Colour::good : state == "placeholder" ? Colour::doubtful : Colour::bad;
    return {translated(state), colour};
}

/// Files of the operator are renewed by the operator.
bool renews_itself(const Json& certificate) { return member(certificate, "source") != "files"; }

std::string renewal_of(const Json& certificate) {
    if (!renews_itself(certificate))
        return kNone;
    return time_of(certificate, "renewal") + (member(certificate, "renewal_window").is_null() ? "" : " (ARI)");
}

std::string description_of(const Json& failure) {
    const Json count = member(failure, "failures");
    const std::string message = text_of(failure, "message");
    return count == 1 ? tr("failed once: {}", message) : tr("failed {} times: {}", text_of(count), message);
}

std::string next_try_of(const Json& failure) {
    return member(failure, "next_try").is_null() ? tr("when the timer elapses")
                                                 : tr("after {}", time_of(failure, "next_try"));
}

Cell last_result_of(const Json& certificate) {
    const Json failures = member(certificate, "failures");
    if (!failures.empty())
        return {tr("{}; next try {}", first_line(description_of(failures.front())), next_try_of(failures.front())),
                Colour::bad};
    if (!member(certificate, "set_aside").is_null())
        return {tr("nginx did not serve generation {}", text_of(certificate, "set_aside")), Colour::bad};
    if (member(certificate, "state") == "faulty settings")
        return {first_line(text_of(certificate, "due")), Colour::bad};
    return {member(certificate, "generation").is_null() ? kNone : "ok"};
}

Row row_of(const Json& certificate) {
    constexpr std::size_t kFew = 2;
    const auto names = names_of(certificate, certificate.contains("names") ? "names" : "wanted_names");
    return {{text_of(certificate, "name")},
            {few(names, kFew)},
            state_of(certificate),
            {text_of(certificate, "days_left")},
            {text_of(certificate, "key_type")},
            {text_of(certificate, "issuer")},
            {renewal_of(certificate)},
            last_result_of(certificate)};
}

/// Rows of facts; those that are not known are left out.
class Facts {
  public:
    void add(const char* fact, Cell value) {
        if (value.text != kNone)
            rows_.push_back({{translated(fact)}, std::move(value)});
    }
    const std::vector<Row>& rows() const { return rows_; }

  private:
    std::vector<Row> rows_{};
};

void add_content(Facts& facts, const Json& certificate) {
    facts.add(msgid("names"), {all(names_of(certificate, "names"))});
    facts.add(msgid("asked for"), {all(names_of(certificate, "wanted_names"))});
    for (const auto& [fact, name] : {std::pair{msgid("source"), "source"},
                                     {msgid("authority"), "directory"},
                                     {msgid("profile"), "profile"},
                                     {msgid("issuer"), "issuer"},
                                     {msgid("serial"), "serial"},
                                     {msgid("SHA-256"), "fingerprint"},
                                     {msgid("key"), "key_type"}})
        facts.add(fact, {text_of(certificate, name)});
    facts.add(msgid("valid from"), {time_of(certificate, "not_before")});
    facts.add(msgid("valid until"), {time_of(certificate, "not_after")});
    facts.add(msgid("days left"), {text_of(certificate, "days_left")});
}

void add_renewal(Facts& facts, const Json& certificate) {
    facts.add(msgid("renewal"), {renewal_of(certificate)});
    if (const Json window = member(certificate, "renewal_window"); !window.is_null()) {
        facts.add(msgid("ARI window"), {tr("{} to {}", time_of(window, "start"), time_of(window, "end"))});
        facts.add(msgid("ARI says"), {text_of(window, "explanation")});
    }
    const std::string due = text_of(certificate, "due");
    facts.add(msgid("due"), due == kNone ? Cell{tr("no")} : Cell{tr("yes: {}", due), Colour::doubtful});
    facts.add(msgid("set aside"), {text_of(certificate, "set_aside"), Colour::bad});
    for (const auto& failure : member(certificate, "failures")) {
        facts.add(msgid("last failure"), {fmt::format("{}, {} {}", time_of(failure, "failed_at"),
                                                      text_of(failure, "directory"), description_of(failure)),
                                          Colour::bad});
        facts.add(msgid("next try"), {next_try_of(failure)});
    }
}

void add_files(Facts& facts, const Json& certificate) {
    const Json generation = member(certificate, "generation");
    if (generation.is_null())
        return;
    const std::string folder = text_of(certificate, "folder");
    facts.add(msgid("generation"), {text_of(generation)});
    facts.add(msgid("chain file"), {folder + "/fullchain.pem"});
    facts.add(msgid("key file"), {folder + "/privkey.pem"});
}

} // namespace

Result<Json> parse_objects(std::string_view text) {
    Json parsed = Json::parse(text, nullptr, false);
    const bool fits = parsed.is_array() && std::ranges::all_of(parsed, [](const Json& one) { return one.is_object(); });
    if (!fits)
        return fail(ErrorCode::internal, tr("commento-cert printed no JSON array of objects"),
                    tr("are both programs of one version? commento-cert --version"));
    return parsed;
}

std::string certificates_table(const Json& certificates, Look look) {
    std::vector<Row> rows;
    for (const auto& certificate : certificates)
        rows.push_back(row_of(certificate));
    return draw_table({tr("NAME"), tr("NAMES"), tr("STATE"), tr("DAYS LEFT"), tr("KEY"), tr("ISSUER"), tr("RENEWAL"),
                       tr("LAST RESULT")},
                      rows, look);
}

std::string certificate_facts(const Json& certificates, Look look) {
    std::string text;
    for (const auto& certificate : certificates) {
        Facts facts;
        facts.add(msgid("name"), {text_of(certificate, "name")});
        facts.add(msgid("state"), state_of(certificate));
        add_content(facts, certificate);
        add_renewal(facts, certificate);
        add_files(facts, certificate);
        text += (text.empty() ? "" : "\n\n") + draw_table({tr("FACT"), tr("VALUE")}, facts.rows(), look);
    }
    return text;
}

std::string accounts_table(const Json& accounts, Look look) {
    if (accounts.empty())
        return tr("there is no account yet; the first certificate from an authority makes one");
    std::vector<Row> rows;
    for (const auto& account : accounts) {
        Row row;
        for (const char* name : {"directory", "url", "email", "key_type", "terms"})
            row.push_back({text_of(account, name)});
        rows.push_back(std::move(row));
    }
    return draw_table({tr("DIRECTORY"), tr("ACCOUNT"), tr("EMAIL"), tr("KEY"), tr("TERMS")}, rows, look);
}

} // namespace commento
