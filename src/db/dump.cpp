#include "db/dump.hpp"

#include "base/host_facts.hpp"
#include "base/printable.hpp"
#include "base/process.hpp"

#include <fmt/format.h>

namespace commento {
namespace {

using Words = std::vector<std::string>;

// What ends a run that hangs is the unit's own limit.
constexpr std::chrono::hours kLimit{24};

constexpr int kFirstWithZstd = 16;
constexpr int kFirstWithChosenExtensions = 14;

std::string tool(const char* name, int version) { return host_facts({}).postgres_program(name, version); }

/// A connection string (libpq's keywords and values); quotes within a value are escaped by a backslash.
std::string connection_string(const DatabaseServer& server, const std::string& database) {
    std::string text;
    for (const auto& [keyword, value] : connection_words(server, server.backup_role, database)) {
        text += fmt::format("{}{}='", text.empty() ? "" : " ", keyword);
        for (const char c : value)
            text += c == '\'' || c == '\\' ? std::string{'\\', c} : std::string{c};
        text += '\'';
    }
    return text;
}

/// Arguments can be read by anybody on the host, the environment by the same user only.
Words environment_for(const DatabaseServer& server) {
    return server.password.empty() ? Words{} : Words{"PGPASSWORD=" + server.password};
}

Result<void> ignore(std::string_view /*output*/) { return {}; }

Result<void> judge(const std::string& what, const Outcome& outcome) {
    if (outcome.status == 0)
        return {};
    const std::string errors = outcome.errors.substr(0, outcome.errors.find_last_not_of('\n') + 1);
    return fail(ErrorCode::database, fmt::format("cannot {}: {}", what, printable(errors)),
                fmt::format("what stands there is PostgreSQL's own; its log ({}) may say more",
                            host_facts({}).postgres_log.string()));
}

} // namespace

Result<void> dump(const DatabaseServer& server, int version, const std::string& snapshot, ArchiveWriter& archive) {
    // The fastest level of each: the widget's comments are small, and the dump is made on the site's own processors.
    const bool has_zstd = version >= kFirstWithZstd;
    Words words{tool("pg_dump", version),
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                "--no-password",
                has_zstd ? "--compress=zstd:1" : "--compress=1",
                "--snapshot=" + snapshot,
                "--dbname=" + connection_string(server, server.database)};
    if (version >= kFirstWithChosenExtensions)
        words.emplace_back(
            "--extension=plpgsql"); // others are the operator's, and only a superuser could put them back
    COMMENTO_ASSIGN(const Outcome outcome,
                    pipe_program(words, {{}, [&](std::string_view piece) { return archive.write(piece); }}, kLimit,
                                 environment_for(server)));
    return judge("dump the database", outcome);
}

Result<void> put_back(const DatabaseServer& server, int version, const std::string& database, const DumpSource& dump) {
    const Words words{tool("pg_restore", version),
                      "--exit-on-error",
                      "--no-owner",
                      "--no-privileges",
                      "--no-password",
                      "--role=" + server.owner,
                      "--dbname=" + connection_string(server, database)};
    COMMENTO_ASSIGN(const Outcome outcome, pipe_program(words, {dump, ignore}, kLimit, environment_for(server)));
    return judge("put the dump into database " + database, outcome);
}

Result<void> write_sql(int version, const DumpSource& dump, const std::filesystem::path& file) {
    const Words words{tool("pg_restore", version), "--no-owner", "--no-privileges", "--file=" + file.string()};
    COMMENTO_ASSIGN(const Outcome outcome, pipe_program(words, {dump, ignore}, kLimit));
    return judge("write the dump as SQL", outcome);
}

} // namespace commento
