#include "db/db.hpp"

#include "base/program.hpp"

namespace commento {

int db_main(int argc, char** argv) {
    Program program("commento-db", "");
    return program.run(argc, argv);
}

} // namespace commento
