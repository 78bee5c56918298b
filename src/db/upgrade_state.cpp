#include "db/upgrade_state.hpp"

#include "base/files.hpp"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>

namespace commento {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::array kPhases{
    std::pair{UpgradePhase::copying, "copying"},
    std::pair{UpgradePhase::switching, "switching"},
    std::pair{UpgradePhase::kept, "kept"},
    std::pair{UpgradePhase::returning, "returning"},
};

/// Owner root, like its folder: programs run as root act on what it says.
fs::path file_of(const Paths& paths) { return paths.state() / "upgrade.json"; }

} // namespace

std::string to_json(const UpgradeState& state) {
    Json json;
    for (const auto& [phase, word] : kPhases) {
        if (phase == state.phase)
            json["phase"] = word;
    }
    json["older"] = state.older;
    json["newer"] = state.newer;
    json["name"] = state.name;
    json["port"] = state.port;
    json["other_port"] = state.other_port;
    json["backup"] = state.backup;
    return json.dump(2) + "\n";
}

Result<UpgradeState> parse_upgrade_state(std::string_view text, const std::string& file) {
    const Json json = Json::parse(text, nullptr, false);
    UpgradeState state;
    try {
        const auto word = json.at("phase").get<std::string>();
        for (const auto& [phase, name] : kPhases) {
            if (word == name)
                state = {phase,
                         json.at("older").get<int>(),
                         json.at("newer").get<int>(),
                         json.at("name").get<std::string>(),
                         json.at("port").get<int>(),
                         json.at("other_port").get<int>(),
                         json.at("backup").get<std::string>()};
        }
    } catch (const Json::exception&) {
        state.older = 0; // said below
    }
    if (state.older == 0)
        return fail(
            ErrorCode::storage, fmt::format("{} is not what commento-db wrote", file),
            "pg_lsclusters tells which clusters there are; remove the file when the one on DATABASE_PORT is right");
    return state;
}

Result<std::optional<UpgradeState>> upgrade_state(const Paths& paths) {
    const fs::path file = file_of(paths);
    std::error_code fault;
    if (!fs::exists(file, fault) && !fault)
        return std::nullopt;
    COMMENTO_ASSIGN(const std::string text, read_file(file));
    COMMENTO_ASSIGN(UpgradeState state, parse_upgrade_state(text, file.string()));
    return state;
}

Result<void> record_upgrade(const Paths& paths, const UpgradeState& state) {
    constexpr mode_t kReadable = 0644;
    return write_file(file_of(paths), to_json(state), kReadable);
}

Result<void> forget_upgrade(const Paths& paths) {
    if (::unlink(file_of(paths).c_str()) != 0 && errno != ENOENT)
        return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", file_of(paths).string()), errno);
    return sync_folder(paths.state());
}

Result<void> require_no_half_upgrade(const Paths& paths) {
    COMMENTO_ASSIGN(const auto state, upgrade_state(paths));
    if (!state || state->phase == UpgradePhase::kept)
        return {};
    return fail(
        ErrorCode::database,
        fmt::format("the upgrade of PostgreSQL from {0}/{2} to {1}/{2} was cut off, and could not be finished or "
                    "taken back",
                    state->older, state->newer, state->name),
        "systemctl status commento-db-upgrade-recover.service says why; then: systemctl start commento.target");
}

} // namespace commento
