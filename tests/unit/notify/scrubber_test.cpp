#include "notify/scrubber.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::Contains;

TEST(Scrubber, ReplacesSecretsAsTheyAreAndPercentEncoded) {
    const Scrubber scrubber({"p@ss/word", ""});
    EXPECT_EQ(scrubber.clean("a p@ss/word b p%40ss%2Fword c"), "a *** b *** c");
}

TEST(Scrubber, ReplacesTheLongerOfTwoFirst) { EXPECT_EQ(Scrubber({"abc", "abcdef"}).clean("abcdef abc"), "*** ***"); }

TEST(Scrubber, MasksThePasswordInAnyAddress) {
    const Scrubber scrubber({});
    EXPECT_EQ(scrubber.clean("see postgresql://u:p:q@h/d, https://h/x:y@z and smtp://u:p@h"),
              "see postgresql://u:***@h/d, https://h/x:y@z and smtp://u:***@h");
    EXPECT_EQ(scrubber.clean("://"), "://");
    EXPECT_EQ(scrubber.clean("://:@"), "://:***@");
    EXPECT_EQ(scrubber.clean("http://[::1]:80/ a@b"), "http://[::1]:80/ a@b");
}

TEST(Scrubber, CleansMessageAndHint) {
    const Error error = Scrubber({"secret"}).clean(Error{ErrorCode::network, "a secret", "the secret"});
    EXPECT_EQ(error.message, "a ***");
    EXPECT_EQ(error.hint, "the ***");
}

TEST(SecretsOf, HasEachSecretValueAndWhatIsSecretInIt) {
    const auto examined = Settings::examine("",
                                            "NOTIFY_WEBHOOK=https://hooks.example.org/services/"
                                            "T0KEN-of-it\nDATABASE_ADMIN_URL=postgresql://p:ad%40min@h/d\n"
                                            "COMMENTO_AKISMET_KEY=akismet\n",
                                            Paths{});
    const auto secrets = secrets_of(examined.settings, {"RESTIC_PASSWORD=restic\n"});
    for (const char* secret : {"https://hooks.example.org/services/T0KEN-of-it", "services/T0KEN-of-it", "T0KEN-of-it",
                               "ad@min", "akismet", "restic"})
        EXPECT_THAT(secrets, Contains(secret));
}

} // namespace
} // namespace commento
