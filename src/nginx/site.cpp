#include "nginx/site.hpp"

#include "base/hex.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <kainjow/mustache.hpp>
#include <openssl/evp.h>
#include <span>

namespace commento {
namespace {

namespace mustache = kainjow::mustache;

constexpr NginxVersion kHttp2Directive{1, 25, 1}; // nginx's CHANGES
constexpr NginxVersion kRotatesTickets{1, 23, 2}; // nginx's CHANGES
constexpr std::size_t kMarkBytes = 8;
constexpr std::string_view kBeforeMark = "return 200 \"";

/// A name as requests have it in their Host.
std::string host_of(const std::string& name) { return name.find(':') == std::string::npos ? name : "[" + name + "]"; }

std::vector<std::string> hosts_of(std::vector<std::string> names) {
    std::ranges::transform(names, names.begin(), host_of);
    return names;
}

/// A text as a regular expression that matches it and nothing else.
std::string pattern_for(std::string_view text) {
    std::string pattern;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '/')
            pattern += '\\';
        pattern += c;
    }
    return pattern;
}

mustache::data list_of(const std::vector<std::string>& items) {
    mustache::data list(mustache::data::type::list);
    for (const auto& item : items)
        list << mustache::data(item);
    return list;
}

/// The member of the access log that tells who asked.
std::string address_member(const std::string& logged_address) {
    if (logged_address == "none")
        return {};
    return logged_address == "shortened" ? R"("address":"$commento_address",)" : R"("address":"$remote_addr",)";
}

mustache::data values_of(const Site& site, const std::string& mark) {
    mustache::data values;
    const auto set_flag = [&](const char* name, bool value) { values.set(name, mustache::data(value)); };
    values.set("names", site.names);
    set_flag("redirects", !site.redirect_names.empty());
    values.set("leads_away", list_of(site.redirect_names));
    values.set("readers_address", site.readers_address);
    values.set("base", site.base);
    values.set("base_pattern", pattern_for(site.base));
    values.set("http_port", std::to_string(site.http_port));
    values.set("https_port", std::to_string(site.https_port));
    values.set("application_port", std::to_string(site.application_port));
    if (site.beside_port != 0)
        values.set("beside_port", std::to_string(site.beside_port));
    set_flag("ipv6", site.ipv6);
    set_flag("http2_directive", site.http2_directive);
    set_flag("http3", site.http3);
    set_flag("rotates_tickets", site.rotates_tickets);
    set_flag("brotli", site.brotli);
    set_flag("stapling", site.stapling);
    set_flag("modern", site.modern);
    if (site.hsts_seconds > 0)
        values.set("hsts", std::to_string(site.hsts_seconds));
    set_flag("proxy_protocol", site.proxy_protocol);
    set_flag("has_trusted", !site.trusted_proxies.empty());
    values.set("trusted", list_of(site.trusted_proxies));
    values.set("real_ip_header", site.real_ip_header);
    set_flag("rate_limits", site.rate_limits);
    set_flag("shortens_addresses", site.logged_address == "shortened");
    values.set("address_member", address_member(site.logged_address));
    values.set("health_from", list_of(site.health_from));
    values.set("certificate", site.certificate.string());
    values.set("key", site.key.string());
    values.set("webroot", site.webroot.string());
    values.set("static", site.static_files.string());
    values.set("error_pages", site.error_pages.string());
    values.set("log_file", site.log_file.string());
    values.set("status_socket", site.status_socket.string());
    values.set("health_socket", site.health_socket.string());
    values.set("mark_path", kMarkPath);
    values.set("mark", mark);
    return values;
}

/// Without the lines that sections leave behind.
std::string with_single_blank_lines(std::string text) {
    for (std::size_t at = 0; (at = text.find("\n\n\n", at)) != std::string::npos;)
        text.erase(at, 1);
    return text;
}

std::string mark_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return to_hex(std::span(digest).first<kMarkBytes>());
}

} // namespace

Site describe_site(const Settings& settings, const Paths& paths, const Host& host, const Certificate& certificate,
                   int beside_port) {
    const bool proxy_protocol = settings.flag("PROXY_PROTOCOL");
    return {.names = fmt::format("{}", fmt::join(hosts_of(settings.site_names()), " ")),
            .redirect_names = hosts_of(settings.redirect_names()),
            .readers_address = settings.https_address(),
            .base = settings.base_path(),
            .http_port = settings.number("HTTP_PORT"),
            .https_port = settings.number("HTTPS_PORT"),
            .application_port = settings.number("COMMENTO_PORT"),
            .beside_port = beside_port,
            .ipv6 = host.ipv6,
            .http2_directive = host.nginx >= kHttp2Directive,
            .http3 = host.http3 && settings.flag("HTTP3"),
            .rotates_tickets = host.nginx >= kRotatesTickets,
            .brotli = host.brotli,
            .stapling = certificate.names_responder,
            .modern = settings.text("TLS_PROFILE") == "modern",
            .hsts_seconds = settings.number("HSTS_SECONDS"),
            .proxy_protocol = proxy_protocol,
            .trusted_proxies = words_in(settings.text("TRUSTED_PROXIES")),
            .real_ip_header = proxy_protocol ? "proxy_protocol" : settings.text("REAL_IP_HEADER"),
            .rate_limits = settings.flag("RATE_LIMITS"),
            .logged_address = settings.text("ACCESS_LOG_ADDRESS"),
            .health_from = words_in(settings.text("HEALTHZ_ALLOW")),
            .certificate = paths.tls_chain(),
            .key = paths.tls_key(),
            .webroot = paths.acme_webroot(),
            .static_files = paths.static_live(),
            .error_pages = paths.error_pages(),
            .log_file = paths.nginx_log(),
            .status_socket = paths.nginx_status(),
            .health_socket = paths.health()};
}

Result<std::string> render_site(const std::string& site_template, const Site& site) {
    mustache::mustache renderer(site_template);
    if (!renderer.is_valid())
        return fail(ErrorCode::web, renderer.error_message());
    renderer.set_custom_escape([](const std::string& text) { return text; }); // the library's own is for HTML
    const std::string mark = mark_of(renderer.render(values_of(site, "")));
    return with_single_blank_lines(renderer.render(values_of(site, mark)));
}

bool staples(std::string_view text) { return text.find("ssl_stapling on;") != std::string_view::npos; }

std::string mark_in(std::string_view text) {
    const auto before = text.find(kBeforeMark);
    if (before == std::string_view::npos)
        return {};
    const auto mark = text.substr(before + kBeforeMark.size());
    return std::string(mark.substr(0, mark.find('\\')));
}

} // namespace commento
