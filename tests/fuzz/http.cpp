// Values of headers that servers send, and the requests that the stand-alone answer to http-01 gets.

#include "net/http.hpp"
#include "acme/jose.hpp"
#include "proof/http_listener.hpp"
#include "property.hpp"

using namespace commento;

namespace {

void check_retry_after(std::string_view header) {
    constexpr std::int64_t kNow = 1800000000;
    constexpr std::int64_t kWeek = std::int64_t{7} * 24 * 3600;
    const auto seconds = parse_retry_after(header, kNow);
    require(!seconds || (*seconds > 0 && *seconds <= kWeek), "Retry-After asks for at most a week");
}

void check_links(std::string_view header) {
    const auto links = links_in(header, "alternate");
    require(links.size() <= static_cast<std::size_t>(std::ranges::count(header, '<')), "a link begins with a bracket");
    std::size_t from = 0;
    for (const auto& link : links) {
        require(link.find('>') == std::string::npos, "a link ends with a bracket");
        from = header.find("<" + link + ">", from);
        require(from != std::string_view::npos, "links are those of the header, in their order");
        ++from;
    }
}

void check_request(std::string_view request) {
    const auto token = requested_token(request);
    require(!token || (is_base64url(*token) && request.starts_with("GET /.well-known/acme-challenge/" + *token)),
            "a token is the one that was asked for, and cannot lead out of its folder");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = text_of(data, size);
    check_retry_after(text);
    check_links(text);
    check_request(text);
    return 0;
}
