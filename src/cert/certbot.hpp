#pragma once
#include "cert/foreign.hpp"

namespace commento {

/// What certbot keeps in its configuration folder, /etc/letsencrypt by default. Layout: certbot 2.1.0, looked at, and
/// its manual ("Where are my certificates?").
Foreign read_certbot(const std::filesystem::path& folder);

} // namespace commento
