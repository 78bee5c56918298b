#include "proof/alpn_listener.hpp"

#include "net/openssl.hpp"
#include "servers.hpp"

#include <gmock/gmock.h>

namespace commento {
namespace {

using testing::HasSubstr;

const std::string kProof("\x0A"
                         "acme-tls/1");
const std::string kWeb("\x08http/1.1");

const std::vector<Challenge> kChallenges{{"comments.example", "tls-alpn-01", "", "one", "one.print"},
                                         {"other.example", "tls-alpn-01", "", "two", "two.print"},
                                         {"192.0.2.1", "tls-alpn-01", "", "three", "three.print"},
                                         {"2001:db8::1", "tls-alpn-01", "", "four", "four.print"}};
constexpr const char* kReverse6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";

/// What a client sees.
struct Seen {
    bool done = false;
    std::string protocol{};
    std::string version{};
    Owned<X509> certificate{};
};

Seen shake_hands(int port, const std::string& name, const std::string& protocols, int version = TLS1_3_VERSION) {
    const Fd socket = connected("127.0.0.1", port);
    const Owned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(context.get(), version);
    const Owned<SSL> tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), socket.get());
    if (!name.empty())
        SSL_set_tlsext_host_name(tls.get(), name.c_str());
    if (!protocols.empty())
        SSL_set_alpn_protos(tls.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned int>(protocols.size()));
    Seen seen;
    seen.done = SSL_connect(tls.get()) == 1;
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(tls.get(), &chosen, &size);
    seen.protocol.assign(reinterpret_cast<const char*>(chosen), size);
    seen.version = SSL_get_version(tls.get());
    seen.certificate.reset(SSL_get1_peer_certificate(tls.get()));
    return seen;
}

/// Value of the extension acmeIdentifier, where it is critical.
std::string proof_in(const X509* certificate) {
    const std::unique_ptr<ASN1_OBJECT, decltype(&ASN1_OBJECT_free)> id(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1),
                                                                       &ASN1_OBJECT_free);
    const int at = X509_get_ext_by_OBJ(certificate, id.get(), -1);
    X509_EXTENSION* extension = at < 0 ? nullptr : X509_get_ext(certificate, at);
    if (extension == nullptr || X509_EXTENSION_get_critical(extension) != 1)
        return {};
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
            static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::vector<std::string> names_in(const X509* certificate) {
    std::vector<std::string> names;
    const Owned<GENERAL_NAMES> found(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; i < sk_GENERAL_NAME_num(found.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
        const ASN1_STRING* text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
        names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                           static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
    return names;
}

class AlpnListener : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(prover_->check({"comments.example"}));
        const auto shown = prover_->show(kChallenges);
        ASSERT_TRUE(shown) << shown.error().message;
    }

    int port_ = free_port();
    std::unique_ptr<AlpnProver> prover_ = std::make_unique<AlpnProver>(port_);
};

TEST_F(AlpnListener, PresentsTheProofOfEachName) {
    for (std::size_t i = 0; i < 2; ++i) {
        const Seen seen = shake_hands(port_, kChallenges[i].name, kProof);
        ASSERT_TRUE(seen.done);
        EXPECT_EQ(seen.protocol, "acme-tls/1");
        EXPECT_EQ(proof_in(seen.certificate.get()), "\x04\x20" + digest_of(kChallenges[i]));
        EXPECT_THAT(names_in(seen.certificate.get()), testing::ElementsAre(kChallenges[i].name));
        EXPECT_EQ(X509_self_signed(seen.certificate.get(), 1), 1);
    }
}

TEST_F(AlpnListener, PresentsTheProofOfAnAddressUnderItsReverseName) {
    const Seen ipv4 = shake_hands(port_, "1.2.0.192.in-addr.arpa", kProof);
    ASSERT_TRUE(ipv4.done);
    EXPECT_EQ(proof_in(ipv4.certificate.get()), "\x04\x20" + digest_of(kChallenges[2]));
    EXPECT_THAT(names_in(ipv4.certificate.get()), testing::ElementsAre(std::string("\xC0\x00\x02\x01", 4)));
    const Seen ipv6 = shake_hands(port_, kReverse6, kProof);
    ASSERT_TRUE(ipv6.done);
    EXPECT_EQ(proof_in(ipv6.certificate.get()), "\x04\x20" + digest_of(kChallenges[3]));
}

TEST_F(AlpnListener, DoesNotMindHowTheNameIsWritten) {
    EXPECT_TRUE(shake_hands(port_, "Comments.EXAMPLE", kProof).done);
}

TEST_F(AlpnListener, SpeaksTls12AndNothingOlder) {
    const Seen old = shake_hands(port_, "comments.example", kProof, TLS1_2_VERSION);
    EXPECT_TRUE(old.done);
    EXPECT_EQ(old.version, "TLSv1.2");
    EXPECT_FALSE(shake_hands(port_, "comments.example", kProof, TLS1_1_VERSION).done);
}

TEST_F(AlpnListener, RefusesWhoDoesNotAskForAProof) {
    for (const std::string& protocols : {std::string(), kWeb, kWeb + kProof, kProof + kWeb}) {
        const Seen seen = shake_hands(port_, "comments.example", protocols);
        EXPECT_FALSE(seen.done);
        EXPECT_FALSE(seen.certificate);
    }
}

TEST_F(AlpnListener, RefusesAnyOtherName) {
    for (const std::string name : {"", "example", "www.comments.example", "2.2.0.192.in-addr.arpa"}) {
        const Seen seen = shake_hands(port_, name, kProof);
        EXPECT_FALSE(seen.done) << name;
        EXPECT_FALSE(seen.certificate) << name;
    }
}

TEST_F(AlpnListener, CutsOffWhoDoesNotSpeakTls) {
    for (const std::string& words : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100000, '\x16'),
                                     std::string("\x16\x03\x01\x3F\xFF\x01", 6) + std::string(100000, 'x')}) {
        const Fd client = connected("127.0.0.1", port_);
        send_all(client, words);
        receive_all(client);
    }
    EXPECT_TRUE(shake_hands(port_, "comments.example", kProof).done);
}

TEST_F(AlpnListener, ServesOthersWhileOneIsSlow) {
    const Fd silent = connected("127.0.0.1", port_);
    send_all(silent, std::string("\x16\x03\x01", 3));
    EXPECT_TRUE(shake_hands(port_, "comments.example", kProof).done);
}

TEST_F(AlpnListener, PointsToAnotherChallengeWhereThePortIsTaken) {
    AlpnProver second(port_);
    const auto checked = second.check({"comments.example"});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::web);
    EXPECT_THAT(checked.error().message, HasSubstr("Address already in use"));
    EXPECT_THAT(checked.error().hint, HasSubstr("ACME_CHALLENGE=http-01"));
}

TEST_F(AlpnListener, GoesWithItsProver) {
    prover_.reset();
    EXPECT_FALSE(connected("127.0.0.1", port_));
}

TEST(ServerName, IsTheNameOrTheReverseNameOfAnAddress) {
    EXPECT_EQ(server_name_of("comments.example"), "comments.example");
    EXPECT_EQ(server_name_of("192.0.2.1"), "1.2.0.192.in-addr.arpa");
    EXPECT_EQ(server_name_of("2001:db8::1"), kReverse6);
}

} // namespace
} // namespace commento
