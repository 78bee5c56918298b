#include "cert/cert.hpp"

#include "base/program.hpp"
#include "cert/bootstrap.hpp"
#include "cert/renew.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

/// Files that root made in the store could not be read by the units' runs any more.
Result<void> check_user(const Paths& paths) {
    struct stat status {};
    if (::stat(paths.tls().c_str(), &status) != 0 || status.st_uid == ::geteuid())
        return {};
    return fail(ErrorCode::permission, paths.tls().string() + " belongs to another user",
                "commentoctl cert renew runs this as the right one");
}

} // namespace

int cert_main(int argc, char** argv) {
    const Paths paths;
    Program program("commento-cert", "Gets, renews and installs the certificate of the comment server.");
    program.verb("bootstrap", "Make sure that there is a certificate that nginx can start with",
                 [&] { return check_user(paths).and_then([&] { return bootstrap(paths); }); });
    program.verb("renew", "Replace the certificate where that is due",
                 [&] { return check_user(paths).and_then([&] { return renew(paths); }); });
    return program.run(argc, argv);
}

} // namespace commento
