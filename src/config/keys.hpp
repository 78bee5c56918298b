#pragma once
// The settings table: each key of /etc/commento-stack/*.conf declared once. The man page, the shipped file,
// `commentoctl show-config` and validation agree with it (tests/unit/config).

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

enum class ValueType {
    text,
    word,
    boolean,
    hostname,
    names,
    host_and_port,
    email,
    port,
    https_url,
    url,
    path,
    choice,
    sha256,
    number,
    count,
    networks,
    database_url,
    emails,
    mail_server
};
enum class Secrecy { open, secret };
enum class Presence { optional, mandatory };

struct Key {
    std::string_view name;
    ValueType type;
    std::string_view standard; ///< the default; empty: none, or derived as `help` says
    std::string_view help;
    std::string_view choices = {}; ///< for ValueType::choice: the words, separated by spaces
    Secrecy secrecy = Secrecy::open;
    Presence presence = Presence::optional;
};

std::span<const Key> all_keys();

/// The key of that name; null when there is none.
const Key* find_key(std::string_view name);

/// Whether a key may stand in a file below certificates/, which asks for a further certificate.
bool is_for_one_certificate(std::string_view name);

/// An IPv4 or IPv6 address as inet_pton(3) reads it.
bool is_ip_address(std::string_view text);

/// An IP address or, with /BITS, a network.
bool is_network(std::string_view text);

/// What stands between the separators, empty pieces too; at least one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The words of a value that are separated by spaces.
std::vector<std::string> words_in(std::string_view value);

/// The addresses of a value, which are separated by commas or spaces.
std::vector<std::string> emails_in(std::string_view value);

/// A name in the form that certificates have it in: host names in lower case, addresses as inet_ntop(3) writes them.
std::string canonical_name(std::string_view name);

/// The name in the table that is nearest to a mistyped one; empty when none is near.
std::string_view nearest_key(std::string_view name);

/// Why `value` can't be the key's, with what would be right; empty when it can.
std::string problem_with(const Key& key, std::string_view value);

} // namespace commento
