#pragma once
// A real named with zones that take updates, for one test suite.

#include "base/files.hpp"
#include "folder.hpp"
#include "proof/dns_client.hpp"
#include "servers.hpp"

#include <fmt/format.h>

namespace commento {

/// Who signs sees the zones; example.test and acme.test take TXT records from `writer`, locked.test from nobody. Who
/// does not sign sees example.test too, and outside.test, which the others don't.
class NameServer {
  public:
    NameServer() {
        zone("example.test", "kept 60 TXT kept\n_acme-challenge.kept 60 TXT kept\n");
        zone("acme.test", "");
        zone("locked.test", "");
        zone("alias.test",
             "_acme-challenge.www CNAME www.acme.test.\n"
             "_acme-challenge.far CNAME _acme-challenge.outside.test.\n"
             "_acme-challenge.loop CNAME two\ntwo CNAME three\nthree CNAME two\n"
             "_acme-challenge.eight CNAME s2\n_acme-challenge.nine CNAME s1\ns1 CNAME s2\ns2 CNAME s3\n"
             "s3 CNAME s4\ns4 CNAME s5\ns5 CNAME s6\ns6 CNAME s7\ns7 CNAME s8\ns8 CNAME end.acme.test.\n");
        zone("outside.test", "_acme-challenge CNAME outside.acme.test.\n");
        EXPECT_TRUE(write_file(folder_ / "named.conf", config(), 0600));
        start();
    }

    void start() {
        // A copy: where AppArmor confines named, it does so by its path, and lets it read no other folder.
        std::filesystem::copy_file("/usr/sbin/named", folder_ / "named",
                                   std::filesystem::copy_options::overwrite_existing);
        child_ = std::make_unique<Child>(
            std::vector<std::string>{folder_ / "named", "-g", "-n", "1", "-c", folder_ / "named.conf"},
            folder_ / "log");
        wait_for_server(port_);
    }

    std::string place() const { return fmt::format("127.0.0.1:{}", port_); }

    /// A file with a key under that name; named has the secret of `writer` and of `reader`, and no other key.
    std::filesystem::path key_file(const std::string& name, const std::string& secret = kSecret) const {
        const auto file = folder_ / (name + ".key");
        EXPECT_TRUE(write_file(file, key(name, secret), 0600));
        return file;
    }

    /// One that signs.
    DnsServer signing() const { return DnsServer::find(place(), *read_tsig_key(key_file("writer"))).value(); }

    DnsServer not_signing() const { return DnsServer::find(place()).value(); }

    std::vector<std::string> texts(const std::string& owner) const {
        std::vector<std::string> texts;
        const auto answer = signing().ask(owner, RecordType::txt);
        EXPECT_TRUE(answer);
        for (const auto& record : answer->answers)
            texts.push_back(record.data);
        return texts;
    }

    static constexpr const char* kSecret = "nleF4DRX8APBV+5RGRDRq+s+F2/5W3M9GrdY8+wDDU4=";

  private:
    static std::string key(const std::string& name, const std::string& secret) {
        return fmt::format("key \"{}\" {{\n\talgorithm hmac-sha256;\n\tsecret \"{}\";\n}};\n", name, secret);
    }

    void zone(const std::string& name, const std::string& records) {
        EXPECT_TRUE(
            write_file(folder_ / name,
                       fmt::format("$TTL 60\n$ORIGIN {}.\n@ SOA localhost. root.localhost. 1 3600 600 86400 60\n"
                                   "@ NS localhost.\n{}",
                                   name, records),
                       0600));
    }

    std::string config() const {
        const auto primary = [](const std::string& name, const std::string& policy = "") {
            return fmt::format("zone \"{0}\" {{ type primary; file \"{0}\"; {1} }};\n", name, policy);
        };
        const std::string writable = "update-policy { grant writer zonesub TXT; };";
        return key("writer", kSecret) + key("reader", kSecret) +
               fmt::format(
                   "options {{ directory \"{0}\"; listen-on port {1} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; "
                   "recursion no; dnssec-validation no; notify no; pid-file none; session-keyfile none; }};\n"
                   "controls {{ }};\n",
                   folder_.path().string(), port_) +
               "view signed { match-clients { key writer; key reader; };\n" + primary("example.test", writable) +
               primary("acme.test", writable) + primary("locked.test") + primary("alias.test") +
               "};\nview plain { match-clients { any; };\nzone \"example.test\" { in-view signed; };\n" +
               primary("outside.test") + "};\n";
    }

    Folder folder_;
    int port_ = free_port();
    std::unique_ptr<Child> child_;
};

/// One server for all tests of a suite.
class WithNameServer : public testing::Test {
  protected:
    static void SetUpTestSuite() { server_ = std::make_unique<NameServer>(); }
    static void TearDownTestSuite() { server_.reset(); }

    static inline std::unique_ptr<NameServer> server_;
};

} // namespace commento
