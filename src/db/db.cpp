#include "db/db.hpp"

#include "base/program.hpp"
#include "db/provision.hpp"

namespace commento {
namespace {

Result<void> run_provision() {
    const Paths paths;
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    return provision(paths, settings);
}

} // namespace

int db_main(int argc, char** argv) {
    Program program("commento-db", "The comment server's role and database in PostgreSQL");
    program.verb("provision", "Make role and database where they are missing", run_provision);
    return program.run(argc, argv);
}

} // namespace commento
