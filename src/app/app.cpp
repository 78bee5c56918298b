#include "app/app.hpp"

#include "base/program.hpp"

namespace commento {

int app_main(int argc, char** argv) {
    Program program("commento-app", "");
    return program.run(argc, argv);
}

} // namespace commento
