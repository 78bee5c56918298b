#include "nginx/render.hpp"

#include "base/files.hpp"
#include "config/serving.hpp"
#include "nginx/host.hpp"
#include "nginx/site.hpp"
#include "nginx/site_file.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

Result<void> require_certificate(const Paths& paths) {
    for (const auto& file : {paths.tls_chain(), paths.tls_key()}) {
        std::error_code unreadable;
        if (!std::filesystem::exists(file, unreadable))
            return fail(ErrorCode::web, fmt::format("nginx needs a certificate, and there is no {}", file.string()),
                        "systemctl start commento-cert-bootstrap makes a first one");
    }
    return {};
}

Result<std::string> render_for(const Settings& settings, const Paths& paths, const Host& host) {
    COMMENTO_ASSIGN(const Certificate certificate, read_certificate(paths.tls_chain()));
    const auto file = paths.site_templates() / "commento-stack.conf.in";
    const std::string hint = "install the package commento-stack again";
    const auto site_template = read_file(file);
    if (!site_template)
        return fail(site_template.error().code, site_template.error().message, hint);
    auto text =
        render_site(*site_template, describe_site(settings, paths, host, certificate, beside_port(paths).value_or(0)));
    if (!text)
        return fail(text.error().code, fmt::format("{}: {}", file.string(), text.error().message), hint);
    return text;
}

/// A running nginx holds the ports itself; whether it got them, commento-nginx reload finds out.
Result<void> require_ports(const Settings& settings, const Host& host) {
    const int https = settings.number("HTTPS_PORT");
    std::vector<Port> ports{{settings.number("HTTP_PORT")}, {https}};
    if (host.http3 && settings.flag("HTTP3"))
        ports.push_back({https, Transport::udp});
    return check_ports_free(ports, host.ipv6 ? Reach::ipv4_and_ipv6 : Reach::ipv4);
}

/// Debian's 768 for each worker are 384 readers at once, and as many slow ones keep all others out.
void advise_on_connections(const Host& host) {
    constexpr int kEnough = 4096;
    if (host.connections == 0 || host.connections >= kEnough)
        return;
    spdlog::warn(
        "each worker of nginx takes {} connections, two for each reader who waits for the application; to take "
        "more, set worker_connections 16384; in the events block of /etc/nginx/nginx.conf, then: "
        "systemctl reload nginx",
        host.connections);
}

Result<bool> confirm_unchanged(const Paths& paths) {
    if (const auto accepted = test_configuration(); !accepted)
        return tl::unexpected(explain_refusal(paths, accepted.error().message));
    spdlog::info("{} is as the settings ask: nothing to do", paths.nginx_site().string());
    return false;
}

} // namespace

Result<bool> update_site(const Paths& paths, const Settings& settings, Units& units) {
    COMMENTO_ASSIGN(const Fd lock, lock_site(paths));
    COMMENTO_CHECK(require_certificate(paths));
    COMMENTO_CHECK(undo_unfinished(paths));
    COMMENTO_ASSIGN(const Host host, look_at_host());
    advise_on_connections(host);
    COMMENTO_ASSIGN(const std::string text, render_for(settings, paths, host));

    COMMENTO_ASSIGN(const bool runs, nginx_runs(units));
    if (!runs)
        COMMENTO_CHECK(require_ports(settings, host));
    COMMENTO_ASSIGN(const std::string present, read_site(paths));
    if (present == text)
        return confirm_unchanged(paths);

    COMMENTO_CHECK(replace_site(paths, text, test_configuration));
    spdlog::info("wrote {} for {}, ports {} and {}", paths.nginx_site().string(), settings.text("DOMAIN"),
                 settings.text("HTTP_PORT"), settings.text("HTTPS_PORT"));
    return true;
}

Result<void> render(const Paths& paths) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_ASSIGN(Units units, Units::connect());
    COMMENTO_ASSIGN(const bool changed, update_site(paths, settings, units));
    COMMENTO_ASSIGN(const bool runs, nginx_runs(units));
    if (!changed || !runs)
        return {};
    COMMENTO_CHECK(note_leaving_workers(paths, units));
    return units.queue_job("ReloadUnit", kNginxService);
}

} // namespace commento
