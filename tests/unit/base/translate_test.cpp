#include "base/translate.hpp"

#include "base/files.hpp"
#include "base/process.hpp"
#include "folder.hpp"

#include <clocale>
#include <cstdlib>
#include <gmock/gmock.h>
#include <libintl.h>

namespace commento {
namespace {

using namespace std::chrono_literals;

constexpr const char* kCatalogue = R"(
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

msgid "{} leads to {}"
msgstr "к {1} ведёт {0}"

msgid "{} is free"
msgstr "{} свободен, как и {}"

msgid "it is {}"
msgstr "это {"

msgid "done"
msgstr "готово"
)";

/// A process of its own runs each test: nobody else sees the language.
class Translate : public testing::Test {
  protected:
    void SetUp() override {
        const auto messages = folder_ / "xx/LC_MESSAGES";
        std::filesystem::create_directories(messages);
        ASSERT_TRUE(write_file(messages / "commento-stack.po", kCatalogue, 0644));
        const auto made = run_program({"msgfmt", "--output-file=" + (messages / "commento-stack.mo").string(),
                                       (messages / "commento-stack.po").string()},
                                      1min);
        ASSERT_TRUE(made);
        ASSERT_EQ(made->status, 0) << made->output;
        ::setenv("LC_ALL", "C.UTF-8", 1);
        ::setenv("LANGUAGE", "xx", 1);
    }

    void speak() const {
        std::setlocale(LC_CTYPE, "");
        speak_operators_language();
        ::bindtextdomain("commento-stack", folder_.path().c_str());
    }

  private:
    Folder folder_;
};

TEST_F(Translate, SpeaksEnglishUntilToldOtherwise) { EXPECT_EQ(tr("done"), "done"); }

TEST_F(Translate, TakesMessagesFromTheCatalogueOfTheOperatorsLanguage) {
    speak();
    EXPECT_EQ(tr("done"), "готово");
    EXPECT_EQ(tr("{} leads to {}", "a", "b"), "к b ведёт a");
}

TEST_F(Translate, KeepsTheMessageThatHasNoTranslation) {
    speak();
    EXPECT_EQ(tr("{} of {} are left", 1, 2), "1 of 2 are left");
    EXPECT_EQ(translated(""), "");
}

TEST_F(Translate, ATranslationThatDoesNotFitTheValuesIsPassedOver) {
    speak();
    EXPECT_EQ(tr("{} is free", 80), "80 is free");
    EXPECT_EQ(tr("it is {}", "here"), "it is here");
}

} // namespace
} // namespace commento
