#pragma once
// What a connection to the front has to begin with, before anything else.

#include "config/settings.hpp"

namespace commento {

enum class Preamble {
    none,
    proxy_protocol, ///< a header of the PROXY protocol, version 1 (haproxy.org, proxy-protocol.txt)
};

inline Preamble preamble_of(const Settings& settings) {
    return settings.flag("PROXY_PROTOCOL") ? Preamble::proxy_protocol : Preamble::none;
}

} // namespace commento
