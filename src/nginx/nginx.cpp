#include "nginx/nginx.hpp"

#include "base/program.hpp"
#include "nginx/reload.hpp"
#include "nginx/render.hpp"
#include "nginx/static.hpp"
#include "nginx/withdraw.hpp"

namespace commento {

int nginx_main(int argc, char** argv) {
    const Paths paths;
    Program program("commento-nginx", "Puts commento-stack's site into nginx and keeps it served.");
    program.verb("render", "Write the site, if nginx accepts it", [&] { return render(paths); });
    program.verb("reload", "Have nginx serve the site and certificate on disk", [&] { return reload(paths); });
    program.verb("static", "Render the application's static files for nginx", [&] { return render_static(paths); });
    program.verb("withdraw", "Take the site out of nginx", [&] { return withdraw(paths); });
    return program.run(argc, argv);
}

} // namespace commento
