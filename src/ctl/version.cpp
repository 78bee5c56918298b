#include "ctl/version.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "config/env_file.hpp"
#include "ctl/facts.hpp"
#include "ctl/known_versions.hpp"
#include "ctl/output.hpp"
#include "ctl/table.hpp"

#include <array>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>

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

/// The version that a newer package of the distribution's has, as far as the host has heard of it; no network is used.
std::optional<std::string> newer_package(const std::string& package) {
    const auto outcome = run_program({"apt-cache", "policy", package}, 10s);
    std::smatch parts;
    if (!outcome || outcome->status != 0 ||
        !std::regex_search(outcome->output, parts, std::regex("Installed: (\\S+)\n +Candidate: (\\S+)")) ||
        parts[1] == "(none)" || parts[2] == "(none)" || parts[1] == parts[2])
        return std::nullopt;
    return parts[2].str();
}

std::string update_of(const std::string& package) {
    const auto newer = newer_package(package);
    return newer ? fmt::format("{} is available: sudo apt-get install --only-upgrade {}", *newer, package) : "";
}

std::string postgresql_outdated(int version) {
    const std::string end = support_end_of_postgresql(version);
    if (end.empty() || end > utc_time(now()))
        return {};
    return fmt::format("no more fixes since {}: sudo commentoctl db upgrade", end);
}

Part postgresql(const Facts& facts) {
    if (!facts.database)
        return {"PostgreSQL", printed_version({"psql", "--version"}), ""};
    return {"PostgreSQL", version_of_postgresql(facts.database->version), postgresql_outdated(facts.database->version)};
}

/// os-release(5); some distributions say there until when they are supported.
Part distribution(const Paths& paths) {
    std::istringstream lines(read_file(paths.root / "etc/os-release").value_or(""));
    Part part{"distribution", "", ""};
    const auto value_of = [](const std::string& line) {
        std::string value = line.substr(line.find('=') + 1);
        std::erase(value, '"');
        return value;
    };
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("PRETTY_NAME="))
            part.version = value_of(line);
        if (line.starts_with("SUPPORT_END=") && value_of(line) < utc_time(now()))
            part.outdated = "not supported since " + value_of(line);
    }
    return part;
}

std::vector<Part> find_parts(const Paths& paths) {
    const Facts facts = find_facts(paths);
    return {
        {"commento-stack", std::string(stack_version()), update_of("commento-stack")},
        {"application", facts.release, why_outdated(facts.release)},
        {"nginx", printed_version({"nginx", "-v"}), update_of("nginx")},
        postgresql(facts),
        {"PgBouncer", printed_version({"pgbouncer", "--version"}), update_of("pgbouncer")},
        {"OpenSSL", printed_version({"openssl", "version"}), update_of("openssl")},
        {"systemd", printed_version({"systemctl", "--version"}), update_of("systemd")},
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
            {{part.name},
             {part.version.empty() ? "-" : part.version, part.outdated.empty() ? Colour::none : Colour::doubtful},
             {part.outdated.empty() ? "-" : part.outdated}});
    }
    say(json ? object.dump(kIndent, ' ', false, Json::error_handler_t::replace)
             : draw_table({"PART", "VERSION", "OUT OF DATE"}, rows, look_of_stdout()));
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
