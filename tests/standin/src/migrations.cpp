#include "migrations.hpp"

#include "failure.hpp"
#include "log.hpp"

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace standin {

namespace {

constexpr int retries = 5;
constexpr std::chrono::seconds pause_between_tries{10};

bool reaches_database(Pool& pool, int attempts_left) {
    log(Level::info, "opening connection to postgres: " + pool.address().shown);
    try {
        Session(pool).ping();
        return true;
    } catch (const DatabaseError& error) {
        if (attempts_left == 0) {
            log(Level::error, std::string("cannot talk to postgres, last attempt failed: ") + error.what());
            throw FatalError(error.what());
        }
        log(Level::error, "cannot talk to postgres, retrying in 10 seconds (" + std::to_string(attempts_left - 1) +
                              " attempts left): " + error.what());
        return false;
    }
}

// Whatever the database refuses here ends the program; the caller says what it was doing.
template <typename Work>
auto or_fatal(const std::string& doing, Work work) {
    try {
        return work();
    } catch (const DatabaseError& error) {
        log(Level::error, doing + ": " + error.what());
        throw FatalError(error.what());
    }
}

std::set<std::string> installed(Session& session) {
    return or_fatal("cannot read the table of migrations", [&] {
        std::set<std::string> names;
        const Rows rows = session.query("SELECT filename FROM migrations");
        for (int row = 0; row < rows.size(); ++row) {
            names.insert(rows.text(row, 0));
        }
        return names;
    });
}

std::set<std::filesystem::path> sql_files(const std::filesystem::path& folder) {
    std::error_code error;
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".sql") {
            files.insert(entry.path());
        }
    }
    if (error) {
        log(Level::error, "cannot read directory for migrations: " + error.message());
        throw FatalError("open " + folder.string() + ": " + error.message());
    }
    return files;
}

std::string contents_of(const std::filesystem::path& file) {
    std::ostringstream contents;
    contents << std::ifstream(file, std::ios::binary).rdbuf();
    return contents.str();
}

// The statements and the row that remembers them are two transactions, as in the application: a program killed
// between the two finds the table there at its next start and fails. The stack has to live with that.
void install(Session& session, const std::filesystem::path& file) {
    or_fatal("cannot execute the SQL in " + file.string(), [&] { session.script(contents_of(file)); });
    or_fatal("cannot remember " + file.filename().string(),
             [&] { session.query("INSERT INTO migrations (filename) VALUES ($1)", {file.filename().string()}); });
}

} // namespace

void connect_with_patience(Pool& pool) {
    for (int attempts_left = retries; !reaches_database(pool, attempts_left); --attempts_left) {
        std::this_thread::sleep_for(pause_between_tries);
    }
    or_fatal("cannot create migrations table",
             [&] { Session(pool).script("CREATE TABLE IF NOT EXISTS migrations (filename TEXT NOT NULL UNIQUE)"); });
}

void migrate(Pool& pool, const std::filesystem::path& folder) {
    Session session(pool);
    const std::set<std::string> known = installed(session);
    log(Level::info, std::to_string(known.size()) + " migrations already installed, looking for more");
    std::size_t completed = 0;
    for (const auto& file : sql_files(folder)) {
        if (!known.contains(file.filename().string())) {
            install(session, file);
            ++completed;
        }
    }
    log(Level::info, completed == 0 ? "none found"
                                    : std::to_string(completed) + " new migrations completed (" +
                                          std::to_string(known.size() + completed) + " total)");
}

} // namespace standin
