#include "database_address.hpp"

#include "failure.hpp"
#include "log.hpp"
#include "text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string_view>

namespace standin {

namespace {

[[noreturn]] void refuse(const std::string& complaint) {
    log(Level::error, "invalid postgres connection URI: " + complaint);
    throw FatalError("the database address cannot be understood: " + complaint);
}

struct Parts {
    std::string_view scheme, user, host, path, query;
    bool has_user = false;
};

Parts split(std::string_view address) {
    Parts parts;
    const std::size_t scheme = address.find("://");
    parts.scheme = address.substr(0, scheme);
    std::string_view rest = address.substr(scheme + 3);
    if (const std::size_t at = rest.find('?'); at != rest.npos) {
        parts.query = rest.substr(at + 1);
        rest = rest.substr(0, at);
    }
    if (const std::size_t at = rest.find('/'); at != rest.npos) {
        parts.path = rest.substr(at);
        rest = rest.substr(0, at);
    }
    if (const std::size_t at = rest.rfind('@'); at != rest.npos) {
        parts.has_user = true;
        parts.user = rest.substr(0, at);
        rest = rest.substr(at + 1);
    }
    parts.host = rest;
    return parts;
}

std::optional<unsigned> escape_at(std::string_view text, std::size_t at) {
    unsigned value = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) {
        return std::nullopt;
    }
    return value;
}

void check_escapes(std::string_view text) {
    for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
        if (!escape_at(text, at)) {
            refuse("a percent sign without two hexadecimal digits");
        }
    }
}

// The host takes no escaped ASCII: that is why a socket's folder cannot be given there, only as ?host=.
void check_host(std::string_view host) {
    check_escapes(host);
    for (std::size_t at = host.find('%'); at != host.npos; at = host.find('%', at + 1)) {
        if (*escape_at(host, at) < 0x80) {
            refuse("an escape in the host name");
        }
    }
    if (host.find_first_of(" <>\"\\^`{|}") != host.npos) {
        refuse("a character in the host name that cannot be there");
    }
    const std::size_t bracket = host.rfind(']');
    const std::size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (colon != host.npos && !std::all_of(host.begin() + static_cast<long>(colon) + 1, host.end(), is_digit)) {
        refuse("the port is not a number");
    }
}

std::string decoded(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto escape = text[at] == '%' ? escape_at(text, at) : std::nullopt;
        plain += escape ? static_cast<char>(*escape) : text[at] == '+' ? ' ' : text[at];
        at += escape ? 2 : 0;
    }
    return plain;
}

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

bool libpq_knows(const std::string& keyword) {
    const Options defaults(PQconndefaults(), &PQconninfoFree);
    for (const PQconninfoOption* option = defaults.get(); option != nullptr && option->keyword; ++option) {
        if (keyword == option->keyword) {
            return true;
        }
    }
    return false;
}

void take_query(DatabaseAddress& address, std::string_view query) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const std::string name = decoded(pair.substr(0, pair.find('=')));
        const std::string value = pair.find('=') == pair.npos ? "" : decoded(pair.substr(pair.find('=') + 1));
        if (name == "binary_parameters") {
            address.binary_parameters = value == "yes";
        } else if (libpq_knows(name)) {
            address.parameters[name] = value;
        } else if (!name.empty()) {
            address.parameters["options"] += " -c " + name + "=" + value; // a setting of the server's session
        }
    }
}

void take_libpq_parameters(DatabaseAddress& address, const std::string& text) {
    char* complaint = nullptr;
    const Options options(PQconninfoParse(text.c_str(), &complaint), &PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(complaint, &PQfreemem);
    if (options == nullptr) {
        refuse(complaint == nullptr ? "out of memory" : std::string(trimmed(complaint)));
    }
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            address.parameters[option->keyword] = option->val;
        }
    }
}

// Where libpq would guess a socket and try TLS first, the application's driver takes localhost and insists on TLS.
void apply_driver_defaults(DatabaseAddress& address) {
    const auto unset = [&](const char* keyword, const char* variable) {
        return address.parameters[keyword].empty() && std::getenv(variable) == nullptr;
    };
    if (unset("host", "PGHOST")) {
        address.parameters["host"] = "localhost";
    }
    if (unset("sslmode", "PGSSLMODE")) {
        address.parameters["sslmode"] = "require";
    }
}

void take_url(DatabaseAddress& result, const std::string& address) {
    const Parts parts = split(address);
    check_escapes(parts.user);
    check_escapes(parts.path);
    check_host(parts.host);
    const std::string user = std::string(parts.user.substr(0, parts.user.find(':')));
    const std::string scheme = std::string(parts.scheme) + "://";
    const std::string tail = std::string(parts.host) + std::string(parts.path);
    const std::string query = parts.query.empty() ? "" : "?" + std::string(parts.query);
    result.shown = scheme + user + ":redacted@" + tail + query;
    const std::string userinfo = parts.has_user ? std::string(parts.user) + "@" : "";
    take_libpq_parameters(result, scheme + userinfo + tail);
    take_query(result, parts.query);
}

} // namespace

DatabaseAddress parse_database_address(const std::string& address) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(address.begin(), address.end(), is_control)) {
        refuse("a control character");
    }
    DatabaseAddress result;
    if (address.starts_with("postgres://") || address.starts_with("postgresql://")) {
        take_url(result, address);
    } else {
        result.shown = "//:redacted@/" + address;
        take_libpq_parameters(result, address);
    }
    apply_driver_defaults(result);
    return result;
}

} // namespace standin
