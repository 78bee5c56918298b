#include "config/keys.hpp"

#include "base/translate.hpp"
#include "config/database_url.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <boost/locale/utf.hpp>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace commento {
namespace {

constexpr auto kSecret = Secrecy::secret;
constexpr auto kMandatory = Presence::mandatory;
using enum ValueType;

constexpr std::array kKeys{
    Key{"DOMAIN", hostname, "", msgid("Name of the comment server, such as comments.example.org."), "", {}, kMandatory},
    Key{"EMAIL", email, "", msgid("Address that the certificate authority writes to."), "", {}, kMandatory},
    Key{"TEST", boolean, "false", msgid("Use Let's Encrypt's staging authority: certificates that no browser trusts.")},
    Key{"TLS_MODE", choice, "acme",
        msgid(
            "Where the certificate comes from: an ACME authority, made here (trial, intranet), or files of your own."),
        "acme selfsigned files"},
    Key{"TLS_KEY_TYPE", choice, "ecdsa-p256", msgid("Kind of the certificate's key."),
        "ecdsa-p256 ecdsa-p384 rsa-2048 rsa-3072 rsa-4096"},
    Key{"TLS_NAMES", names, "",
        msgid("Further names on the certificate, separated by spaces: host names, wildcards such as *.example.org, IP "
              "addresses.")},
    Key{"REDIRECT_NAMES", names, "",
        msgid(
            "Names that lead readers to DOMAIN, separated by spaces, such as former ones; they are on the certificate, "
            "too.")},
    Key{"TLS_KEY_REUSE", boolean, "false", msgid("Keep the private key when the certificate is renewed.")},
    Key{"TLS_CERTIFICATE_FILE", path, "",
        msgid("With TLS_MODE=files: certificate and chain, PEM, readable by commento-cert.")},
    Key{"TLS_KEY_FILE", path, "", msgid("With TLS_MODE=files: private key, PEM, readable by commento-cert.")},
    Key{"ACME_DIRECTORY", https_url, "", msgid("Directory of another ACME authority than Let's Encrypt.")},
    Key{"ACME_CA_FILE", path, "", msgid("Certificates, PEM, that the ACME authority's own server is checked against.")},
    Key{"ACME_FALLBACK_DIRECTORY", https_url, "",
        msgid("Directory of the authority to ask while the first one fails again and again.")},
    Key{"ACME_PROFILE", word, "",
        msgid("Certificate profile of the authority; Let's Encrypt has classic, tlsserver and shortlived.")},
    Key{"ACME_PREFERRED_CHAIN", text, "",
        msgid("Common name of the root that the chain shall lead to, where there are several.")},
    Key{"ACME_EAB_KID", word, "", msgid("Key identifier that the authority gave for external account binding.")},
    Key{"ACME_EAB_KEY_FILE", path, "",
        msgid("File with the MAC key to that identifier, base64url, readable by commento-cert.")},
    Key{"ACME_CHALLENGE", choice, "http-01",
        msgid(
            "How control of the names is proved: by a file on port 80, by a certificate on port 443, or by a record in "
            "DNS."),
        "http-01 tls-alpn-01 dns-01"},
    Key{"ACME_DNS_SERVER", host_and_port, "",
        msgid("With dns-01: name server that takes dynamic updates (RFC 2136), with a port where it is not 53.")},
    Key{"ACME_DNS_KEY_FILE", path, "",
        msgid("TSIG key for these updates, as tsig-keygen writes it, readable by commento-cert.")},
    Key{"ACME_DNS_HOOK", path, "",
        msgid("With dns-01: program that adds the record, called as certbot calls its --manual-auth-hook.")},
    Key{"ACME_DNS_CLEANUP_HOOK", path, "",
        msgid("Program that takes the record away again, like --manual-cleanup-hook.")},
    Key{"HTTP_PORT", port, "80", msgid("Port for challenges and the redirect to HTTPS.")},
    Key{"HTTPS_PORT", port, "443", msgid("Port that readers use.")},
    Key{"TLS_PROFILE", choice, "intermediate",
        msgid("Mozilla's recommendation that the front follows: TLS 1.2 and 1.3, or 1.3 alone."),
        "intermediate modern"},
    Key{"HSTS_SECONDS", number, "0",
        msgid("How long a browser shall refuse to come without HTTPS (HSTS); 0: is not told. Cannot be taken back "
              "sooner.")},
    Key{"HTTP3", boolean, "true", msgid("Offer HTTP/3 on the UDP port HTTPS_PORT, where this nginx can.")},
    Key{"PROXY_PROTOCOL", boolean, "false",
        msgid("Connections on HTTP_PORT and HTTPS_PORT begin with a PROXY protocol header: those of a load balancer.")},
    Key{"TRUSTED_PROXIES", networks, "",
        msgid("Addresses and networks of load balancers or a CDN in front, separated by spaces: what they say of the "
              "reader's "
              "address is believed.")},
    Key{"REAL_IP_HEADER", choice, "X-Forwarded-For",
        msgid("Header in which they say it, where it is not PROXY_PROTOCOL."),
        "X-Forwarded-For X-Real-IP CF-Connecting-IP True-Client-IP"},
    Key{"RATE_LIMITS", boolean, "true",
        msgid("Limit how often one address may sign up, sign in, reset a password, comment and import.")},
    Key{"ACCESS_LOG_ADDRESS", choice, "full", msgid("The reader's address in the access log."), "full shortened none"},
    Key{"HEALTHZ_ALLOW", networks, "127.0.0.1 ::1",
        msgid("Addresses and networks that may ask /healthz, separated by spaces.")},
    Key{"DATABASE_PORT", port, "5432",
        msgid("Port of the local PostgreSQL cluster; it names the socket, nothing listens on TCP for it.")},
    Key{"DATABASE_URL", ValueType::database_url, "",
        msgid(
            "PostgreSQL server elsewhere: postgresql://USER@HOST/DATABASE, with several hosts where one stands in for "
            "another.")},
    Key{"DATABASE_PASSWORD", text, "", msgid("Password of the user in DATABASE_URL."), "", kSecret},
    Key{"DATABASE_ADMIN_URL", ValueType::database_url, "",
        msgid("The same server as a user who may make that user, with the password in it; only commento-db provision "
              "uses "
              "it."),
        "", kSecret},
    Key{"DATABASE_POOL", ValueType::count, "",
        msgid("Connections to PostgreSQL that all requests share. Default: up to 20, by memory and max_connections.")},
    Key{"BACKUP_KEEP_DAILY", number, "7", msgid("For how many days with backups the last one of the day is kept.")},
    Key{"BACKUP_KEEP_WEEKLY", number, "4", msgid("For how many weeks the last one of the week is kept.")},
    Key{"BACKUP_KEEP_MONTHLY", number, "6", msgid("For how many months the last one of the month is kept.")},
    Key{"BACKUP_RECIPIENT_FILE", path, "",
        msgid("Public keys, of age or GnuPG, that settings, secrets and keys in a backup are encrypted to.")},
    Key{"BACKUP_COPY_COMMAND", text, "",
        msgid("Program and arguments that copy a new backup elsewhere; {} is the backup's path.")},
    Key{"NOTIFY_EMAIL", emails, "",
        msgid("Who gets mail when a part fails: addresses, separated by commas or spaces. Default: EMAIL.")},
    Key{"NOTIFY_SMTP_URL", mail_server, "",
        msgid("Mail server for it: smtp://HOST:PORT or smtps://HOST. Default: COMMENTO_SMTP_HOST, else the host's "
              "sendmail.")},
    Key{"NOTIFY_SMTP_USER", text, "", msgid("User at that mail server.")},
    Key{"NOTIFY_SMTP_PASSWORD", text, "", msgid("Password of NOTIFY_SMTP_USER."), "", kSecret},
    Key{"NOTIFY_FROM", email, "",
        msgid("Sender of it. Default: COMMENTO_SMTP_FROM_ADDRESS, else commento-stack@DOMAIN.")},
    Key{"NOTIFY_WEBHOOK", https_url, "",
        msgid("Address that is told the same as JSON, by POST; what follows its host is often the only key to it."), "",
        kSecret},
    Key{"METRICS_FILE", path, "",
        msgid("File for Prometheus' node_exporter. Default: in node_exporter's own folder, else in "
              "/var/lib/commento-stack/metrics.")},
    Key{"APP_URL", https_url, "https://github.com/souramoo/commentoplusplus/releases/download/v1.8.7/release.tar.gz",
        msgid("Where the application's release archive is downloaded from.")},
    Key{"APP_SHA256", sha256, "a9925f34b3c035571b14b0d2f351129d70b9d589b9832fcb09f7f0d56d6d92a1",
        msgid("SHA-256 of that archive. Beside APP_ARCHIVE it is checked only where it is set.")},
    Key{"APP_ARCHIVE", path, "", msgid("Release archive on this host, instead of APP_URL; readable by commento-app.")},
    Key{"COMMENTO_ORIGIN", url, "",
        msgid("Address of the site as readers see it. Default: https://DOMAIN, with HTTPS_PORT where it is not 443.")},
    Key{"COMMENTO_PORT", port, "8080", msgid("Local port of the application.")},
    Key{"COMMENTO_CDN_PREFIX", url, "", msgid("Address that static files are loaded from. Default: COMMENTO_ORIGIN.")},
    Key{"COMMENTO_FORBID_NEW_OWNERS", boolean, "false", msgid("Refuse new accounts in the dashboard.")},
    Key{"COMMENTO_MAX_IDLE_PG_CONNECTIONS", number, "50",
        msgid("Idle database connections that the application keeps.")},
    Key{"COMMENTO_SMTP_HOST", text, "", msgid("Mail server; without one no mail is sent.")},
    Key{"COMMENTO_SMTP_PORT", port, "", msgid("Port of the mail server.")},
    Key{"COMMENTO_SMTP_USERNAME", text, "", msgid("User at the mail server.")},
    Key{"COMMENTO_SMTP_PASSWORD", text, "", msgid("Password at the mail server."), "", kSecret},
    Key{"COMMENTO_SMTP_FROM_ADDRESS", email, "", msgid("Sender of the application's mail.")},
    Key{"COMMENTO_AKISMET_KEY", text, "", msgid("Key of the Akismet spam filter."), "", kSecret},
    Key{"COMMENTO_GOOGLE_KEY", text, "", msgid("Sign-in with Google: client id.")},
    Key{"COMMENTO_GOOGLE_SECRET", text, "", msgid("Sign-in with Google: client secret."), "", kSecret},
    Key{"COMMENTO_GITHUB_KEY", text, "", msgid("Sign-in with GitHub: client id.")},
    Key{"COMMENTO_GITHUB_SECRET", text, "", msgid("Sign-in with GitHub: client secret."), "", kSecret},
    Key{"COMMENTO_GITLAB_KEY", text, "", msgid("Sign-in with GitLab: application id.")},
    Key{"COMMENTO_GITLAB_SECRET", text, "", msgid("Sign-in with GitLab: secret."), "", kSecret},
    Key{"COMMENTO_GITLAB_URL", url, "", msgid("Address of the GitLab server. Default: gitlab.com.")},
    Key{"COMMENTO_TWITTER_KEY", text, "", msgid("Sign-in with Twitter: API key.")},
    Key{"COMMENTO_TWITTER_SECRET", text, "", msgid("Sign-in with Twitter: API secret."), "", kSecret},
};

constexpr std::string_view kWildcard = "*.";
constexpr std::size_t kLongestHostname = 253; // RFC 1035, 2.3.4
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kSha256Digits = 64;

bool is_alphanumeric(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

/// Empty for a text that is no address.
std::string canonical_address(std::string_view text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    std::array<char, INET6_ADDRSTRLEN> form{};
    const std::string terminated(text);
    for (const int family : {AF_INET, AF_INET6}) {
        if (::inet_pton(family, terminated.c_str(), bytes.data()) == 1)
            return ::inet_ntop(family, bytes.data(), form.data(), form.size());
    }
    return {};
}

std::optional<long> to_number(std::string_view value) {
    long number = 0;
    const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (fault != std::errc() || end != value.data() + value.size())
        return std::nullopt;
    return number;
}

std::string problem_with_hostname(std::string_view value) {
    if (value.find("://") != std::string_view::npos || value.find('/') != std::string_view::npos)
        return tr("is an address, not a name; write only the name, such as comments.example.org");
    const auto labels = split(value, '.');
    if (std::ranges::all_of(value,
                            [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.'; }) ||
        value.find(':') != std::string_view::npos)
        return tr("is an IP address or has a port; write only the name, such as comments.example.org");
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return tr("has letters outside ASCII; write its xn-- form (idn NAME prints it)");
    if (labels.size() < 2)
        return tr("has no dot; write the full name, such as comments.example.org");
    if (value.size() > kLongestHostname || !std::ranges::all_of(labels, is_label))
        return tr(
            "is no host name; parts of letters, digits and hyphens, joined by dots, such as comments.example.org");
    return {};
}

std::string problem_with_email(std::string_view value) {
    const auto at = value.rfind('@');
    const bool plain = std::ranges::all_of(
        value, [](char c) { return std::isgraph(static_cast<unsigned char>(c)) != 0 && c != ',' && c != ';'; });
    if (at == std::string_view::npos || at == 0 || !plain || !problem_with_hostname(value.substr(at + 1)).empty())
        return tr("is no e-mail address; it has the form you@example.org");
    return {};
}

std::string problem_with_port(std::string_view value) {
    constexpr long kHighestPort = 65535;
    const auto number = to_number(value);
    if (!number || *number < 1 || *number > kHighestPort || value.front() == '0')
        return tr("is no port; a whole number from 1 to 65535");
    return {};
}

/// A name, an IPv4 address or an IPv6 one in brackets, with a port or without.
bool is_host_and_port(std::string_view text) {
    const auto bracket = text.starts_with('[') ? text.find(']') : 0;
    const auto host = text.substr(0, text.find(':', bracket));
    const auto port = text.substr(host.size());
    const bool ipv6 = host.size() > 2 && host.front() == '[' && host.back() == ']' &&
                      host.find_first_not_of("0123456789abcdefABCDEF:.", 1) == host.size() - 1;
    return (ipv6 || std::ranges::all_of(split(host, '.'), is_label)) &&
           (port.empty() || problem_with_port(port.substr(1)).empty());
}

std::string problem_with_url(std::string_view value, std::string_view schemes) {
    for (const auto scheme : split(schemes, ' ')) {
        if (!value.starts_with(scheme))
            continue;
        const auto rest = value.substr(scheme.size());
        const bool plain = std::ranges::all_of(rest, [](char c) {
            return std::isgraph(static_cast<unsigned char>(c)) != 0 &&
                   std::string_view("\"\\$").find(c) == std::string_view::npos;
        });
        if (plain && is_host_and_port(rest.substr(0, rest.find_first_of("/?#"))))
            return {};
    }
    return tr("is no such address; it begins with {} and a host name, and holds no user, space, quote or $",
              split(schemes, ' ').front());
}

std::string problem_with_names(std::string_view value) {
    for (const auto name : split(value, ' ')) {
        if (name.empty() || is_ip_address(name))
            continue;
        const auto host = name.starts_with(kWildcard) ? name.substr(kWildcard.size()) : name;
        if (const auto problem = problem_with_hostname(host); !problem.empty())
            return tr("holds \"{}\", which {}", name, problem);
    }
    return {};
}

std::string problem_with_networks(std::string_view value) {
    for (const auto word : split(value, ' ')) {
        if (!word.empty() && !is_network(word))
            return tr("holds \"{}\", which is no IP address, and no network such as 192.0.2.0/24", word);
    }
    return {};
}

std::string problem_with_word(std::string_view value) {
    const bool plain =
        std::ranges::all_of(value, [](char c) { return std::isgraph(static_cast<unsigned char>(c)) != 0; });
    return plain ? "" : tr("is no single word");
}

std::string problem_with_choice(std::string_view value, std::string_view choices) {
    const auto words = split(choices, ' ');
    if (std::ranges::find(words, value) != words.end())
        return {};
    return tr("is not one of: {}", fmt::join(words, ", "));
}

std::string problem_with_emails(std::string_view value) {
    for (const auto& address : emails_in(value)) {
        if (auto problem = problem_with_email(address); !problem.empty())
            return tr("holds \"{}\", which {}", address, problem);
    }
    return emails_in(value).empty() ? tr("holds no address") : "";
}

/// Nothing after the host: a password there would stand where every user can read it.
std::string problem_with_mail_server(std::string_view value) {
    for (const std::string_view scheme : {"smtp://", "smtps://"}) {
        if (value.starts_with(scheme) && is_host_and_port(value.substr(scheme.size())))
            return {};
    }
    return tr(
        "is no address of a mail server; it has the form smtp://mail.example.org:587 or smtps://mail.example.org");
}

std::string problem_with_sha256(std::string_view value) {
    const bool digits =
        std::ranges::all_of(value, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; });
    if (value.size() != kSha256Digits || !digits)
        return tr("is no SHA-256; 64 hexadecimal digits, as sha256sum FILE prints");
    return {};
}

std::string problem_with_database_url(std::string_view value) {
    const auto url = parse_database_url(value);
    return url ? "" : url.error();
}

bool is_utf8(std::string_view value) {
    using Utf8 = boost::locale::utf::utf_traits<char>;
    for (const auto* at = value.begin(); at != value.end();) {
        if (!boost::locale::utf::is_valid_codepoint(Utf8::decode(at, value.end())))
            return false;
    }
    return true;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row.back();
}

} // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos)
            return parts;
        text.remove_prefix(at + 1);
    }
}

