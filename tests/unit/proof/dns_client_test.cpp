#include "proof/dns_client.hpp"

#include "proof/listener.hpp"
#include "proof/name_server.hpp"

#include <gmock/gmock.h>
#include <poll.h>

namespace commento {
namespace {

using testing::HasSubstr;
using Kind = DnsChange::Kind;

class Client : public WithNameServer {};

TEST_F(Client, AddsAndRemovesOneRecordAndLeavesTheOthers) {
    const DnsServer server = server_->signing();
    const std::string owner = "kept.example.test.";
    ASSERT_TRUE(server.update("example.test.",
                              std::vector{DnsChange{Kind::add, owner, "one"}, DnsChange{Kind::add, owner, "two"}}));
    EXPECT_THAT(server_->texts(owner), testing::UnorderedElementsAre("kept", "one", "two"));
    ASSERT_TRUE(server.update("example.test.", std::vector{DnsChange{Kind::remove, owner, "one"}}));
    ASSERT_TRUE(server.update("example.test.", std::vector{DnsChange{Kind::remove, owner, "never there"}}));
    EXPECT_THAT(server_->texts(owner), testing::UnorderedElementsAre("kept", "two"));
    ASSERT_TRUE(server.update("example.test.", std::vector{DnsChange{Kind::remove, owner, "two"}}));
}

TEST_F(Client, TellsANameThatIsNotThereFromOneWithoutRecords) {
    const auto none = server_->not_signing().ask("nobody.example.test.", RecordType::txt);
    ASSERT_TRUE(none);
    EXPECT_EQ(none->code, DnsAnswer::kNoSuchName);
    EXPECT_TRUE(none->authoritative);
    const auto empty = server_->not_signing().ask("example.test.", RecordType::txt);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->code, DnsAnswer::kNoError);
    ASSERT_EQ(empty->authority.size(), 1U);
    EXPECT_EQ(empty->authority.front().owner, "example.test.");
}

TEST_F(Client, ReadsAnAnswerThatOnlyTcpCanHold) {
    const DnsServer server = server_->signing();
    std::vector<DnsChange> changes;
    for (int i = 0; i < 100; ++i)
        changes.push_back({Kind::add, "many.example.test.", fmt::format("{:0200}", i)});
    ASSERT_TRUE(server.update("example.test.", changes));
    const auto answer = server_->not_signing().ask("many.example.test.", RecordType::txt);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->answers.size(), 100U);
}

TEST_F(Client, IsToldThatTheSecretIsWrong) {
    const auto key = *read_tsig_key(server_->key_file("writer", "YWJj"));
    const auto answer = DnsServer::find(server_->place(), key)->ask("example.test.", RecordType::soa);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::settings);
    EXPECT_THAT(answer.error().message, HasSubstr("writer: BADSIG"));
    EXPECT_THAT(answer.error().hint, HasSubstr("secret"));
}

TEST_F(Client, IsToldThatTheKeyIsUnknown) {
    const auto key = *read_tsig_key(server_->key_file("nobody"));
    const auto done = DnsServer::find(server_->place(), key)
                          ->update("example.test.", std::vector{DnsChange{Kind::add, "a.example.test.", "x"}});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::settings);
    EXPECT_THAT(done.error().message, HasSubstr("nobody: BADKEY"));
    EXPECT_THAT(done.error().hint, HasSubstr("name"));
}

TEST_F(Client, IsToldThatTheKeyMayNotChangeTheRecord) {
    const auto key = *read_tsig_key(server_->key_file("reader"));
    const auto done = DnsServer::find(server_->place(), key)
                          ->update("example.test.", std::vector{DnsChange{Kind::add, "a.example.test.", "x"}});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::settings);
    EXPECT_THAT(done.error().message, testing::AllOf(HasSubstr("a.example.test."), HasSubstr("REFUSED")));
    EXPECT_THAT(done.error().hint, testing::AllOf(HasSubstr("update-policy"), HasSubstr("reader")));
}

TEST_F(Client, IsToldThatTheServerDoesNotHaveTheZone) {
    const auto done =
        server_->signing().update("nowhere.test.", std::vector{DnsChange{Kind::add, "a.nowhere.test.", "x"}});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::settings);
    EXPECT_THAT(done.error().message, HasSubstr("NOTAUTH"));
    EXPECT_THAT(done.error().hint, HasSubstr("primary server of the zone nowhere.test."));
}

