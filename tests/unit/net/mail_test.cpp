#include "net/mail.hpp"

#include "net/server.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;
using testing::Not;

Letter letter(std::string body) {
    return {"from@example.org", {"a@example.org", "b@example.org"}, "it failed", std::move(body), 1'800'000'000};
}

TEST(FormatLetter, IsPlainWhereThatWillDo) {
    const std::string text = format_letter(letter("one\n.\n"));
    EXPECT_THAT(
        text,
        HasSubstr("Date: Fri, 15 Jan 2027 08:00:00 +0000\nFrom: from@example.org\nTo: a@example.org, b@example.org\n"
                  "Subject: it failed\nMessage-ID: <"));
    EXPECT_THAT(text, HasSubstr("Content-Transfer-Encoding: 7bit\n\none\n.\n"));
}

TEST(FormatLetter, EncodesWhatServersMayNotTake) {
    EXPECT_THAT(format_letter(letter("\u00fc\n")), HasSubstr("base64\n\nw7wK\n"));
    const std::string text = format_letter(letter(std::string(2000, 'x')));
    EXPECT_THAT(text, HasSubstr("base64"));
    EXPECT_THAT(text, Not(HasSubstr("xxx")));
}

TEST(FormatLetter, LetsNoValueBeginAnotherHeader) {
    Letter hostile = letter("");
    hostile.subject = "x\r\nBcc: victim@example.org";
    EXPECT_THAT(format_letter(hostile), HasSubstr("Subject: x  Bcc: victim@example.org\n"));
}

TEST(HostAndPort, HasThePortsOfSubmission) {
    EXPECT_EQ(host_and_port_of({"smtp://mail.example.org", "", "", ""}), "mail.example.org:587");
    EXPECT_EQ(host_and_port_of({"smtps://mail.example.org", "", "", ""}), "mail.example.org:465");
    EXPECT_EQ(host_and_port_of({"smtp://[::1]", "", "", ""}), "[::1]:587");
    EXPECT_EQ(host_and_port_of({"smtp://[::1]:25", "", "", ""}), "[::1]:25");
}

/// Speaks SMTP as far as it goes without TLS; keeps what it was told.
class PlainMailServer {
  public:
    int port() const { return server_.port(); }
    const std::string& heard() const { return heard_; }

  private:
    void talk(Peer& peer) {
        peer.write("220 mail\r\n");
        bool data = false;
        for (std::string line = peer.read(); !line.empty(); line = peer.read()) {
            heard_ += line;
            if (data && !heard_.ends_with("\r\n.\r\n"))
                continue;
            data = line.starts_with("DATA");
            peer.write(data ? "354 go on\r\n" : line.starts_with("RCPT TO:<nobody") ? "550 none\r\n" : "250 fine\r\n");
        }
    }

    std::string heard_;
    Server server_{[this](Peer& peer) { talk(peer); }};
};

TEST(SendLetter, MayGoInTheClearToThisHost) {
    std::string heard;
    {
        const PlainMailServer server;
        const MailServer here{"smtp://127.0.0.1:" + std::to_string(server.port()), "", "", "c.example.org"};
        const auto sent = send_letter(here, letter("one\n.\ntwo\n"), RefusedRecipient::an_error);
        ASSERT_TRUE(sent) << sent.error().message;
        heard = server.heard();
    }
    EXPECT_THAT(heard, HasSubstr("EHLO c.example.org\r\n"));
    EXPECT_THAT(heard, HasSubstr("MAIL FROM:<from@example.org>"));
    EXPECT_THAT(heard, HasSubstr("RCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"));
    EXPECT_THAT(heard, HasSubstr("one\r\n..\r\ntwo\r\n.\r\n"));
}

TEST(SendLetter, TellsARefusedRecipientOnlyWhereThatIsAskedFor) {
    const PlainMailServer server;
    const MailServer here{"smtp://localhost:" + std::to_string(server.port()), "", "", "c.example.org"};
    Letter some = letter("x\n");
    some.recipients = {"nobody@example.org", "a@example.org"};
    EXPECT_TRUE(send_letter(here, some, RefusedRecipient::passed_over));
    const auto refused = send_letter(here, some, RefusedRecipient::an_error);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::network);
}

TEST(SendLetter, GoesToNobodyElseInTheClear) {
    const PlainMailServer server;
    // This very host, by no name that is taken for it.
    const MailServer elsewhere{"smtp://127.1:" + std::to_string(server.port()), "user", "password", "c.example.org"};
    const auto sent = send_letter(elsewhere, letter("x\n"), RefusedRecipient::an_error);
    ASSERT_FALSE(sent);
    EXPECT_THAT(sent.error().message, Not(HasSubstr("password")));
    EXPECT_THAT(server.heard(), HasSubstr("EHLO"));
    EXPECT_THAT(server.heard(), Not(HasSubstr("MAIL")));
    EXPECT_THAT(server.heard(), Not(HasSubstr("AUTH")));
}

} // namespace
} // namespace commento
