#pragma once
// The site as text: what the settings ask of nginx, filled into the template. Touches no file.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "nginx/host.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace commento {

struct Site {
    std::string names; ///< DOMAIN and TLS_NAMES, as server_name has them
    std::string origin;
    int http_port;
    int https_port;
    int application_port;
    bool ipv6;
    bool http2_directive; ///< `http2 on;` (nginx from 1.25.1) instead of the listen parameter
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path webroot;
};

Site describe_site(const Settings& settings, const Paths& paths, const Host& host);

/// Where the HTTP server answers with the mark of the rendering that nginx has loaded.
inline constexpr const char* kMarkPath = "/.well-known/acme-challenge/commento-stack-site";

/// The site's text. It holds a mark, made from the SHA-256 of the text without it. ErrorCode::web when the template
/// does not parse.
Result<std::string> render_site(const std::string& site_template, const Site& site);

/// The mark that a rendered text holds; empty when it is no rendering.
std::string mark_in(std::string_view text);

} // namespace commento