TEST_F(Client, DoesNotSendANameThatDnsCannotHold) {
    EXPECT_EQ(server_->signing().ask(std::string(64, 'x') + ".example.test.", RecordType::txt).error().code,
              ErrorCode::settings);
}

TEST(NoNameServer, IsToldWithItsPlace) {
    for (const bool with_key : {false, true}) {
        const std::string place = fmt::format("127.0.0.1:{}", free_port());
        const auto server =
            DnsServer::find(place, with_key ? std::optional(TsigKey{"a", "hmac-sha256.", "YWJj"}) : std::nullopt);
        const auto answer = server->ask("example.test.", RecordType::soa);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code, ErrorCode::network);
        EXPECT_THAT(answer.error().message, testing::AllOf(HasSubstr(place), HasSubstr("refused")));
    }
}

TEST(NoNameServer, IsFoundUnderANameWithoutAddress) {
    const auto server = DnsServer::find("name with spaces");
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, ErrorCode::network);
}

TEST(NameServerPlace, IsANameOrAnAddressWithAPortOrWithout) {
    for (const std::string place :
         {"localhost", "localhost:5353", "127.0.0.1", "127.0.0.1:5353", "[::1]", "[::1]:5353"})
        EXPECT_TRUE(DnsServer::find(place)) << place;
}

/// Answers a message over TCP by what a function makes of it.
class Mangled : public Conversation {
  public:
    using Mangle = std::function<std::string(std::string)>;
    Mangled(int socket, const Mangle& mangle) : socket_(socket), mangle_(mangle) {}
    short go_on() override {
        std::string buffer(65536, '\0');
        const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (got <= 0)
            return 0;
        buffer.resize(static_cast<std::size_t>(got));
        const std::string answer = mangle_(buffer.substr(2));
        const std::string size{static_cast<char>(answer.size() >> 8U), static_cast<char>(answer.size())};
        ::send(socket_, (size + answer).data(), answer.size() + 2, MSG_NOSIGNAL);
        return POLLIN;
    }

  private:
    int socket_;
    const Mangle& mangle_;
};

Error error_of(const Mangled::Mangle& mangle) {
    const int port = free_port();
    auto listener = Listener::open(port, "");
    EXPECT_TRUE(listener->serve([&](int socket) { return std::make_unique<Mangled>(socket, mangle); }));
    const auto server = DnsServer::find(fmt::format("127.0.0.1:{}", port), TsigKey{"a", "hmac-sha256.", "YWJj"});
    const auto answer = server->ask("example.test.", RecordType::soa);
    return answer ? Error{ErrorCode::internal, "was believed", ""} : answer.error();
}

std::string as_answer(std::string message) {
    message[2] = static_cast<char>(message[2] | '\x80'); // RFC 1035, 4.1.1: QR
    return message;
}

/// The error of the signature is followed by an empty field with its length only (RFC 8945, 4.2).
std::string with_signature_error(std::string message, char error) {
    message[message.size() - 3] = error;
    return as_answer(std::move(message));
}

TEST(ForgedAnswer, IsNotBelieved) {
    EXPECT_THAT(error_of([](const std::string& message) { return message; }).message, HasSubstr("another question"));
    EXPECT_THAT(error_of([](std::string message) { return message[0] ^= 1, as_answer(message); }).message,
                HasSubstr("another question"));
    EXPECT_THAT(error_of(as_answer).message, HasSubstr("is not signed by the key a"));
    EXPECT_THAT(error_of([](const std::string&) { return std::string(40, '\xFF'); }).message,
                HasSubstr("makes no sense"));
    EXPECT_THAT(error_of([](const std::string&) { return std::string(); }).message, HasSubstr("does not answer"));
    EXPECT_THAT(error_of([](std::string message) {
                    message[11] = 0;                                  // no additional records
                    return as_answer(message.substr(0, 12 + 14 + 4)); // head, example.test., type and class
                }).message,
                HasSubstr("does not sign"));
}

TEST(SignatureError, IsToldWithWhatToDo) {
    const Error late = error_of([](const std::string& message) { return with_signature_error(message, 18); });
    EXPECT_THAT(late.message, HasSubstr("BADTIME"));
    EXPECT_THAT(late.hint, HasSubstr("clocks"));
    EXPECT_THAT(error_of([](const std::string& message) { return with_signature_error(message, 22); }).message,
                HasSubstr("TSIG error 22"));
}

} // namespace
} // namespace commento
