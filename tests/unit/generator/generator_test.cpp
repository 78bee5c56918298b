#include "generator/generator.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <array>
#include <gmock/gmock.h>
#include <map>

namespace commento {
namespace {

namespace fs = std::filesystem;

using testing::ContainerEq;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kLeast = "DOMAIN=comments.example.org\nEMAIL=you@example.org\n";
constexpr const char* kElsewhere = "DATABASE_URL=postgresql://comments@db.example.org/blog\n";

class Generator : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(make_folder(paths().settings().parent_path(), 0755));
        ASSERT_TRUE(make_folder(units(), 0755));
    }

    Paths paths() const { return {folder_ / "root"}; }
    fs::path units() const { return folder_ / "generator"; }
    void write(const std::string& settings) const { ASSERT_TRUE(write_file(paths().settings(), settings, 0644)); }

    /// Links in the folder, with what they lead to.
    std::map<std::string, std::string> links() const {
        std::map<std::string, std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(units())) {
            if (entry.is_symlink())
                found.emplace(entry.path().lexically_relative(units()), fs::read_symlink(entry.path()));
            else
                EXPECT_TRUE(entry.is_directory()) << entry.path();
        }
        return found;
    }

    std::string drop_in(const std::string& name) const { return paths().drop_ins_for_remote_database() / name; }

  private:
    Folder folder_;
};

TEST_F(Generator, MakesNothingForTheHostsOwnDatabase) {
    write(kLeast);
    EXPECT_TRUE(generate(paths(), units()));
    write(std::string(kLeast) + "DATABASE_URL=\n# " + kElsewhere);
    EXPECT_TRUE(generate(paths(), units()));
    EXPECT_THAT(links(), IsEmpty());
}

TEST_F(Generator, GivesNetworkAndSecretsToEachUnitThatSpeaksToADatabaseElsewhere) {
    write(std::string(kLeast) + kElsewhere);
    ASSERT_TRUE(generate(paths(), units()));
    std::map<std::string, std::string> expected{
        {"commento-db-pool.service.d/remote-network.conf", drop_in("remote-network.conf")},
        {"commento-db-pool.service.d/remote-pool.conf", drop_in("remote-pool.conf")},
        {"commento-db-pool.service.wants/commento-db-follow.service", paths().units() / "commento-db-follow.service"}};
    for (const std::string stem : {"provision", "check", "backup", "request", "switch", "guard"}) {
        const bool looks_after_role = stem == "provision" || stem == "check";
        for (const std::string name :
             {"remote-network.conf", looks_after_role ? "database-secrets.conf" : "database-password.conf"})
            expected.emplace("commento-db-" + stem + ".service.d/" + name, drop_in(name));
    }
    EXPECT_THAT(links(), ContainerEq(expected));
}

TEST_F(Generator, KnowsTheDatabaseOfSettingsWithAFault) {
    write(std::string("HTTP_PORT=x\nno assignment\n") + kElsewhere);
    ASSERT_TRUE(generate(paths(), units()));
    EXPECT_FALSE(links().empty());
}

TEST_F(Generator, MakesNothingAndDoesNotFailWhereThereAreNoSettings) {
    EXPECT_TRUE(generate(paths(), units()));
    EXPECT_THAT(links(), IsEmpty());
}

TEST_F(Generator, MakesNothingAndDoesNotFailWhereTheSettingsAreNoFile) {
    ASSERT_TRUE(make_folder(paths().settings(), 0755));
    EXPECT_TRUE(generate(paths(), units()));
    EXPECT_THAT(links(), IsEmpty());
}

TEST_F(Generator, SaysWhatItCannotLink) {
    write(std::string(kLeast) + kElsewhere);
    const fs::path file = units() / "file";
    ASSERT_TRUE(write_file(file, "", 0644)); // not even root can make something in it
    const auto made = generate(paths(), file);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::storage);
    EXPECT_THAT(made.error().message, HasSubstr((file / "commento-db-provision.service.d").string()));
}

TEST(GeneratorMain, NeedsThreeFolders) {
    std::string name = "commento-generator";
    std::array<char*, 2> arguments{name.data(), nullptr};
    EXPECT_EQ(generator_main(1, arguments.data()), static_cast<int>(ErrorCode::settings));
}

/// The drop-ins and units that the links lead to are installed, as the source has them.
TEST(GeneratorLinks, LeadToWhatThereIs) {
    const fs::path systemd = fs::path(SOURCE_DIR) / "systemd";
    EXPECT_TRUE(fs::exists(systemd / "commento-db-follow.service"));
    for (const std::string name :
         {"remote-network.conf", "remote-pool.conf", "database-secrets.conf", "database-password.conf"})
        EXPECT_TRUE(fs::exists(systemd / "remote-database" / name)) << name;
    for (const std::string stem : {"provision", "check", "backup", "request", "switch", "guard", "pool"})
        EXPECT_TRUE(fs::exists(systemd / ("commento-db-" + stem + ".service"))) << stem;
}

} // namespace
} // namespace commento
