// The rendered sites in a real nginx with a folder of its own, beside whatever this host runs.

#include "base/pace.hpp"
#include "base/process.hpp"
#include "folder.hpp"
#include "golden.hpp"
#include "nginx/served.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>

namespace commento {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

void make_certificate(const Paths& paths) {
    std::filesystem::create_directories(paths.tls_live());
    const auto made = run_program({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                   "-nodes", "-days", "2", "-subj", "/CN=comments.example.org", "-keyout",
                                   paths.tls_key().string(), "-out", paths.tls_chain().string()},
                                  60s);
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_EQ(made->status, 0) << made->output;
}

class RealNginx : public testing::Test {
  protected:
    void SetUp() override {
        const auto found = look_at_host();
        if (!found)
            GTEST_SKIP() << found.error().message;
        if (::geteuid() != 0)
            GTEST_SKIP() << "only root may have nginx bind port 80";
        host = *found;
        for (const auto& file : {paths.nginx_site(), paths.nginx_log(), paths.nginx_status()})
            std::filesystem::create_directories(file.parent_path());
        std::filesystem::create_directory_symlink("/usr/lib/nginx/modules", folder / "modules");
        make_certificate(paths);
        ASSERT_TRUE(write_file(folder / "nginx.conf", main_configuration(), 0644));
    }

    std::string main_configuration() const {
        std::string own_places;
        for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
            own_places += fmt::format("    {}_temp_path {};\n", kind, (folder / kind).string());
        return fmt::format("include /etc/nginx/modules-enabled/*.conf;\npid {}/pid;\nevents {{ }}\nhttp {{\n    "
                           "access_log off;\n{}    include {};\n}}\n",
                           folder.path().string(), own_places, paths.nginx_site().string());
    }

    /// Writes the settings' site where this nginx reads it.
    void write_site(const Settings& settings, const Host& on, int beside_port = 0) {
        const auto certificate = read_certificate(paths.tls_chain());
        ASSERT_TRUE(certificate) << certificate.error().message;
        const auto text =
            render_site(shipped_template(), describe_site(settings, paths, on, *certificate, beside_port));
        ASSERT_TRUE(text) << text.error().message;
        ASSERT_TRUE(write_file(paths.nginx_site(), *text, 0644));
    }

    Host with_ipv6(bool ipv6) const {
        Host changed = host;
        changed.ipv6 = ipv6;
        return changed;
    }

    Outcome nginx(std::vector<std::string> options) const {
        const std::string own = folder.path().string() + "/";
        std::vector<std::string> command{"nginx", "-p", own, "-c", own + "nginx.conf", "-e", own + "error.log"};
        command.insert(command.end(), options.begin(), options.end());
        return run_program(command, 60s).value_or(Outcome{-1, "nginx did not run"});
    }

    Folder folder;
    Paths paths{folder.path()};
    Host host{};
};

class RealNginxWith : public RealNginx, public testing::WithParamInterface<Golden> {};

TEST_P(RealNginxWith, AcceptsTheRenderedSite) {
    if (GetParam().host.ipv6 && !host.ipv6)
        GTEST_SKIP() << "this host has no IPv6";
    ASSERT_NO_FATAL_FAILURE(write_site(*Settings::load(GetParam().in()), with_ipv6(GetParam().host.ipv6)));
    const Outcome test = nginx({"-t"});
    EXPECT_EQ(test.status, 0) << test.output;
    EXPECT_THAT(test.output, testing::Not(HasSubstr("[warn]")));
}

TEST_P(RealNginxWith, AcceptsTheSiteOfAChangeover) {
    constexpr int kBeside = 8081;
    ASSERT_NO_FATAL_FAILURE(write_site(*Settings::load(GetParam().in()), with_ipv6(false), kBeside));
    const Outcome test = nginx({"-t"});
    EXPECT_EQ(test.status, 0) << test.output;
}

INSTANTIATE_TEST_SUITE_P(AllGolden, RealNginxWith, testing::ValuesIn(all_golden()), [](const auto& golden) {
    std::string name = golden.param.name;
    std::erase(name, '-');
    return name;
});

/// Ports that are free at this moment, both held until both are known.
std::pair<int, int> two_free_ports() {
    const auto bound = [](const Fd& socket) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket.get(), generic, size), 0);
        ::getsockname(socket.get(), generic, &size);
        return static_cast<int>(ntohs(address.sin_port));
    };
    const Fd first(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Fd second(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return {bound(first), bound(second)};
}

class RunningNginx : public RealNginx {
  protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(RealNginx::SetUp());
        if (IsSkipped())
            return;
        std::tie(http_port, https_port) = two_free_ports();
        ASSERT_NO_FATAL_FAILURE(configure(kApplicationPort));
        const Outcome started = nginx({});
        ASSERT_EQ(started.status, 0) << started.output;
    }

    void TearDown() override {
        if (runs())
            stop();
    }

    bool runs() const { return std::filesystem::exists(folder / "pid"); }

    /// Returns once nginx has taken its pid file away, which it does last.
    void stop() const {
        EXPECT_EQ(nginx({"-s", "stop"}).status, 0);
        Pace pace(5ms, 100ms, 10s);
        while (runs())
            ASSERT_TRUE(pace.wait());
    }

    /// Settings and site as render() leaves them, but for nginx having loaded the site.
    void configure(int application_port) {
        const std::string text = fmt::format("DOMAIN=comments.example.org\nEMAIL=you@example.org\n"
                                             "HTTP_PORT={}\nHTTPS_PORT={}\nCOMMENTO_PORT={}\n",
                                             http_port, https_port, application_port);
        std::filesystem::create_directories(paths.settings().parent_path());
        ASSERT_TRUE(write_file(paths.settings(), text, 0644));
        settings = *Settings::load(paths);
        write_site(settings, host);
    }

    std::string difference_now() { return difference(*read_expected(paths), settings); }

    /// Whether nginx, told to reload, serves what is on disk within 10 s.
    bool serves_all_after_reload() {
        EXPECT_EQ(nginx({"-s", "reload"}).status, 0);
        Pace pace(5ms, 100ms, 10s);
        while (!difference_now().empty()) {
            if (!pace.wait())
                return false;
        }
        return true;
    }

    static constexpr int kApplicationPort = 8080;
    int http_port = 0;
    int https_port = 0;
    Settings settings;
};

TEST_F(RunningNginx, ServesWhatIsOnDisk) { EXPECT_THAT(difference_now(), IsEmpty()); }

TEST_F(RunningNginx, IsSeenToServeAFormerCertificateUntilItReloads) {
    make_certificate(paths);
    EXPECT_THAT(difference_now(), HasSubstr("serves the certificate with serial"));
    EXPECT_TRUE(serves_all_after_reload()) << difference_now();
}

TEST_F(RunningNginx, IsSeenToServeAFormerRenderingUntilItReloads) {
    ASSERT_NO_FATAL_FAILURE(configure(kApplicationPort + 1));
    EXPECT_THAT(difference_now(), HasSubstr("serves another rendering"));
    EXPECT_TRUE(serves_all_after_reload()) << difference_now();
}

TEST_F(RunningNginx, IsSeenToBeDown) {
    stop();
    EXPECT_THAT(difference_now(), HasSubstr("connect"));
}

TEST(ReadExpected, FailsWhereThereIsNoSite) {
    const Folder folder;
    const auto expected = read_expected(Paths{folder.path()});
    ASSERT_FALSE(expected);
    EXPECT_EQ(expected.error().code, ErrorCode::web);
    EXPECT_THAT(expected.error().hint, HasSubstr("commento-nginx-render"));
}

} // namespace
} // namespace commento
