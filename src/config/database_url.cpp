#include "config/database_url.hpp"

#include "base/translate.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace commento {
namespace {

using Problem = tl::unexpected<std::string>;

constexpr std::array<std::string_view, 2> kSchemes{"postgresql://", "postgres://"};
constexpr int kStandardPort = 5432;

// 63 bytes are the longest name (NAMEDATALEN), and the backups' own databases add up to nine to it (db/databases.hpp).
constexpr std::size_t kLongestRole = 63;
constexpr std::size_t kLongestDatabase = 54;

// What is wrong is never quoted: where a password is not encoded as it has to be, it may be a piece of that.
constexpr const char* kNoHost =
    msgid("holds a host that is none; a / ? @ : % or space in a password is written as %2F %3F %40 "
          "%3A %25 %20");

constexpr std::string_view kModes = "disable allow prefer require verify-ca verify-full";
constexpr std::string_view kAttributes = "read-write primary";

std::optional<std::string> decoded(std::string_view text) {
    constexpr int kHexadecimal = 16;
    std::string plain;
    while (!text.empty()) {
        if (text.front() != '%') {
            plain += text.front();
            text.remove_prefix(1);
            continue;
        }
        unsigned char byte = 0;
        const auto digits = text.substr(1, 2);
        const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, kHexadecimal);
        if (digits.size() != 2 || end != digits.data() + 2 || fault != std::errc() || std::iscntrl(byte) != 0)
            return std::nullopt;
        plain += static_cast<char>(byte);
        text.remove_prefix(3);
    }
    return plain;
}

/// Cuts off what comes before the first of `marks`; nothing is left where there is none.
std::string_view take(std::string_view& text, std::string_view marks) {
    const auto at = text.find_first_of(marks);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at);
    return taken;
}

/// 0 where it is none.
int port_of(std::string_view digits) {
    constexpr int kHighest = 65535;
    int port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const bool whole = fault == std::errc() && end == digits.data() + digits.size();
    return whole && port > 0 && port <= kHighest ? port : 0;
}

bool is_host(std::string_view name) {
    return name.starts_with('/') || is_ip_address(name) ||
           (!name.empty() && std::ranges::all_of(name, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
           }));
}

class Parser {
  public:
    tl::expected<DatabaseUrl, std::string> parse(std::string_view text) {
        const auto* const scheme =
            std::ranges::find_if(kSchemes, [&](std::string_view each) { return text.starts_with(each); });
        if (scheme == kSchemes.end())
            return Problem(tr("is no address of a PostgreSQL server; it has the form postgresql://USER@HOST/DATABASE"));
        text.remove_prefix(scheme->size());
        std::string_view authority = take(text, "/?");
        const std::string_view path = take(text, "?");
        take_user(authority);
        take_hosts(authority);
        take_text(path.empty() ? path : path.substr(1), url_.database, "database");
        if (!text.empty())
            take_parameters(text.substr(1));
        complete();
        if (!problem_.empty())
            return Problem(problem_);
        return url_;
    }

  private:
    void complain(std::string problem) {
        if (problem_.empty())
            problem_ = std::move(problem);
    }

    void take_text(std::string_view text, std::string& to, std::string_view what) {
        auto plain = decoded(text);
        if (!plain)
            complain(tr("has a % in its {} that no two hexadecimal digits of a printable character follow", what));
        to = std::move(plain).value_or("");
    }

    void take_user(std::string_view& authority) {
        const auto at = authority.rfind('@');
        if (at == std::string_view::npos)
            return;
        std::string_view user = authority.substr(0, at);
        authority.remove_prefix(at + 1);
        take_text(take(user, ":"), url_.user, "user");
        if (!user.empty())
            take_text(user.substr(1), url_.password, "password");
    }

    void take_hosts(std::string_view authority) {
        if (authority.empty())
            return;
        for (std::string_view host : split(authority, ',')) {
            std::string name;
            if (host.starts_with('[')) {
                name = take(host, "]").substr(1);
                if (!is_ip_address(name) || !(host == "]" || host.starts_with("]:")))
                    complain(translated(kNoHost));
                host.remove_prefix(host.empty() ? 0 : 1);
            } else {
                take_text(take(host, ":"), name, "host");
            }
            add_host(std::move(name), host.empty() ? "" : host.substr(1));
        }
    }

    void add_host(std::string name, std::string_view port) {
        const int number = port.empty() ? kStandardPort : port_of(port);
        if (!is_host(name))
            complain(translated(kNoHost));
        if (number == 0)
            complain(tr("holds a port that is none; it is a whole number from 1 to 65535"));
        url_.hosts.push_back({std::move(name), number});
    }

    void take_parameters(std::string_view text) {
        for (std::string_view parameter : split(text, '&')) {
            const std::string_view name = take(parameter, "=");
            std::string value;
            take_text(parameter.empty() ? parameter : parameter.substr(1), value, "parameters");
            take_parameter(name, std::move(value));
        }
    }

    void take_parameter(std::string_view name, std::string value) {
        if (name == "host")
            socket_ = std::move(value);
        else if (name == "port")
            port_ = std::move(value);
        else if (name == "user")
            url_.user = std::move(value);
        else if (name == "password")
            url_.password = std::move(value);
        else if (name == "dbname")
            url_.database = std::move(value);
        else if (name == "sslmode")
            take_choice(name, std::move(value), kModes, url_.tls_mode);
        else if (name == "target_session_attrs")
            take_choice(name, std::move(value), kAttributes, url_.session_attributes);
        else if (name == "sslrootcert" && value.starts_with('/'))
            url_.authorities = std::move(value);
        else if (name == "sslrootcert")
            complain(tr("has an sslrootcert that is no absolute path"));
        else
            complain(tr("has a parameter that the pool does not know; it knows sslmode, sslrootcert and "
                        "target_session_attrs"));
    }

    void take_choice(std::string_view name, std::string value, std::string_view choices, std::string& to) {
        const auto words = split(choices, ' ');
        if (std::ranges::find(words, value) == words.end())
            complain(tr("has a value for {} that is not one of: {}", name, choices));
        to = std::move(value);
    }

    void complete() {
        if (!url_.hosts.empty() && !(socket_.empty() && port_.empty()))
            complain(tr("names host or port a second time among its parameters"));
        if (!socket_.empty())
            add_host(std::move(socket_), port_);
        if (url_.hosts.empty())
            complain(tr("names no host"));
        if (url_.user.empty() || url_.user.size() > kLongestRole)
            complain(tr("names no user, or one whose name is too long"));
        if (url_.database.empty() || url_.database.size() > kLongestDatabase)
            complain(tr("names no database, or one whose name is longer than {} bytes", kLongestDatabase));
    }

    DatabaseUrl url_{};
    std::string socket_;
    std::string port_;
    std::string problem_;
};

} // namespace

tl::expected<DatabaseUrl, std::string> parse_database_url(std::string_view url) { return Parser().parse(url); }

} // namespace commento
