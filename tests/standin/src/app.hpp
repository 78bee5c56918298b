#pragma once

#include "database.hpp"
#include "pages.hpp"
#include "settings.hpp"
#include "websocket.hpp"

#include <string>

namespace standin {

/// What every request may use.
struct App {
    const Settings& settings;
    Pool& pool;
    const Pages& pages;
    Hub& hub;
};

/// Runs the program; `program` is argv[0] as it was given. Returns the exit code: 1, always, because
/// nothing but a failure or a signal ever ends it.
int run(const std::string& program);

} // namespace standin
