#pragma once
// HTTP over libcurl with limits on everything: time, size, redirects.

#include "base/error.hpp"
#include "net/preamble.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct curl_slist;

namespace commento {

struct HttpLimits {
    std::chrono::milliseconds connect{10000};
    std::chrono::milliseconds total{30000};
    std::size_t body = 1U << 20U; ///< bytes of an answer's body; a larger one is an error
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::string body{};
    std::map<std::string, std::string> headers{};
};

struct HttpResponse {
    int status = 0;
    std::map<std::string, std::string> headers{}; ///< names in lower case; several of one name joined by ", "
    std::string body{};

    /// The value of a header (name in lower case); empty when there is none.
    std::string header(const std::string& name) const;
};

/// The seconds that a Retry-After header (RFC 9110, 10.2.3: a number of seconds or a date) asks for; at most a week,
/// the longest of Let's Encrypt's limits. Nothing where it is neither, or past.
std::optional<std::int64_t> parse_retry_after(std::string_view header, std::int64_t now);

/// The moment, in seconds since 1970, that a date of HTTP means, in any of its three forms (RFC 9110, 5.6.7).
std::optional<std::int64_t> parse_http_date(const std::string& text);

/// The addresses that a Link header (RFC 8288) gives for a relation; what it does not understand of it is passed over.
std::vector<std::string> links_in(std::string_view header, std::string_view relation);

/// One client keeps its connections open between requests to the same server.
class HttpClient {
  public:
    explicit HttpClient(HttpLimits limits = {});

    /// Trusts the certificates of this PEM file only, instead of the system's. Of those, a handshake loads the ones
    /// that it needs where the host keeps them by their hashes (openssl-rehash(1)): the bundle costs 24 ms (measured).
    void trust_only(const std::filesystem::path& ca_file) { ca_file_ = ca_file; }

    /// Connects to `address` whenever a request names `host` and `port` (curl --resolve): used to ask this host itself.
    void resolve(std::string_view host, int port, std::string_view address);

    /// Has it ask what listens at 127.0.0.1:`port` itself, and not by way of a proxy. Returns the address to ask for.
    std::string reach_here(int port);

    /// Begins each connection so.
    void begin_with(Preamble preamble) { preamble_ = preamble; }

    /// Any HTTP status is an answer, not a failure. Failures are ErrorCode::network: not reached, not trusted, too
    /// slow, too large. Redirects are not followed.
    Result<HttpResponse> send(const HttpRequest& request);

    /// Bytes there in all (0 where the server does not say) and bytes already here.
    using Progress = std::function<void(std::uint64_t total, std::uint64_t now)>;

    /// Downloads to `file`, following up to 10 redirects over HTTPS only. Goes on from the file's end where it holds a
    /// part already and the server can; begins anew where it can't, or where there is nothing after that part. Ends
    /// when fewer than 1 KiB/s come for 30 s, or at more than `limit` bytes; what came so far stays in the file.
    Result<void> download(const std::string& url, const std::filesystem::path& file, std::uint64_t limit,
                          const Progress& progress);

  private:
    struct Sink;
    struct Cleanup {
        void operator()(void* handle) const;
        void operator()(curl_slist* list) const;
    };
    struct CleanupShare {
        void operator()(void* share) const;
    };
    Result<void> perform(const std::string& url);
    void prepare(const std::string& url);
    Result<void> download_rest(const std::string& url, Sink& sink);

    HttpLimits limits_;
    std::filesystem::path ca_file_;
    Preamble preamble_ = Preamble::none;
    // The connections, which outlive the handle of one request. A handle that is used again is not safe in libcurl
    // before 8.1: after an answer whose first header line begins with a blank it reads what it has freed (found by
    // tests/fuzz; curl's issue 11101).
    std::unique_ptr<void, CleanupShare> share_;
    std::unique_ptr<void, Cleanup> handle_{};
    std::unique_ptr<curl_slist, Cleanup> resolve_;
};

} // namespace commento
