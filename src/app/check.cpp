#include "app/check.hpp"

#include "base/pace.hpp"
#include "base/units.hpp"
#include "config/serving.hpp"
#include "config/settings.hpp"
#include "net/application.hpp"

#include <fmt/format.h>

namespace commento {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAnswer{5000};
constexpr milliseconds kFirst{100};
constexpr milliseconds kLongest{5000};
constexpr milliseconds kPatience{30000};

Result<void> ask_application(HttpClient& client, const std::string& address) {
    if (const std::string problem = problem_with_page(client, address); !problem.empty())
        return fail(ErrorCode::application, fmt::format("the application does not answer: {}", problem),
                    "see why: commentoctl status; commentoctl logs application");
    if (const std::string problem = problem_with_database(client, address); !problem.empty())
        return fail(ErrorCode::database, fmt::format("the application answers, and its database does not: {}", problem),
                    "see why: commentoctl status; commentoctl logs database");
    return {};
}

/// nginx is the host's own, and tells nobody when it ends. A host without D-Bus can't be asked.
Result<void> ask_front() {
    auto units = Units::connect();
    const auto state = units ? units->state("nginx.service") : Result<UnitState>(tl::unexpected(units.error()));
    if (!state || state->active == "active" || state->active == "reloading")
        return {};
    return fail(ErrorCode::web, fmt::format("nginx does not run: nginx.service is {}", state->active),
                "see why: systemctl status nginx.service; nginx -t");
}

} // namespace

Result<void> check_answers(const Paths& paths) {
    // Faults in the settings stop no part that runs, and are no news of the site.
    COMMENTO_ASSIGN(const Examined examined, Settings::examine_files(paths));
    const Settings& settings = examined.settings;
    HttpClient client({.connect = kAnswer, .total = kAnswer});
    const auto ask = [&] { // a changeover may lead readers elsewhere meanwhile
        const std::string address = client.reach_here(serving_port(paths, settings)) + settings.base_path();
        return ask_application(client, address).and_then(ask_front);
    };
    Pace pace(kFirst, kLongest, kPatience);
    Result<void> answer = ask();
    while (!answer && pace.wait())
        answer = ask();
    return answer;
}

} // namespace commento
