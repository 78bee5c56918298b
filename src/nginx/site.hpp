#pragma once
// The site as text: what the settings ask of nginx, filled into the template. Touches no file.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "net/certificate.hpp"
#include "nginx/host.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct Site {
    std::string names;                       ///< DOMAIN and TLS_NAMES, as server_name has them
    std::vector<std::string> redirect_names; ///< REDIRECT_NAMES, likewise
    std::string readers_address;             ///< where readers are sent who come without HTTPS
    std::string base;                        ///< path that comes before every address of the application; mostly empty
    int http_port;
    int https_port;
    int application_port;
    int beside_port = 0; ///< of a release that serves beside it, during a changeover; 0: none
    bool ipv6;
    bool http2_directive; ///< `http2 on;` (nginx from 1.25.1) instead of the listen parameter
    bool http3;
    bool rotates_tickets; ///< nginx makes new ticket keys by itself (from 1.23.2)
    bool brotli;
    bool stapling;
    bool modern;      ///< TLS 1.3 alone
    int hsts_seconds; ///< 0: without HSTS
    bool proxy_protocol;
    std::vector<std::string> trusted_proxies;
    std::string real_ip_header;
    bool rate_limits;
    std::string logged_address; ///< ACCESS_LOG_ADDRESS
    std::vector<std::string> health_from;
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path webroot;
    std::filesystem::path static_files;
    std::filesystem::path error_pages;
    std::filesystem::path log_file;
    std::filesystem::path status_socket;
    std::filesystem::path health_socket;
};

/// `beside_port`: as beside_port() of config/serving.hpp has it.
Site describe_site(const Settings& settings, const Paths& paths, const Host& host, const Certificate& certificate,
                   int beside_port = 0);

/// Where the HTTP server answers with the mark of the rendering that nginx has loaded.
inline constexpr const char* kMarkPath = "/.well-known/acme-challenge/commento-stack-site";

/// The site's text. It holds a mark, made from the SHA-256 of the text without it. ErrorCode::web when the template
/// does not parse.
Result<std::string> render_site(const std::string& site_template, const Site& site);

/// Whether a rendered text has nginx staple OCSP responses.
bool staples(std::string_view text);

/// The mark that a rendered text holds; empty when it is no rendering.
std::string mark_in(std::string_view text);

} // namespace commento
