#include "generator/generator.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "config/env_file.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

struct Unit {
    const char* name;
    const char* secrets; ///< the drop-in with those that it needs
};

constexpr const char* kSecrets = "database-secrets.conf";
constexpr const char* kPassword = "database-password.conf";
constexpr std::array kConnect{
    Unit{"commento-db-provision.service", kSecrets}, Unit{"commento-db-check.service", kSecrets},
    Unit{"commento-db-backup.service", kPassword},   Unit{"commento-db-request.service", kPassword},
    Unit{"commento-db-switch.service", kPassword},   Unit{"commento-db-guard.service", kPassword},
};
constexpr const char* kNetwork = "remote-network.conf";
constexpr const char* kPool = "commento-db-pool.service";
constexpr const char* kFollower = "commento-db-follow.service";

bool is_elsewhere(const Paths& paths) {
    const auto text = read_file(paths.settings());
    if (!text)
        return false;
    const ParsedFile settings = parse_env_file(*text, paths.settings().string());
    return std::ranges::any_of(settings.assignments, [](const Assignment& assignment) {
        return assignment.key == "DATABASE_URL" && !assignment.value.empty();
    });
}

Result<void> link(const fs::path& target, const fs::path& place) {
    std::error_code fault;
    fs::create_directories(place.parent_path(), fault);
    if (!fault)
        fs::create_symlink(target, place, fault);
    if (fault)
        return fail_errno(ErrorCode::storage, fmt::format("cannot link {}", place.string()), fault.value());
    return {};
}

} // namespace

Result<void> generate(const Paths& paths, const fs::path& folder) {
    if (!is_elsewhere(paths))
        return {};
    const auto drop_in = [&](const std::string& unit, const char* name) {
        return link(paths.drop_ins_for_remote_database() / name, folder / (unit + ".d") / name);
    };
    for (const auto& unit : kConnect) {
        COMMENTO_CHECK(drop_in(unit.name, kNetwork));
        COMMENTO_CHECK(drop_in(unit.name, unit.secrets));
    }
    COMMENTO_CHECK(drop_in(kPool, kNetwork));
    COMMENTO_CHECK(drop_in(kPool, "remote-pool.conf"));
    return link(paths.units() / kFollower, folder / fmt::format("{}.wants", kPool) / kFollower);
}

int generator_main(int argc, char** argv) {
    set_up_log("commento-generator");
    constexpr int kArguments = 4; // systemd.generator(7): the program and three folders
    if (argc != kArguments) {
        report({ErrorCode::settings, "three folders are to be given",
                "systemd runs this program: systemctl daemon-reload"});
        return static_cast<int>(ErrorCode::settings);
    }
    const auto done = generate(Paths{}, argv[1]);
    if (done)
        return 0;
    report(done.error());
    return static_cast<int>(done.error().code);
}

} // namespace commento
