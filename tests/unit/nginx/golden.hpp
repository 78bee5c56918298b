#pragma once
// The golden trees of tests/golden/nginx: `in` holds the settings, `out` the site they give on that host.

#include "base/files.hpp"
#include "nginx/site.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <ostream>
#include <string>
#include <vector>

struct Golden {
    const char* name;
    commento::Host host;
    bool names_responder = false;

    std::filesystem::path folder() const { return std::filesystem::path(SOURCE_DIR) / "tests/golden/nginx" / name; }
    commento::Paths in() const { return {folder() / "in"}; }
    commento::Paths out() const { return {folder() / "out"}; }
};

inline std::ostream& operator<<(std::ostream& stream, const Golden& golden) { return stream << golden.name; }

inline std::vector<Golden> all_golden() {
    constexpr commento::NginxVersion kDebian12{1, 22, 1};
    constexpr commento::NginxVersion kDebian13{1, 26, 3};
    return {{"debian-12", {kDebian12, true}},     {"debian-13", {kDebian13, true, true, true}},
            {"without-ipv6", {kDebian12, false}}, {"other-ports", {kDebian13, false, true}},
            {"other-origin", {kDebian12, true}},  {"further-names", {kDebian12, true}},
            {"behind-a-cdn", {kDebian12, true}},  {"behind-a-balancer", {kDebian13, true}},
            {"strict", {kDebian12, true}, true},  {"former-names", {kDebian13, true, true, true}}};
}

/// Of which only that counts for the site.
inline commento::Certificate certificate_that(bool names_responder) {
    commento::Certificate certificate{};
    certificate.names_responder = names_responder;
    return certificate;
}

inline std::string shipped_template() {
    return *commento::read_file(std::filesystem::path(SOURCE_DIR) / "nginx/commento-stack.conf.in");
}
