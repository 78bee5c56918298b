#include "notify/ways.hpp"

#include "base/files.hpp"
#include "folder.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::ElementsAre;

class PlanMail : public testing::Test {
  protected:
    MailPlan plan(const std::string& settings, const std::string& secrets = "") {
        return plan_mail(Settings::examine("DOMAIN=c.example.org\nEMAIL=me@example.org\n" + settings, secrets, paths),
                         paths);
    }

    void have_sendmail() {
        ASSERT_TRUE(make_folder(paths.sendmail().parent_path(), 0755));
        ASSERT_TRUE(write_file(paths.sendmail(), "", 0755));
    }

    Folder folder;
    Paths paths{folder.path()};
};

TEST_F(PlanMail, HasNoWayOnAHostWithoutAny) { EXPECT_EQ(plan("").way, MailWay::none); }

TEST_F(PlanMail, TakesTheHostsSendmailWhereNoServerIsSet) {
    have_sendmail();
    const MailPlan mail = plan("");
    EXPECT_EQ(mail.way, MailWay::sendmail);
    EXPECT_THAT(mail.recipients, ElementsAre("me@example.org"));
    EXPECT_EQ(mail.sender, "commento-stack@c.example.org");
}

TEST_F(PlanMail, TakesTheApplicationsServerBeforeSendmail) {
    have_sendmail();
    const MailPlan mail = plan(
        "COMMENTO_SMTP_HOST=mail.example.org\nCOMMENTO_SMTP_USERNAME=u\nCOMMENTO_SMTP_FROM_ADDRESS=c@example.org\n",
        "COMMENTO_SMTP_PASSWORD=p\n");
    EXPECT_EQ(mail.way, MailWay::smtp);
    EXPECT_EQ(mail.server.url, "smtp://mail.example.org:587");
    EXPECT_EQ(mail.server.user, "u");
    EXPECT_EQ(mail.server.password, "p");
    EXPECT_EQ(mail.sender, "c@example.org");
}

TEST_F(PlanMail, TakesItsOwnServerFirstAndNothingOfTheOther) {
    const MailPlan mail =
        plan("COMMENTO_SMTP_HOST=mail.example.org\nCOMMENTO_SMTP_USERNAME=u\n"
             "NOTIFY_SMTP_URL=smtps://other.example.org\nNOTIFY_EMAIL=\"a@example.org, b@example.org\"\n"
             "NOTIFY_FROM=n@example.org\n",
             "COMMENTO_SMTP_PASSWORD=p\n");
    EXPECT_EQ(mail.server.url, "smtps://other.example.org");
    EXPECT_EQ(mail.server.user, "");
    EXPECT_EQ(mail.server.password, "");
    EXPECT_THAT(mail.recipients, ElementsAre("a@example.org", "b@example.org"));
    EXPECT_EQ(mail.sender, "n@example.org");
}

TEST_F(PlanMail, PassesOverWhatIsFaulty) {
    EXPECT_THAT(plan("COMMENTO_SMTP_HOST=mail.example.org\nNOTIFY_EMAIL=nonsense\n").recipients,
                ElementsAre("me@example.org"));
}

} // namespace
} // namespace commento
