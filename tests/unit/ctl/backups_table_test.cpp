#include "ctl/backups_table.hpp"

#include "base/files.hpp"

#include <filesystem>
#include <gmock/gmock.h>

namespace commento {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// As commento-db prints them (src/db/backup.cpp).
const json kMade = json::parse(R"({
    "name": "2026-11-25T023000Z", "bytes": 1572864, "verified": null, "fault": null, "format": 1,
    "made": "2026-11-25T02:30:00Z", "reason": "scheduled", "domain": "comments.example.org",
    "versions": {"commento-stack": "1.0.0", "postgresql": "15.14", "application": "commento-1.8.7"},
    "parts": [{"name": "database.dump", "bytes": 1000000, "sha256": "ab"}],
    "tables": [{"name": "commenters", "rows": 5, "checksum": "1"}, {"name": "comments", "rows": 1234, "checksum": "2"}]
    })");
const json kDamaged = json::parse(R"({"name": "2026-11-24T023000Z", "bytes": 0, "verified": null,
    "fault": "/backups/x.zip is damaged, cut off or no backup: Unrecognized archive format"})");

json changed(json backup, const char* where, const json& value) {
    backup[json::json_pointer(where)] = value;
    return backup;
}

std::string row_of(const json& backup) {
    const std::string table = backups_table(json::array({backup}), Look::plain);
    return table.substr(table.find('\n') + 1);
}

TEST(BackupsTable, HasARowForEachTheNewestFirst) {
    EXPECT_THAT(backups_table(json::array({kDamaged, kMade}), Look::plain),
                MatchesRegex("BACKUP +SIZE +STATE +COMMENTS +RELEASE +DETAIL *\n"
                             "2026-11-25T023000Z .*\n2026-11-24T023000Z .*"));
}

TEST(BackupsTable, HasTitlesThoughThereIsNoBackup) {
    EXPECT_THAT(backups_table(json::array(), Look::plain), Not(HasSubstr("\n")));
}

TEST(BackupsTable, ShowsABackup) {
    EXPECT_THAT(row_of(kMade), MatchesRegex("2026-11-25T023000Z +1.5 MiB +made +1234 +commento-1.8.7 +scheduled"));
    EXPECT_THAT(row_of(changed(kMade, "/verified", "2026-11-26T02:30:00Z")), HasSubstr(" verified "));
}

TEST(BackupsTable, ShowsWhatIsWrongWithADamagedOne) {
    EXPECT_THAT(row_of(kDamaged), MatchesRegex("2026-11-24T023000Z +0.0 MiB +damaged +- +- +/backups/x.zip is damaged, "
                                               "cut off or no backup: Unrecognized archive format"));
}

TEST(BackupsTable, ShowsADamagedOneAsDamagedThoughItWasVerifiedBefore) {
    EXPECT_THAT(row_of(changed(kDamaged, "/verified", "2026-11-26T02:30:00Z")), Not(HasSubstr("verified")));
}

TEST(BackupsTable, DoesWithoutCommentsAndRelease) {
    EXPECT_THAT(row_of(changed(changed(kMade, "/tables", json::array()), "/versions/application", "")),
                MatchesRegex("2026-11-25T023000Z +1.5 MiB +made +- +- +scheduled"));
}

TEST(BackupsTable, ColoursStatesForATerminal) {
    const auto coloured = [](const json& backup) { return backups_table(json::array({backup}), Look::terminal); };
    EXPECT_THAT(coloured(kDamaged), HasSubstr("31mdamaged"));
    EXPECT_THAT(coloured(changed(kMade, "/verified", "2026-11-26T02:30:00Z")), HasSubstr("32mverified"));
    EXPECT_THAT(coloured(kMade), Not(HasSubstr("mmade")));
}

TEST(BackupsTable, HandsNothingOnThatATerminalWouldObey) {
    EXPECT_THAT(row_of(changed(kMade, "/versions/application", "\x1b[2J")), Not(HasSubstr("\x1b")));
    EXPECT_THAT(row_of(changed(kMade, "/reason", "\x1b[2J")), Not(HasSubstr("\x1b")));
    EXPECT_THAT(row_of(changed(kDamaged, "/fault", "\x1b[2J")), Not(HasSubstr("\x1b")));
}

TEST(BackupsTable, HasNoMemberThatTheManualDoesNotName) {
    const std::string manual = read_file(std::filesystem::path(SOURCE_DIR) / "man/commento-db.8.in").value();
    const std::string list = manual.substr(manual.find("\n.B backup list\n"));
    const auto expect_named = [&](const json& object) {
        for (const auto& [name, value] : object.items())
            EXPECT_THAT(list, HasSubstr(name == "commento-stack" ? "commento\\-stack" : name));
    };
    expect_named(kMade);
    expect_named(kMade.at("versions"));
    expect_named(kMade.at("parts").front());
    expect_named(kMade.at("tables").front());
}

} // namespace
} // namespace commento
