#include "base/host_facts.hpp"

#include "base/files.hpp"

#include <fmt/format.h>
#include <sstream>

namespace commento {
namespace {

namespace fs = std::filesystem;

fs::path if_there(const fs::path& file) {
    std::error_code fault;
    return fs::exists(file, fault) ? file : fs::path();
}

bool has_word(const std::string& text, const std::string& word) {
    return fmt::format(" {} ", text).find(fmt::format(" {} ", word)) != std::string::npos;
}

/// Derivatives name in ID_LIKE what they come from: "rhel centos fedora".
Family family_of(const Paths& paths) {
    auto release = os_release(paths);
    const std::string kinds = release["ID"] + " " + release["ID_LIKE"];
    return has_word(kinds, "fedora") || has_word(kinds, "rhel") ? Family::fedora : Family::debian;
}

HostFacts facts_of_debian(const fs::path& root) {
    return {.family = Family::debian,
            .authorities = if_there(root / "etc/ssl/certs/ca-certificates.crt"),
            .clusters = root / "var/lib/postgresql",
            .postgres_log = root / "var/log/postgresql",
            .servers = root / "usr/lib/postgresql",
            .show_clusters = "pg_lsclusters"};
}

HostFacts facts_of_fedora(const fs::path& root) {
    return {.family = Family::fedora,
            // Fedora 44 no longer has etc/pki/tls/certs/ca-bundle.crt, which was a link to it
            // (fedoraproject.org/wiki/Changes/droppingOfCertPemFile).
            .authorities = if_there(root / "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
            .clusters = root / "var/lib/pgsql",
            .postgres_log = root / "var/lib/pgsql/data/log",
            .servers = {},
            .show_clusters = "systemctl status postgresql"};
}

std::string without_quotes(std::string value) {
    constexpr std::string_view kQuotes = "\"'";
    if (value.size() >= 2 && kQuotes.find(value.front()) != std::string_view::npos && value.back() == value.front())
        value = value.substr(1, value.size() - 2);
    return value;
}

} // namespace

HostFacts::Words HostFacts::install(const std::string& package) const {
    return {family == Family::debian ? "apt-get" : "dnf", "install", package};
}

HostFacts::Words HostFacts::reinstall(const std::string& package) const {
    return family == Family::debian ? Words{"apt-get", "install", "-y", "--reinstall", package}
                                    : Words{"dnf", "reinstall", "-y", package};
}

HostFacts::Words HostFacts::upgrade(const std::string& package) const {
    return family == Family::debian ? Words{"apt-get", "install", "--only-upgrade", package}
                                    : Words{"dnf", "upgrade", package};
}

HostFacts::Words HostFacts::verify(const std::string& package) const {
    return family == Family::debian ? Words{"dpkg", "--verify", package}
                                    : Words{"rpm", "--verify", "--nomtime", "--noconfig", package};
}

std::string HostFacts::postgres_program(const std::string& name, int version) const {
    if (servers.empty())
        return name;
    const fs::path own = if_there(servers / std::to_string(version) / "bin" / name);
    return own.empty() ? name : own.string();
}

HostFacts host_facts(const Paths& paths) {
    return family_of(paths) == Family::debian ? facts_of_debian(paths.root) : facts_of_fedora(paths.root);
}

std::map<std::string, std::string> os_release(const Paths& paths) {
    auto text = read_file(paths.root / "etc/os-release");
    if (!text)
        text = read_file(paths.root / "usr/lib/os-release");
    std::istringstream lines(text.value_or(""));
    std::map<std::string, std::string> values;
    for (std::string line; std::getline(lines, line);) {
        if (const auto equals = line.find('='); equals != std::string::npos)
            values[line.substr(0, equals)] = without_quotes(line.substr(equals + 1));
    }
    return values;
}

} // namespace commento
