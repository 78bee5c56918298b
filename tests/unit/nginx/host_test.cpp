#include "nginx/host.hpp"

#include "base/fd.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace commento {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ParseVersion, ReadsWhatDistributionsPrint) {
    EXPECT_EQ(parse_version("nginx version: nginx/1.22.1\n"), (NginxVersion{1, 22, 1}));
    EXPECT_EQ(parse_version("nginx version: nginx/1.26.3 (Ubuntu)\n"), (NginxVersion{1, 26, 3}));
    EXPECT_EQ(parse_version("nginx version: openresty/1.25.3.1\n"), (NginxVersion{1, 25, 3}));
}

TEST(ParseVersion, FailsOnAnythingElse) {
    for (const char* output : {"", "nginx version: nginx/", "nginx version: nginx/99999999999.1.1"}) {
        const auto version = parse_version(output);
        ASSERT_FALSE(version) << output;
        EXPECT_EQ(version.error().code, ErrorCode::web);
    }
}

TEST(DescribeHost, FindsWhatNginxWasBuiltWithAndHasLoaded) {
    const Host host =
        describe_host({1, 26, 3}, true, "configure arguments: --with-http_v2_module --with-http_v3_module",
                      "# configuration file /etc/nginx/nginx.conf:\nuser www-data;\n"
                      "load_module modules/ngx_http_brotli_static_module.so;\n"
                      "events {\n\tworker_connections 768;\n}\n");
    EXPECT_TRUE(host.http3);
    EXPECT_TRUE(host.brotli);
    EXPECT_EQ(host.connections, 768);
}

TEST(DescribeHost, TakesNothingForLoadedThatIsNot) {
    const Host host =
        describe_host({1, 22, 1}, false, "configure arguments: --with-http_v2_module",
                      "#load_module modules/ngx_http_brotli_static_module.so;\n# worker_connections 4;\n");
    EXPECT_FALSE(host.http3);
    EXPECT_FALSE(host.brotli);
    EXPECT_EQ(host.connections, 0);
}

TEST(DescribeHost, KnowsABrotliThatWasBuiltIn) {
    EXPECT_TRUE(describe_host({1, 26, 3}, true, "configure arguments: --add-module=/src/ngx_brotli", "").brotli);
}

TEST(RefusalIn, KeepsTheLinesThatSayWhy) {
    EXPECT_EQ(refusal_in("nginx: [warn] conflicting server name\n"
                         "nginx: [emerg] unknown directive \"x\" in /etc/nginx/sites-enabled/x:1\n"
                         "nginx: configuration file /etc/nginx/nginx.conf test failed\n"),
              "nginx: [emerg] unknown directive \"x\" in /etc/nginx/sites-enabled/x:1");
}

TEST(RefusalIn, KeepsAllWhereNoLineSaysWhy) { EXPECT_EQ(refusal_in("Killed"), "Killed"); }

/// A port of the loopback that a program, this test, listens on.
class TakenPort {
  public:
    explicit TakenPort(int family) : socket_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in6 address{};
        address.sin6_family = static_cast<sa_family_t>(family); // all zero: any port of any address, in both families
        socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        const int on = 1;
        if (family == AF_INET6)
            ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
        EXPECT_EQ(::listen(socket_.get(), 1), 0);
        ::getsockname(socket_.get(), generic, &size);
        number_ = ntohs(address.sin6_port); // at the same place in both families
    }
    int number() const { return number_; }

  private:
    Fd socket_;
    int number_ = 0;
};

int free_port() { return TakenPort(AF_INET).number(); }

TEST(CheckPortsFree, IsContentWithFreePorts) {
    EXPECT_TRUE(check_ports_free({{free_port()}, {free_port()}}, has_ipv6() ? Reach::ipv4_and_ipv6 : Reach::ipv4));
}

TEST(CheckPortsFree, NamesEachPortThatIsTaken) {
    const TakenPort first(AF_INET);
    const TakenPort second(AF_INET);
    const auto free = check_ports_free({{first.number()}, {second.number()}}, Reach::ipv4);
    ASSERT_FALSE(free);
    EXPECT_EQ(free.error().code, ErrorCode::web);
    EXPECT_THAT(free.error().message,
                AllOf(HasSubstr(std::to_string(first.number())), HasSubstr(std::to_string(second.number()))));
    EXPECT_THAT(free.error().hint, HasSubstr("ss -lntup 'sport = :" + std::to_string(first.number())));
}

TEST(CheckPortsFree, SeesAPortTakenOverIpv6Only) {
    if (!has_ipv6())
        GTEST_SKIP() << "this host has no IPv6";
    const TakenPort taken(AF_INET6);
    EXPECT_FALSE(check_ports_free({{taken.number()}}, Reach::ipv4_and_ipv6));
    EXPECT_TRUE(check_ports_free({{taken.number()}}, Reach::ipv4));
}

} // namespace
} // namespace commento
