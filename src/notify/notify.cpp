#include "notify/notify.hpp"

#include "base/program.hpp"
#include "notify/ending.hpp"
#include "notify/tell.hpp"

#include <cstdlib>
#include <string>

namespace commento {
namespace {

using Teller = Result<void>(const Paths&, const Ending&);

Result<void> tell(const Paths& paths, const std::string& unit, Teller* teller) {
    const auto variable = [](const char* name) -> const char* {
        return std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it
    };
    COMMENTO_ASSIGN(const Ending ending, ending_of(unit, variable));
    return teller(paths, ending);
}

} // namespace

int notify_main(int argc, char** argv) {
    const Paths paths;
    std::string unit;
    Program program("commento-notify", "Tells the operator that a part of the comment server failed.");
    const auto with_unit = [&](CLI::App* verb) {
        verb->add_option("unit", unit, "Name of the unit, without .service")->type_name("UNIT")->required();
    };
    with_unit(program.verb("failed", "Tell that a unit failed (OnFailure=)",
                           [&] { return tell(paths, unit, tell_failure); }));
    with_unit(program.verb("well", "Tell that a unit that failed is well again (OnSuccess=)",
                           [&] { return tell(paths, unit, tell_recovery); }));
    program.verb("test", "Send a test by all ways that are set", [&] { return tell_test(paths); });
    with_unit(program.verb("sendmail", "Give a mail that waits to the host's sendmail",
                           [&] { return hand_to_sendmail(paths, unit); }));
    return program.run(argc, argv);
}

} // namespace commento
