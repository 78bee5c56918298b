#include "cert/cert.hpp"

#include "base/program.hpp"

namespace commento {

int cert_main(int argc, char** argv) {
    Program program("commento-cert", "");
    return program.run(argc, argv);
}

} // namespace commento