bool is_ip_address(std::string_view text) { return !canonical_address(text).empty(); }

bool is_network(std::string_view text) {
    constexpr long kBitsOfIpv4 = 32;
    constexpr long kBitsOfIpv6 = 128;
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return is_ip_address(text);
    const auto address = text.substr(0, slash);
    const auto bits = to_number(text.substr(slash + 1));
    const long most = address.find(':') == std::string_view::npos ? kBitsOfIpv4 : kBitsOfIpv6;
    return is_ip_address(address) && bits && *bits >= 0 && *bits <= most;
}

std::vector<std::string> words_in(std::string_view value) {
    std::vector<std::string> words;
    for (const auto word : split(value, ' ')) {
        if (!word.empty())
            words.emplace_back(word);
    }
    return words;
}

std::vector<std::string> emails_in(std::string_view value) {
    std::string spaced(value);
    std::ranges::replace(spaced, ',', ' ');
    return words_in(spaced);
}

std::string canonical_name(std::string_view name) {
    std::string canonical = canonical_address(name);
    if (!canonical.empty())
        return canonical;
    canonical = name;
    std::ranges::transform(canonical, canonical.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return canonical;
}

bool is_for_one_certificate(std::string_view name) {
    constexpr std::array kFew{"DOMAIN", "EMAIL", "TEST", "TLS_NAMES", "TLS_KEY_TYPE", "TLS_KEY_REUSE"};
    return name.starts_with("ACME_") || std::ranges::find(kFew, name) != kFew.end();
}

std::span<const Key> all_keys() { return kKeys; }

const Key* find_key(std::string_view name) {
    const auto* found = std::ranges::find(kKeys, name, &Key::name);
    return found == kKeys.end() ? nullptr : found;
}

std::string_view nearest_key(std::string_view name) {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const auto distance = [&](const Key& key) { return edit_distance(upper, key.name); };
    const auto nearest = std::ranges::min(kKeys, {}, distance);
    return distance(nearest) <= std::max<std::size_t>(2, name.size() / 3) ? nearest.name : std::string_view{};
}

std::string problem_with(const Key& key, std::string_view value) {
    if (std::ranges::any_of(value, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }))
        return tr("holds a control character");
    // systemd refuses the whole file for one such value.
    if (!is_utf8(value))
        return tr("is not written in UTF-8");
    switch (key.type) {
    case text:
        return {};
    case boolean:
        return problem_with_choice(value, "true false");
    case hostname:
        return problem_with_hostname(value);
    case email:
        return problem_with_email(value);
    case port:
        return problem_with_port(value);
    case https_url:
        return problem_with_url(value, "https://");
    case url:
        return problem_with_url(value, "https:// http://");
    case path:
        return value.starts_with('/') ? "" : tr("is no absolute path; it begins with /");
    case choice:
        return problem_with_choice(value, key.choices);
    case sha256:
        return problem_with_sha256(value);
    case names:
        return problem_with_names(value);
    case word:
        return problem_with_word(value);
    case networks:
        return problem_with_networks(value);
    case ValueType::database_url:
        return problem_with_database_url(value);
    case emails:
        return problem_with_emails(value);
    case mail_server:
        return problem_with_mail_server(value);
    case host_and_port:
        return is_host_and_port(value) ? "" : tr("is no server; a host name or address, with :PORT or without");
    case ValueType::count:
        return to_number(value).value_or(0) > 0 ? "" : tr("is no whole number above 0");
    case number:
        return to_number(value).value_or(-1) >= 0 ? "" : tr("is no whole number");
    }
    return {};
}

} // namespace commento
