#include "nginx/site.hpp"

#include "base/hex.hpp"

#include <array>
#include <cstddef>
#include <fmt/format.h>
#include <kainjow/mustache.hpp>
#include <openssl/evp.h>
#include <span>

namespace commento {
namespace {

namespace mustache = kainjow::mustache;

constexpr NginxVersion kHttp2Directive{1, 25, 1}; // nginx's CHANGES
constexpr std::size_t kMarkBytes = 8;
constexpr std::string_view kBeforeMark = "return 200 \"";

/// A name as requests have it in their Host.
std::string host_of(const std::string& name) { return name.find(':') == std::string::npos ? name : "[" + name + "]"; }

std::string server_names(const Settings& settings) {
    std::string names;
    for (const auto& name : settings.certificate_names())
        names += fmt::format("{}{}", names.empty() ? "" : " ", host_of(name));
    return names;
}

mustache::data values_of(const Site& site, const std::string& mark) {
    mustache::data values;
    values.set("names", site.names);
    values.set("origin", site.origin);
    values.set("http_port", std::to_string(site.http_port));
    values.set("https_port", std::to_string(site.https_port));
    values.set("application_port", std::to_string(site.application_port));
    values.set("ipv6", mustache::data(site.ipv6));
    values.set("http2_directive", mustache::data(site.http2_directive));
    values.set("certificate", site.certificate.string());
    values.set("key", site.key.string());
    values.set("webroot", site.webroot.string());
    values.set("mark_path", kMarkPath);
    values.set("mark", mark);
    return values;
}

std::string mark_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return to_hex(std::span(digest).first<kMarkBytes>());
}

} // namespace

Site describe_site(const Settings& settings, const Paths& paths, const Host& host) {
    return {.names = server_names(settings),
            .origin = settings.origin(),
            .http_port = settings.number("HTTP_PORT"),
            .https_port = settings.number("HTTPS_PORT"),
            .application_port = settings.number("COMMENTO_PORT"),
            .ipv6 = host.ipv6,
            .http2_directive = host.nginx >= kHttp2Directive,
            .certificate = paths.tls_chain(),
            .key = paths.tls_key(),
            .webroot = paths.acme_webroot()};
}

Result<std::string> render_site(const std::string& site_template, const Site& site) {
    mustache::mustache renderer(site_template);
    if (!renderer.is_valid())
        return fail(ErrorCode::web, renderer.error_message());
    renderer.set_custom_escape([](const std::string& text) { return text; }); // the library's own is for HTML
    const std::string mark = mark_of(renderer.render(values_of(site, "")));
    return renderer.render(values_of(site, mark));
}

std::string mark_in(std::string_view text) {
    const auto before = text.find(kBeforeMark);
    if (before == std::string_view::npos)
        return {};
    const auto mark = text.substr(before + kBeforeMark.size());
    return std::string(mark.substr(0, mark.find('\\')));
}

} // namespace commento
