// nginx, and TLS as readers meet it.

#include "base/files.hpp"
#include "base/process.hpp"
#include "base/translate.hpp"
#include "ctl/check.hpp"
#include "net/certificate.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <regex>

namespace commento {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 5s;
constexpr const char* kLoopback = "127.0.0.1";

HttpClient client_for(CheckedHost& host, int port) {
    HttpClient client({.connect = kPatience, .total = kPatience});
    client.resolve(host.settings().text("DOMAIN"), port, kLoopback);
    client.begin_with(preamble_of(host.settings()));
    return client;
}

std::string address_of(CheckedHost& host, const char* scheme, const char* key, const std::string& path) {
    return fmt::format("{}://{}:{}{}", scheme, host.settings().text("DOMAIN"), host.settings().number(key), path);
}

Remedy render() { return safely({"commentoctl", "reload"}); }

Finding look_whether_it_runs(CheckedHost& host) {
    const auto& nginx = host.facts().nginx;
    if (!nginx)
        return skipped(nginx.error().message);
    if (nginx->state.active == "active" || nginx->state.active == "reloading")
        return ok(tr("nginx.service is active"));
    return fault(tr("nginx.service is {}", nginx->state.active), safely({"systemctl", "start", "nginx.service"}));
}

/// The lines that say why, of what `nginx -t` prints.
std::string refusals_in(const std::string& output) {
    const std::regex emergency("\\[emerg\\][^\n]*");
    std::string lines;
    for (std::sregex_iterator found(output.begin(), output.end(), emergency); found != std::sregex_iterator(); ++found)
        lines += fmt::format("{}{}", lines.empty() ? "" : "\n", found->str());
    return lines.empty() ? output : lines;
}

Finding look_at_configuration(CheckedHost& /*host*/) {
    const auto tested = run_program({"nginx", "-t"}, 30s);
    if (!tested)
        return fault(tested.error().message, advise(tr("install the package nginx again")));
    if (tested->status == 0)
        return ok(tr("nginx accepts its configuration"));
    return fault(refusals_in(tested->output),
                 advise(tr("mend the file and line that it names; then: sudo commentoctl reload")));
}

/// What every reader meets first: the redirect of our site, and of no other site of the host.
Finding look_at_redirect(CheckedHost& host) {
    constexpr const char* kPath = "/doctor";
    constexpr int kMoved = 301;
    const auto answer = client_for(host, host.settings().number("HTTP_PORT"))
                            .send({.url = address_of(host, "http", "HTTP_PORT", kPath)});
    if (!answer)
        return fault(answer.error().message, render());
    const std::string wanted = host.settings().https_address() + kPath;
    if (answer->status == kMoved && answer->header("location") == wanted)
        return ok(tr("HTTP leads to HTTPS"));
    return fault(tr("port {} answers with status {} instead of leading to {}", host.settings().number("HTTP_PORT"),
                    answer->status, wanted),
                 render());
}

Finding look_at_login(CheckedHost& host) {
    constexpr int kOk = 200;
    HttpClient client = client_for(host, host.settings().number("HTTPS_PORT"));
    client.trust_only(host.paths().tls_chain());
    const auto answer =
        client.send({.url = address_of(host, "https", "HTTPS_PORT", host.settings().base_path() + "/login")});
    if (!answer)
        return fault(answer.error().message, render());
    if (answer->status == kOk)
        return ok(tr("the page /login comes over HTTPS"));
    return fault(tr("the page /login is answered by status {}", answer->status),
                 safely({"systemctl", "restart", "commento.service"}));
}

/// As commento-nginx render warns of it.
Finding look_at_connections(CheckedHost& /*host*/) {
    constexpr int kEnough = 4096;
    const auto dump = run_program({"nginx", "-T"}, 30s);
    std::smatch parts;
    if (!dump || dump->status != 0 ||
        !std::regex_search(dump->output, parts, std::regex("(^|\n)[ \t]*worker_connections[ \t]+(\\d{1,8})")))
        return skipped(tr("nginx does not tell"));
    const std::string digits = parts[2].str();
    int connections = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), connections);
    const std::string saw = tr("each worker takes {} connections", connections);
    if (connections >= kEnough)
        return ok(saw);
    return warning(
        tr("each worker takes {} connections, two for each reader who waits", connections),
        by_hand_all({{"sed", "-i", "s/worker_connections .*/worker_connections 16384;/", "/etc/nginx/nginx.conf"},
                     {"systemctl", "reload", "nginx.service"}}));
}

Finding look_at_served(CheckedHost& host) {
    const auto& disk = host.facts().certificate;
    if (!disk)
        return fault(disk.error().message, safely({"commentoctl", "cert", "bootstrap"}));
    for (const char* address : {kLoopback, "::1"}) {
        const auto served = served_certificate(address, host.settings().number("HTTPS_PORT"),
                                               host.settings().text("DOMAIN"), kPatience, preamble_of(host.settings()));
        if (!served && address == std::string_view("::1"))
            break; // hosts without IPv6
        if (!served)
            return fault(served.error().message, render());
        if (served->fingerprint != disk->fingerprint)
            return fault(
                tr("nginx serves the certificate {} at {} instead of {}", served->serial, address, disk->serial),
                safely({"commentoctl", "nginx", "reload"}));
    }
    return ok(tr("nginx serves the certificate {}", disk->serial));
}

/// As a browser does it: with this host's roots.
Finding look_whether_trusted(CheckedHost& host) {
    const auto& settings = host.settings();
    if (settings.text("TLS_MODE") == "selfsigned")
        return skipped(tr("TLS_MODE=selfsigned: no browser trusts it, as it is meant"));
    const auto answer =
        client_for(host, settings.number("HTTPS_PORT")).send({.url = address_of(host, "https", "HTTPS_PORT", "/")});
    if (answer)
        return ok(tr("the chain leads to a root that this host trusts"));
    const bool tries = settings.flag("TEST") || !settings.text("ACME_DIRECTORY").empty();
    if (host.facts().certificate && host.facts().certificate->self_signed)
        return fault(tr("the placeholder is served: browsers warn of it"), safely({"commentoctl", "cert", "renew"}));
    return warning(answer.error().message,
                   tries
                       ? advise(tr("with TEST=true or an authority of your own that is to be expected; for Let's "
                                   "Encrypt: sudo commentoctl setup --set TEST=false --set ACME_DIRECTORY= , then sudo "
                                   "commentoctl restart"))
                       : advise(tr("is the package ca-certificates up to date?")));
}

constexpr std::array kChecks{
    Check{"nginx.running", msgid("nginx runs"), look_whether_it_runs},
    Check{"nginx.configuration", msgid("nginx accepts its configuration"), look_at_configuration},
    Check{"nginx.redirect", msgid("HTTP leads to HTTPS"), look_at_redirect},
    Check{"nginx.page", msgid("A page comes through nginx"), look_at_login},
    Check{"nginx.connections", msgid("nginx takes enough connections"), look_at_connections},
    Check{"tls.served", msgid("nginx serves the certificate on disk"), look_at_served},
    Check{"tls.trusted", msgid("Browsers trust what is served"), look_whether_trusted},
};

} // namespace

std::span<const Check> web_checks() { return kChecks; }

} // namespace commento
