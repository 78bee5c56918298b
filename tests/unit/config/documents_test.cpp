// The settings table, both shipped files and the manual page say the same: a key that is in one and not in another, or
// not in the same words, fails here.

#include "base/files.hpp"
#include "config/env_file.hpp"
#include "config/keys.hpp"
#include "config/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <map>
#include <regex>
#include <sstream>

namespace commento {
namespace {

using testing::HasSubstr;

std::string shipped(const std::string& name) { return read_file(std::filesystem::path(SOURCE_DIR) / name).value(); }

std::vector<std::string> words(std::string_view text) {
    std::istringstream stream{std::string(text)};
    return {std::istream_iterator<std::string>(stream), {}};
}

/// What a file of settings says on a key: the comment above it, and its line.
struct Entry {
    std::string comment; ///< without line ends
    std::string line;
};

std::map<std::string, Entry> entries_of(const std::string& file) {
    static const std::regex kLine("#?([A-Z][A-Z0-9_]*)=.*");
    std::map<std::string, Entry> entries;
    std::istringstream text(shipped(file));
    std::string comment;
    for (std::string line; std::getline(text, line);) {
        std::smatch match;
        if (std::regex_match(line, match, kLine)) {
            EXPECT_TRUE(entries.emplace(match[1], Entry{comment, line}).second) << match[1] << " is twice in " << file;
            comment.clear();
        } else if (line.starts_with("# ")) {
            comment += (comment.empty() ? "" : " ") + line.substr(2);
        } else {
            comment.clear();
        }
    }
    return entries;
}

std::string expected_comment(const Key& key) {
    const std::string help(key.help);
    return key.choices.empty() ? help : fmt::format("{} One of: {}.", help, fmt::join(words(key.choices), ", "));
}

std::string expected_line(const Key& key) {
    return key.presence == Presence::mandatory ? fmt::format("{}=", key.name)
                                               : fmt::format("#{}={}", key.name, key.standard);
}

void expect_entries(const std::string& file, Secrecy secrecy) {
    auto entries = entries_of(file);
    for (const auto& key : all_keys()) {
        if (key.secrecy != secrecy)
            continue;
        const auto entry = entries.extract(std::string(key.name));
        ASSERT_FALSE(entry.empty()) << key.name << " is not in " << file;
        EXPECT_EQ(entry.mapped().comment, expected_comment(key));
        EXPECT_EQ(entry.mapped().line, expected_line(key));
    }
    for (const auto& [name, entry] : entries)
        ADD_FAILURE() << name << " does not belong into " << file;
}

TEST(Documents, TheShippedSettingsHaveEveryKeyThatIsNoSecret) {
    expect_entries("config/commento-stack.conf", Secrecy::open);
}

TEST(Documents, TheShippedSecretsHaveEverySecret) { expect_entries("config/secrets.conf", Secrecy::secret); }

TEST(Documents, TheShippedFilesLackNothingButTheMandatoryValues) {
    const auto examined =
        Settings::examine(shipped("config/commento-stack.conf"), shipped("config/secrets.conf"), Paths{});
    std::vector<std::string> missing;
    for (const auto& fault : examined.faults)
        missing.push_back(fault.key);
    EXPECT_THAT(missing, testing::ElementsAre("DOMAIN", "EMAIL"));
}

TEST(Documents, EveryLineOfTheShippedFilesCanBeTakenIntoUse) {
    for (const std::string file : {"config/commento-stack.conf", "config/secrets.conf"}) {
        const std::string used = std::regex_replace(shipped(file), std::regex("\n#([A-Z])"), "\n$1");
        EXPECT_TRUE(parse_env_file(used, file).faults.empty()) << file;
        EXPECT_EQ(parse_env_file(used, file).assignments.size(), entries_of(file).size()) << file;
    }
}

std::string roff(std::string_view text) { return std::regex_replace(std::string(text), std::regex("-"), "\\-"); }

std::string type_in_words(ValueType type) {
    switch (type) {
    case ValueType::text:
        return "text";
    case ValueType::word:
        return "one word";
    case ValueType::names:
        return "names";
    case ValueType::host_and_port:
        return "host name or address";
    case ValueType::boolean:
        return "true or false";
    case ValueType::hostname:
        return "host name";
    case ValueType::email:
        return "e-mail address";
    case ValueType::port:
        return "port";
    case ValueType::https_url:
        return "address, https only";
    case ValueType::url:
        return "address";
    case ValueType::path:
        return "absolute path";
    case ValueType::choice:
        return "one of the words below";
    case ValueType::sha256:
        return "SHA-256";
    case ValueType::number:
        return "whole number";
    case ValueType::count:
        return "whole number above 0";
    case ValueType::database_url:
        return "address of a database";
    case ValueType::networks:
        return "addresses and networks";
    case ValueType::emails:
        return "e-mail addresses";
    case ValueType::mail_server:
        return "address of a mail server";
    }
    return {};
}

/// A key's entry in the manual page.
std::string expected_in_manual(const Key& key) {
    std::string entry = fmt::format(".TP\n.BR {} \" ({}{}{})\"\n{}\n", key.name, type_in_words(key.type),
                                    key.presence == Presence::mandatory ? ", mandatory" : "",
                                    key.secrecy == Secrecy::secret ? ", secret" : "", roff(key.help));
    if (!key.choices.empty())
        entry += fmt::format("One of: {}.\n", roff(fmt::format("{}", fmt::join(words(key.choices), ", "))));
    if (!key.standard.empty())
        entry += fmt::format(".br\nDefault:\n.B {}\n", //
                             std::regex_replace(roff(key.standard), std::regex("/"), "/\\:"));
    return entry;
}

TEST(Documents, TheManualHasEveryKeyInTheWordsOfTheTable) {
    const std::string manual = shipped("man/commento-stack.conf.5.in");
    for (const auto& key : all_keys())
        EXPECT_THAT(manual, HasSubstr(expected_in_manual(key)));
}

TEST(Documents, TheManualHasNoKeyThatIsNotInTheTable) {
    const std::string manual = shipped("man/commento-stack.conf.5.in");
    const std::regex entry("\\.TP\n\\.BR ([A-Z][A-Z0-9_]*) \"");
    std::size_t found = 0;
    for (auto at = std::sregex_iterator(manual.begin(), manual.end(), entry); at != std::sregex_iterator(); ++at) {
        EXPECT_NE(find_key((*at)[1].str()), nullptr) << (*at)[1];
        ++found;
    }
    EXPECT_EQ(found, all_keys().size());
}

TEST(Documents, TheManualHasTheSecretsInTheirSectionOnly) {
    const std::string manual = shipped("man/commento-stack.conf.5.in");
    const auto begin = manual.find("\n.SH SECRETS\n");
    const auto end = manual.find("\n.SH FILES\n");
    ASSERT_LT(begin, end);
    for (const auto& key : all_keys()) {
        const auto at = manual.find(fmt::format(".BR {} \"", key.name));
        EXPECT_EQ(at > begin && at < end, key.secrecy == Secrecy::secret) << key.name;
    }
}

} // namespace
} // namespace commento
