// DATABASE_URL means the same to us as to libpq, and with it to psql and every other program that takes it.

#include "config/database_url.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <libpq-fe.h>
#include <map>
#include <memory>

namespace commento {
namespace {

using Words = std::map<std::string, std::string>;

/// What libpq makes of it, without what it does not say. Its defaults are filled in later, by PQconnectdb().
Words words_of_libpq(const std::string& url) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), &message),
                                                                               &PQconninfoFree);
    EXPECT_TRUE(options) << url << ": " << (message == nullptr ? "" : message);
    PQfreemem(message);
    Words words;
    for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val != nullptr && *option->val != '\0')
            words.emplace(option->keyword, option->val);
    }
    // A host without a port, or with an empty one, has the standard one.
    const auto hosts = std::ranges::count(words["host"], ',') + 1;
    std::string ports;
    std::string given = words["port"];
    for (auto left = hosts; left > 0; --left) {
        const std::string port = given.substr(0, given.find(','));
        given.erase(0, given.find(',') == std::string::npos ? given.size() : given.find(',') + 1);
        ports += (ports.empty() ? "" : ",") + (port.empty() ? "5432" : port);
    }
    words["port"] = ports;
    return words;
}

Words our_words(const std::string& text) {
    const auto url = parse_database_url(text);
    EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error());
    if (!url)
        return {};
    std::vector<std::string> names;
    std::vector<int> ports;
    for (const auto& host : url->hosts) {
        names.push_back(host.name);
        ports.push_back(host.port);
    }
    Words words{{"host", fmt::format("{}", fmt::join(names, ","))},
                {"port", fmt::format("{}", fmt::join(ports, ","))},
                {"user", url->user},
                {"password", url->password},
                {"dbname", url->database},
                {"sslmode", url->tls_mode},
                {"sslrootcert", url->authorities},
                {"target_session_attrs", url->session_attributes}};
    std::erase_if(words, [](const auto& word) { return word.second.empty(); });
    return words;
}

class DatabaseUrlForLibpq : public testing::TestWithParam<const char*> {};

TEST_P(DatabaseUrlForLibpq, MeansTheSame) { EXPECT_EQ(our_words(GetParam()), words_of_libpq(GetParam())); }

INSTANTIATE_TEST_SUITE_P(
    Examples, DatabaseUrlForLibpq,
    testing::Values("postgresql://comments@db.example.org/blog", "postgres://comments@db.example.org/blog",
                    "postgresql://comments:s3cret@db.example.org:5433/blog",
                    "postgresql://comments@a.example.org:5433,b.example.org,192.0.2.7:6000/blog",
                    "postgresql://comments@[2001:db8::7]:5433,[::1]/blog",
                    "postgresql://comments@/blog?host=/run/postgresql&port=5433",
                    "postgresql://comments@%2Frun%2Fpostgresql/blog", "postgresql://comments@db.example.org:/blog",
                    "postgresql://com%40ments:p%2Fq%3A%25@db.example.org/my%20blog?sslrootcert=%2Fca%26.pem",
                    "postgresql://db.example.org?user=comments&password=p%26q&dbname=blog",
                    "postgresql://comments@db.example.org/blog?user=other",
                    "postgresql://comments@db.example.org/blog?sslmode=verify-ca&sslrootcert=/etc/ssl/db.pem&"
                    "target_session_attrs=primary"));

/// What libpq refuses, or reads in another way, is refused rather than read in a third one.
TEST(DatabaseUrlThatLibpqReadsOtherwise, IsRefused) {
    for (const char* text :
         {"postgresql://comments@[::1/blog", "postgresql://comments@[::1]5433/blog",
          "postgresql://comments@db.example.org:-5/blog", "postgresql://comments@a.example.org/blog?host=b.example.org",
          "postgresql://comments@a.example.org/blog?port=5433"})
        EXPECT_FALSE(parse_database_url(text)) << text;
}

} // namespace
} // namespace commento
