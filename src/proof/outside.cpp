#include "proof/outside.hpp"

#include "net/http.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>

namespace commento {
namespace {

/// The addresses of a name, each once; none where DNS says that there are none.
struct Addresses {
    bool known; ///< false: nobody could be asked
    std::vector<std::string> found{};
};

std::string text_of(const addrinfo& address) {
    std::array<char, NI_MAXHOST> text{};
    ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
    return text.data();
}

Addresses look_up(const std::string& name) {
    constexpr std::size_t kMost = 4;
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_ADDRCONFIG;
    addrinfo* first = nullptr;
    const int fault = ::getaddrinfo(name.c_str(), nullptr, &wanted, &first);
    if (fault != 0)
        return {fault == EAI_NONAME};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
    Addresses addresses{true};
    for (const addrinfo* at = first; at != nullptr && addresses.found.size() < kMost; at = at->ai_next) {
        if (std::string text = text_of(*at); std::ranges::find(addresses.found, text) == addresses.found.end())
            addresses.found.push_back(std::move(text));
    }
    return addresses;
}

/// What is shown instead of the content; empty when it is shown.
std::string shown_instead(const std::string& name, const std::string& address, int port, const std::string& path,
                          const std::string& content) {
    constexpr std::chrono::seconds kPatience{2};
    constexpr std::size_t kBody = 65536;
    HttpClient http({kPatience, kPatience, kBody});
    http.resolve(name, port, address);
    const auto response = http.send({.url = fmt::format("http://{}:{}{}", name, port, path)});
    if (!response)
        return response.error().message;
    return response->status == 200 && response->body == content ? "" : fmt::format("status {}", response->status);
}

} // namespace

std::vector<std::string> doubts_from_outside(const std::vector<std::string>& names, const std::string& path,
                                             const std::string& content, int port) {
    std::vector<std::string> doubts;
    for (const auto& name : names) {
        const Addresses addresses = look_up(name);
        if (addresses.known && addresses.found.empty())
            doubts.push_back(fmt::format("{} has no address in DNS, as seen from here", name));
        for (const auto& address : addresses.found) {
            const std::string instead = shown_instead(name, address, port, path, content);
            if (!instead.empty())
                doubts.push_back(fmt::format("{} at {} does not show the challenge folder, as seen from here: {}", name,
                                             address, instead));
        }
    }
    return doubts;
}

} // namespace commento
