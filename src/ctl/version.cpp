#include "ctl/version.hpp"

#include "base/clock.hpp"
#include "base/process.hpp"
#include "base/translate.hpp"
#include "ctl/facts.hpp"
#include "ctl/known_versions.hpp"
#include "ctl/output.hpp"
#include "ctl/table.hpp"
#include "ctl/updates.hpp"

#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

namespace commento {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;

struct Part {
    std::string name;
    std::string version;  ///< empty where it is not there, or does not tell
    std::string outdated; ///< why it should be replaced; empty where nothing is known against it
};

/// What a program prints about itself.
std::string printed_version(const std::vector<std::string>& command) {
    const auto outcome = run_program(command, 10s);
    std::smatch parts;
    if (!outcome || outcome->status != 0 || !std::regex_search(outcome->output, parts, std::regex(R"(\d+(\.\d+)+)")))
        return {};
    return parts.str();
}

/// What apt or dnf would bring. The names of packages are those of both families.
class Newer {
  public:
    explicit Newer(const Paths& paths)
        : facts_(host_facts(paths)),
          updates_(find_updates(facts_, {"commento-stack", "nginx", "pgbouncer", "openssl", "systemd"})) {}

    std::string than_ours(const std::string& package) const {
        const auto found = updates_.find(package);
        return found == updates_.end()
                   ? ""
                   : tr("{} is available: sudo {}", found->second, fmt::join(facts_.upgrade(package), " "));
    }

  private:
    HostFacts facts_;
    Updates updates_;
};

std::string postgresql_outdated(int version) {
    const std::string end = support_end_of_postgresql(version);
    if (end.empty() || end > utc_time(now()))
        return {};
    return tr("no more fixes since {}: sudo commentoctl db upgrade", end);
}

Part postgresql(const Facts& facts) {
    if (!facts.database)
        return {"PostgreSQL", printed_version({"psql", "--version"}), ""};
    return {"PostgreSQL", version_of_postgresql(facts.database->version), postgresql_outdated(facts.database->version)};
}

/// Some distributions say until when they are supported.
Part distribution(const Paths& paths) {
    auto release = os_release(paths);
    const std::string& end = release["SUPPORT_END"];
    return {msgid("distribution"), release["PRETTY_NAME"],
            !end.empty() && end < utc_time(now()) ? tr("not supported since {}", end) : ""};
}

std::vector<Part> find_parts(const Paths& paths) {
    const Facts facts = find_facts(paths);
    const Newer newer(paths);
    return {
        {"commento-stack", std::string(stack_version()), newer.than_ours("commento-stack")},
        {msgid("application"), facts.release, why_outdated(facts.release)},
        {"nginx", printed_version({"nginx", "-v"}), newer.than_ours("nginx")},
        postgresql(facts),
        {"PgBouncer", printed_version({"pgbouncer", "--version"}), newer.than_ours("pgbouncer")},
        {"OpenSSL", printed_version({"openssl", "version"}), newer.than_ours("openssl")},
        {"systemd", printed_version({"systemctl", "--version"}), newer.than_ours("systemd")},
        distribution(paths),
    };
}

void show(const std::vector<Part>& parts, bool json) {
    constexpr int kIndent = 2;
    Json object = Json::object();
    std::vector<std::vector<Cell>> rows;
    for (const auto& part : parts) {
        object[part.name] = {{"version", part.version.empty() ? Json() : Json(part.version)},
                             {"outdated", part.outdated.empty() ? Json() : Json(part.outdated)}};
        rows.push_back(
            {{translated(part.name)},
             {part.version.empty() ? "-" : part.version, part.outdated.empty() ? Colour::none : Colour::doubtful},
             {part.outdated.empty() ? "-" : part.outdated}});
    }
    say(json ? object.dump(kIndent, ' ', false, Json::error_handler_t::replace)
             : draw_table({tr("PART"), tr("VERSION"), tr("OUT OF DATE")}, rows, look_of_stdout()));
}

} // namespace

void add_version_verb(Program& program, const Paths& paths) {
    auto json = std::make_shared<bool>(false);
    CLI::App* verb = program.verb("version", "Show the version of each part", [json, &paths]() -> Result<void> {
        show(find_parts(paths), *json);
        return {};
    });
    verb->add_flag("--json", *json, "For programs");
}

} // namespace commento
