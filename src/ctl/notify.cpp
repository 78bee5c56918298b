#include "ctl/notify.hpp"

#include "ctl/actions.hpp"

#include <filesystem>

namespace commento {
namespace {

/// By sendmail a mail goes in two steps: its unit takes it from there.
Result<void> send_test(const Paths& paths) {
    COMMENTO_CHECK(require_root("commentoctl notify test"));
    COMMENTO_CHECK(run_helper("commento-notify-test.service"));
    std::error_code fault;
    if (!std::filesystem::exists(paths.notify_outbox() / "test.eml", fault))
        return {};
    return run_helper("commento-notify-sendmail@test.service");
}

} // namespace

void add_notify_verbs(Program& program, const Paths& paths) {
    CLI::App* group = program.group("notify", "Messages to the operator");
    program.verb(
        "test", "Send a message on trial by all ways that are set", [&paths] { return send_test(paths); }, group);
}

} // namespace commento
