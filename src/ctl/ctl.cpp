#include "ctl/ctl.hpp"

#include "base/program.hpp"

namespace commento {

int ctl_main(int argc, char** argv) {
    Program program("commentoctl", "");
    return program.run(argc, argv);
}

} // namespace commento
