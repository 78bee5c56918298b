#include "app.hpp"

#include "database_address.hpp"
#include "failure.hpp"
#include "log.hpp"
#include "migrations.hpp"
#include "server.hpp"

#include <csignal>
#include <cstdio>
#include <unistd.h>

namespace standin {

namespace {

// SIGTERM keeps its default disposition, so a request in flight is cut; only SIGINT is caught, as in the application.
void exit_with_1_on_sigint() {
    log(Level::info, "setting up SIGINT cleanup");
    struct sigaction action = {};
    action.sa_handler = [](int) { _exit(1); };
    sigaction(SIGINT, &action, nullptr);
}

void start(const std::string& program) {
    log(Level::info, "starting the stand-in of Commento " + std::string(version));
    const Settings settings = read_settings(program);
    Pool pool(parse_database_address(settings.postgres), settings.max_idle_connections);
    connect_with_patience(pool);
    migrate(pool, settings.static_folder / "db");
    check_mail_settings(settings);
    check_mail_templates(settings);
    check_oauth_settings(settings);
    exit_with_1_on_sigint();
    const Pages pages = load_pages(settings);
    Hub hub;
    serve(App{settings, pool, pages, hub});
}

} // namespace

int run(const std::string& program) {
    try {
        start(program);
    } catch (const std::exception& error) {
        std::printf("fatal error: %s\n", error.what());
    }
    return 1;
}

} // namespace standin
