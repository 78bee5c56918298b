#include "cert/advice.hpp"

#include "acme/json.hpp"
#include "base/files.hpp"
#include "cert/store.hpp"

#include <fmt/format.h>
#include <random>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

using nlohmann::json;

constexpr std::int64_t kHour = 3600;
constexpr mode_t kFolder = 0755;
constexpr mode_t kFile = 0644; // commentoctl shows it

std::filesystem::path file_of(const Site& site) { return site.state / "renewal.json"; }

Result<void> save(const Site& site, const Advice& advice) {
    COMMENTO_CHECK(make_folder(site.state, kFolder));
    COMMENTO_CHECK(update_file(file_of(site), to_text(advice), kFile));
    return {};
}

std::int64_t choose(std::int64_t start, std::int64_t end) {
    std::random_device chance;
    return std::uniform_int_distribution<std::int64_t>(start, end)(chance);
}

Advice advice_for(const Generation& live, const RenewalWindow& window, const std::optional<Advice>& former) {
    const bool same = former && former->start == window.start && former->end == window.end;
    return {live.fingerprint, window.start,      window.end, same ? former->chosen : choose(window.start, window.end),
            window.ask_again, window.explanation};
}

} // namespace

std::string to_text(const Advice& advice) {
    const json text = {
        {"fingerprint", advice.fingerprint}, {"start", advice.start},         {"end", advice.end},
        {"chosen", advice.chosen},           {"ask_again", advice.ask_again}, {"explanation", advice.explanation}};
    return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::optional<Advice> advice_from(std::string_view text) {
    const auto stored = parse_object(text);
    if (!stored)
        return std::nullopt;
    try {
        return Advice{stored->at("fingerprint").get<std::string>(), stored->at("start").get<std::int64_t>(),
                      stored->at("end").get<std::int64_t>(),        stored->at("chosen").get<std::int64_t>(),
                      stored->at("ask_again").get<std::int64_t>(),  stored->at("explanation").get<std::string>()};
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

std::optional<Advice> last_advice(const Site& site, const Generation& generation) {
    // Most authorities give none, and their certificates need no look at a file.
    if (generation.facts.renewal_info.empty())
        return std::nullopt;
    const auto text = read_file(file_of(site));
    auto advice = text ? advice_from(*text) : std::nullopt;
    return advice && advice->fingerprint == generation.fingerprint ? advice : std::nullopt;
}

HttpClient& Adviser::client_for(const Site& site) {
    const std::string& file = site.settings->text("ACME_CA_FILE");
    const auto [entry, fresh] = clients_.try_emplace(file);
    if (fresh && !file.empty())
        entry->second.trust_only(file);
    return entry->second;
}

std::optional<Advice> Adviser::ask(const Site& site, const Generation& live, std::int64_t now) {
    const std::string& address = live.facts.renewal_info;
    auto former = last_advice(site, live);
    if (address.empty() || (former && now < former->ask_again) || silent_.contains(address))
        return former;
    const auto pair = read_pair(site.store, live);
    const std::string identifier = pair ? renewal_identifier(pair->chain) : std::string();
    if (identifier.empty())
        return former;
    const auto window = ask_renewal_window(client_for(site), address, identifier);
    if (!window) {
        spdlog::warn("{}; ignoring it, {} is renewed by its age", window.error().message, site.name);
        silent_.insert(address);
    }
    Advice advice =
        window ? advice_for(live, *window, former) : former.value_or(Advice{live.fingerprint, 0, 0, 0, 0, {}});
    if (!window)
        advice.ask_again = now + kHour;
    if (const auto saved = save(site, advice); !saved)
        spdlog::warn("{}; the authority's advice is not remembered", saved.error().message);
    return advice;
}

} // namespace commento
