#include "net/certificate.hpp"

#include "base/files.hpp"
#include "folder.hpp"
#include "net/server.hpp"

#include <ctime>
#include <gmock/gmock.h>
#include <openssl/pem.h>

namespace commento {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

void answer_nothing(Peer& peer) { peer.read(1); }

TEST(Certificate, IsDescribedFromPem) {
    const TestCertificate made("comments.example");
    const auto certificate = parse_certificate(made.pem());
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->serial, "1234");
    EXPECT_EQ(certificate->issuer, "Test issuer");
    EXPECT_THAT(certificate->names, ElementsAre("comments.example", "second.example", "127.0.0.1"));
    EXPECT_TRUE(certificate->self_signed);
    EXPECT_EQ(certificate->not_after - certificate->not_before, 7200);
    EXPECT_NEAR(static_cast<double>(certificate->not_after - std::time(nullptr)), 3600, 60);
    EXPECT_EQ(certificate->fingerprint.size(), 64U);
}

TEST(Certificate, IsTheFirstOfAChain) {
    const auto certificate = parse_certificate(TestCertificate("one.example").pem() + //
                                               TestCertificate("two.example").pem());
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->names.front(), "one.example");
}

TEST(Certificate, OfAnotherIssuerIsNotSelfSigned) {
    const TestCertificate made("comments.example");
    X509_NAME* issuer = X509_get_issuer_name(made.certificate.get());
    const Owned<X509> other(X509_dup(made.certificate.get()));
    const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> name(X509_NAME_dup(issuer), &X509_NAME_free);
    X509_NAME_add_entry_by_txt(name.get(), "OU", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("other"), -1, -1,
                               0);
    X509_set_issuer_name(other.get(), name.get());
    X509_sign(other.get(), made.key.get(), EVP_sha256());
    const Owned<BIO> text(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(text.get(), other.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    const auto certificate = parse_certificate({data, static_cast<std::size_t>(size)});
    ASSERT_TRUE(certificate);
    EXPECT_FALSE(certificate->self_signed);
}

TEST(Certificate, IsMissingInAnythingElse) {
    for (const std::string text : {"", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
        const auto certificate = parse_certificate(text);
        ASSERT_FALSE(certificate) << text;
        EXPECT_EQ(certificate.error().code, ErrorCode::authority);
    }
}

TEST(Certificate, InAFileIsNamedWithTheFileWhereItIsDamaged) {
    const Folder folder;
    ASSERT_TRUE(write_file(folder / "damaged.pem", "nonsense", 0644));
    const auto damaged = read_certificate(folder / "damaged.pem");
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, ErrorCode::storage);
    EXPECT_THAT(damaged.error().message, HasSubstr("damaged.pem: no certificate"));
    EXPECT_EQ(read_certificate(folder / "missing.pem").error().code, ErrorCode::storage);
}

TEST(ServedCertificate, IsTheOneThatTheServerPresents) {
    const TestCertificate made("comments.example");
    const Server server(answer_nothing, &made);
    const auto served = served_certificate("127.0.0.1", server.port(), "comments.example", 10s);
    ASSERT_TRUE(served) << served.error().message;
    EXPECT_EQ(served->fingerprint, parse_certificate(made.pem())->fingerprint);
}

TEST(ServedCertificate, NamesAServerThatIsNotThere) {
    int port = 0;
    {
        const Server server(answer_nothing);
        port = server.port();
    }
    const auto served = served_certificate("127.0.0.1", port, "comments.example", 10s);
    ASSERT_FALSE(served);
    EXPECT_EQ(served.error().code, ErrorCode::network);
    EXPECT_EQ(served.error().message, "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST(ServedCertificate, NamesAServerThatDoesNotSpeakTls) {
    const Server server([](Peer& peer) { peer.write("220 mail.example\r\n"); });
    const auto served = served_certificate("127.0.0.1", server.port(), "comments.example", 10s);
    ASSERT_FALSE(served);
    EXPECT_EQ(served.error().code, ErrorCode::network);
    EXPECT_THAT(served.error().message, HasSubstr("does not complete a TLS handshake"));
}

TEST(ServedCertificate, DoesNotWaitLongerThanTheLimitForASilentServer) {
    const Server silent([](Peer& peer) {
        while (!peer.read().empty()) {
        }
    });
    const auto served = served_certificate("127.0.0.1", silent.port(), "comments.example", 50ms);
    ASSERT_FALSE(served);
    EXPECT_EQ(served.error().code, ErrorCode::network);
    EXPECT_THAT(served.error().message, HasSubstr("in time"));
}

TEST(ServedCertificate, RefusesAnAddressThatIsNone) {
    EXPECT_EQ(served_certificate("localhost", 443, "comments.example", 1s).error().code, ErrorCode::internal);
}

} // namespace
} // namespace commento
