#include "ctl/show_config.hpp"

#include "config/keys.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace commento {
namespace {

constexpr const char* kSettings = "DOMAIN=comments.example\nEMAIL=you@example.org\n";

std::vector<Cell> row_of(const std::string& key, const std::string& secrets_text, Secrets secrets) {
    const auto settings = Settings::examine(kSettings, secrets_text, Paths{}).settings;
    const auto rows = config_rows(settings, secrets);
    return *std::ranges::find(rows, key, [](const auto& row) { return row.front().text; });
}

TEST(ConfigRows, ShowEveryKeyWithValueAndOrigin) {
    const auto rows = config_rows(Settings::examine(kSettings, "", Paths{}).settings, Secrets::readable);
    EXPECT_EQ(rows.size(), all_keys().size());
    const auto row = row_of("EMAIL", "", Secrets::readable);
    EXPECT_EQ(row[1].text, "you@example.org");
    EXPECT_EQ(row[2].text, "/etc/commento-stack/commento-stack.conf:2");
    EXPECT_EQ(row_of("HTTP_PORT", "", Secrets::readable)[2].text, "default");
}

TEST(ConfigRows, ShowOfASecretOnlyWhetherItIsSet) {
    const std::string set = "COMMENTO_SMTP_PASSWORD=s3cret\n";
    EXPECT_EQ(row_of("COMMENTO_SMTP_PASSWORD", set, Secrets::readable)[1].text, "(set)");
    EXPECT_EQ(row_of("COMMENTO_SMTP_PASSWORD", "", Secrets::readable)[1].text, "(not set)");
    EXPECT_EQ(row_of("COMMENTO_SMTP_PASSWORD", "", Secrets::unreadable)[1].text, "(only root can see)");
}

} // namespace
} // namespace commento
