#include "ctl/reach.hpp"

#include "base/files.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <iterator>
#include <map>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <regex>
#include <sstream>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 16U << 20U; // a line of /proc/net/tcp is 150 bytes, and one stands for a socket

struct FreeAddresses {
    void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

std::string text_of(int family, const void* bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(family, bytes, text.data(), text.size()) == nullptr ? "" : text.data();
}

std::string text_of(const sockaddr* address) {
    if (address->sa_family == AF_INET)
        return text_of(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
    const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return text_of(AF_INET6, &ipv6);
}

bool is_only_of_a_link(const sockaddr* address) {
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
}

struct Interface {
    std::string address;
    int family;
    bool is_for_others;
};

std::vector<Interface> interfaces() {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0)
        return {};
    const std::unique_ptr<ifaddrs, FreeAddresses> list(first);
    std::vector<Interface> found;
    for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr ||
            (entry->ifa_addr->sa_family != AF_INET && entry->ifa_addr->sa_family != AF_INET6))
            continue;
        const bool loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
        found.push_back(
            {text_of(entry->ifa_addr), entry->ifa_addr->sa_family, !loopback && !is_only_of_a_link(entry->ifa_addr)});
    }
    return found;
}

/// "0100007F", or four times that for IPv6: words of 32 bits, each in the host's order of bytes.
std::string address_in(std::string_view hex) {
    constexpr std::size_t kDigits = 8;
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i < words.size() && (i + 1) * kDigits <= hex.size(); ++i) {
        const std::string_view word = hex.substr(i * kDigits, kDigits);
        std::from_chars(word.data(), word.data() + word.size(), words[i], 16);
    }
    return text_of(hex.size() == kDigits ? AF_INET : AF_INET6, words.data());
}

/// By the number of the socket's inode.
using Sockets = std::map<std::string, Listener>;

void add_listeners(Sockets& sockets, const fs::path& table, int port) {
    constexpr const char* kListens = "0A"; // TCP_LISTEN
    std::istringstream lines(read_file(table, kLargestFile).value_or(""));
    std::string line;
    std::getline(lines, line); // titles
    const std::string wanted = fmt::format("{:04X}", port);
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        // sl, local_address, rem_address, st, queues, timer, retrnsmt, uid, timeout, inode (proc(5))
        constexpr std::size_t kLocal = 1;
        constexpr std::size_t kState = 3;
        constexpr std::size_t kInode = 9;
        const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
        if (fields.size() <= kInode || fields[kState] != kListens)
            continue;
        const std::string& local = fields[kLocal];
        const auto colon = local.find(':');
        if (colon != std::string::npos && local.substr(colon + 1) == wanted)
            sockets[fields[kInode]] = {address_in(std::string_view(local).substr(0, colon)), "", ""};
    }
}

/// As far as it can be read: processes go while they are looked at.
std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code fault;
    for (fs::directory_iterator at(folder, fault); !fault && at != fs::directory_iterator(); at.increment(fault))
        entries.push_back(at->path());
    return entries;
}

std::string first_line_of(const fs::path& file) {
    const std::string text = read_file(file).value_or("");
    return text.substr(0, text.find('\n'));
}

/// "0::/system.slice/nginx.service": of the system, not of a user or of something further below; on a line of several
/// where the host has hierarchies of version 1 (cgroups(7)).
std::string unit_in(const std::string& cgroups) {
    static const std::regex of_system("/system\\.slice/([^/\n]+\\.service)(\n|$)");
    std::smatch found;
    return std::regex_search(cgroups, found, of_system) ? found[1].str() : "";
}

void name_holder(Sockets& sockets, const fs::path& process) {
    constexpr std::string_view kMark = "socket:[";
    for (const auto& entry : entries_of(process / "fd")) {
        const std::string target = link_target(entry);
        if (!target.starts_with(kMark))
            continue;
        const auto found = sockets.find(target.substr(kMark.size(), target.size() - kMark.size() - 1));
        if (found == sockets.end() || !found->second.program.empty())
            continue;
        found->second.program = first_line_of(process / "comm");
        found->second.unit = unit_in(read_file(process / "cgroup").value_or(""));
    }
}

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

} // namespace

std::vector<std::string> own_addresses(std::string_view type) {
    const int family = type == "A" ? AF_INET : AF_INET6;
    std::vector<std::string> addresses;
    for (const auto& each : interfaces()) {
        if (each.is_for_others && each.family == family)
            addresses.push_back(each.address);
    }
    return addresses;
}

std::vector<std::string> public_addresses(std::string_view type) {
    static const std::regex local(
        "(10|127|169\\.254|192\\.168|172\\.(1[6-9]|2\\d|3[01])|100\\.(6[4-9]|[7-9]\\d|1[01]\\d|12[0-7]))"
        "\\..*|f[cd][0-9a-f]{2}:.*");
    auto addresses = own_addresses(type);
    std::erase_if(addresses, [](const std::string& address) { return std::regex_match(address, local); });
    return addresses;
}

bool is_own_address(const std::string& address) {
    const auto all = interfaces();
    return std::ranges::any_of(all,
                               [&](const Interface& each) { return each.is_for_others && each.address == address; });
}

std::vector<Listener> listeners_at(int port, const Paths& paths) {
    Sockets sockets;
    add_listeners(sockets, paths.root / "proc/net/tcp", port);
    add_listeners(sockets, paths.root / "proc/net/tcp6", port);
    for (const auto& entry : entries_of(paths.root / "proc")) {
        if (is_number(entry.filename()))
            name_holder(sockets, entry);
    }
    std::vector<Listener> listeners;
    for (auto& [inode, listener] : sockets)
        listeners.push_back(std::move(listener));
    return listeners;
}

} // namespace commento
