#include "ctl/facts.hpp"

#include "base/files.hpp"
#include "base/translate.hpp"
#include "config/serving.hpp"
#include "ctl/database.hpp"
#include "ctl/settings_files.hpp"
#include "net/http.hpp"

#include <ctime>
#include <fmt/format.h>

namespace commento {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{2000};

Result<UnitFacts> find_unit(Result<Units>& units, const std::string& name) {
    if (!units)
        return tl::unexpected(units.error());
    COMMENTO_ASSIGN(UnitState state, units->state(name));
    const bool failed = !state.result.empty() && state.result != "success";
    return UnitFacts{state, failed ? last_words(name, state.invocation) : std::nullopt};
}

Result<TimerState> find_runs(Result<Units>& units, const std::string& name) {
    if (!units)
        return tl::unexpected(units.error());
    return units->timer(name);
}

std::string find_release(const Paths& paths) {
    return std::filesystem::path(link_target(paths.app_current())).filename();
}

Result<std::chrono::microseconds> time_answer(const Settings& settings, int port) {
    constexpr int kOk = 200;
    HttpClient client({.connect = kPatience, .total = kPatience});
    const std::string application = client.reach_here(port) + settings.base_path();
    const auto begin = std::chrono::steady_clock::now();
    COMMENTO_ASSIGN(const HttpResponse answer, client.send({.url = application + "/login"}));
    const auto end = std::chrono::steady_clock::now();
    if (answer.status != kOk)
        return fail(ErrorCode::application, tr("GET /login is answered by status {}", answer.status));
    return std::chrono::duration_cast<std::chrono::microseconds>(end - begin);
}

} // namespace

Facts find_facts(const Paths& paths) {
    auto settings = read_settings_files(paths).map([&](const SettingsFiles& files) { return examine(files, paths); });
    const Settings known = settings ? settings->settings : Settings::examine("", "", paths).settings;
    auto units = Units::connect();
    return Facts{
        .settings = std::move(settings),
        .target = find_unit(units, "commento.target"),
        .application = find_unit(units, "commento.service"),
        .install = find_unit(units, "commento-app-install.service"),
        .provision = find_unit(units, "commento-db-provision.service"),
        .pool = find_unit(units, "commento-db-pool.service"),
        .follow = find_unit(units, "commento-db-follow.service"),
        .guard = find_unit(units, "commento-db-guard.service"),
        .nginx = find_unit(units, "nginx.service"),
        .render = find_unit(units, "commento-nginx-render.service"),
        .renew = find_unit(units, "commento-cert-renew.service"),
        .timer = find_unit(units, "commento-cert-renew.timer"),
        .runs = find_runs(units, "commento-cert-renew.timer"),
        .certificate = read_certificate(paths.tls_chain()),
        .served = served_certificate("127.0.0.1", known.number("HTTPS_PORT"), known.text("DOMAIN"), kPatience,
                                     preamble_of(known)),
        .database = ask_database(paths, known),
        .release = find_release(paths),
        .answer = time_answer(known, serving_port(paths, known)),
        .now = std::time(nullptr),
    };
}

} // namespace commento
