#include "nginx/nginx.hpp"

#include "base/program.hpp"

namespace commento {

int nginx_main(int argc, char** argv) {
    Program program("commento-nginx", "");
    return program.run(argc, argv);
}

} // namespace commento
