#include "net/http.hpp"

#include "base/fd.hpp"
#include "base/translate.hpp"
#include "net/libcurl.hpp"
#include "net/roots.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace commento {
namespace {

constexpr long kRedirects = 10;
constexpr long kLeastBytesPerSecond = 1024;
constexpr long kLeastBytesFor = 30; // seconds
constexpr int kLowestStatus = 100;  // RFC 9110, 15
constexpr int kHighestStatus = 999;
constexpr long kWhole = 200;        // RFC 9110, 15.3.1: the range was ignored
constexpr long kNothingAfter = 416; // RFC 9110, 15.5.17: no byte in the range

long status_of(CURL* handle) {
    long status = 0;
    libcurl().getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (fault != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return seconds;
}

/// Length of `text` up to the first of `ends` that does not stand in quotes.
std::size_t length_before(std::string_view text, std::string_view ends) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && ends.find(text[i]) != std::string_view::npos)
            return i;
    }
    return text.size();
}

/// Whether the parameters of a link (`; rel="a b"; …`) give it the relation.
bool has_relation(std::string_view parameters, std::string_view relation) {
    while (!parameters.empty()) {
        parameters.remove_prefix(1);
        const auto parameter = parameters.substr(0, length_before(parameters, ";"));
        parameters.remove_prefix(parameter.size());
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos || lower_case(trimmed(parameter.substr(0, equals))) != "rel")
            continue;
        std::string words = lower_case(trimmed(parameter.substr(equals + 1)));
        std::erase(words, '"');
        return fmt::format(" {} ", words).find(fmt::format(" {} ", relation)) != std::string::npos;
    }
    return false;
}

/// What the callbacks of send() fill.
struct Receiver {
    HttpResponse response;
    std::size_t limit;
    std::size_t header_bytes = 0;
    bool too_large = false;
};

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t size, void* user) {
    auto& receiver = *static_cast<Receiver*>(user);
    if (receiver.response.body.size() + size > receiver.limit) {
        receiver.too_large = true;
        return 0;
    }
    receiver.response.body.append(data, size);
    return size;
}

std::size_t on_header(char* data, std::size_t /*one*/, std::size_t size, void* user) {
    auto& receiver = *static_cast<Receiver*>(user);
    receiver.header_bytes += size;
    if (receiver.header_bytes > receiver.limit) {
        receiver.too_large = true;
        return 0;
    }
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) { // of an informational answer before it (RFC 9110, 15.2)
        receiver.response.headers.clear();
        return size;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos)
        return size;
    const auto value = trimmed(line.substr(colon + 1));
    std::string& present = receiver.response.headers[lower_case(line.substr(0, colon))];
    present += fmt::format("{}{}", present.empty() ? "" : ", ", value); // RFC 9110, 5.3
    return size;
}

std::string hint_for(CURLcode code, const std::filesystem::path& ca_file) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return tr("check the name, and this host's DNS: resolvectl query, getent hosts");
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
        return tr("is the server up, and does a firewall let this host reach it?");
    case CURLE_PEER_FAILED_VERIFICATION:
        return ca_file.empty()
                   ? tr("is this host's clock right, and is the package ca-certificates up to date?")
                   : tr("does {} hold the right certificates, and is this host's clock right?", ca_file.string());
    case CURLE_SSL_CACERT_BADFILE:
        return tr("check that {} is there, readable and PEM", ca_file.string());
    default:
        return {};
    }
}

} // namespace

std::optional<std::int64_t> parse_http_date(const std::string& text) {
    constexpr std::array kForms{"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
    for (const char* form : kForms) {
        std::tm parts{};
        const char* end = ::strptime(text.c_str(), form, &parts);
        if (end != nullptr && *end == '\0')
            return ::timegm(&parts);
    }
    return std::nullopt;
}

std::optional<std::int64_t> parse_retry_after(std::string_view header, std::int64_t now) {
    constexpr std::int64_t kLongest = std::int64_t{7} * 24 * 3600;
    auto seconds = parse_seconds(header);
    if (!seconds) {
        if (const auto date = parse_http_date(std::string(header)))
            seconds = *date - now;
    }
    if (!seconds || *seconds <= 0)
        return std::nullopt;
    return std::min(*seconds, kLongest);
}

std::vector<std::string> links_in(std::string_view header, std::string_view relation) {
    std::vector<std::string> found;
    while (true) {
        const auto begin = header.find('<');
        const auto end = header.find('>', begin);
        if (end == std::string_view::npos)
            return found;
        const auto address = header.substr(begin + 1, end - begin - 1);
        header.remove_prefix(end + 1);
        const auto rest = header.substr(0, length_before(header, ","));
        const auto parameters = rest.substr(std::min(rest.find(';'), rest.size()));
        if (has_relation(parameters, relation))
            found.emplace_back(address);
        header.remove_prefix(rest.size());
    }
}

std::string HttpResponse::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

void HttpClient::Cleanup::operator()(void* handle) const { libcurl().cleanup(handle); }
void HttpClient::Cleanup::operator()(curl_slist* list) const { libcurl().slist_free_all(list); }

void HttpClient::CleanupShare::operator()(void* share) const { libcurl().share_cleanup(share); }

HttpClient::HttpClient(HttpLimits limits) : limits_(limits), share_(libcurl().share_init()) {
    for (const auto what : {CURL_LOCK_DATA_CONNECT, CURL_LOCK_DATA_DNS, CURL_LOCK_DATA_SSL_SESSION})
        libcurl().share_setopt(share_.get(), CURLSHOPT_SHARE, what);
}

void HttpClient::resolve(std::string_view host, int port, std::string_view address) {
    const std::string entry = fmt::format("{}:{}:{}", host, port, address);
    resolve_.reset(libcurl().slist_append(resolve_.release(), entry.c_str()));
}

std::string HttpClient::reach_here(int port) {
    resolve("localhost", port, "127.0.0.1");
    return fmt::format("http://localhost:{}", port);
}

void HttpClient::prepare(const std::string& url) {
    handle_.reset(libcurl().init());
    CURL* handle = handle_.get();
    libcurl().setopt(handle, CURLOPT_SHARE, share_.get());
    libcurl().setopt(handle, CURLOPT_URL, url.c_str());
    libcurl().setopt(handle, CURLOPT_NOSIGNAL, 1L);
    libcurl().setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    libcurl().setopt(handle, CURLOPT_USERAGENT, "commento-stack");
    libcurl().setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.count()));
    if (preamble_ == Preamble::proxy_protocol)
        libcurl().setopt(handle, CURLOPT_HAPROXYPROTOCOL, 1L);
    if (resolve_) {
        libcurl().setopt(handle, CURLOPT_RESOLVE, resolve_.get());
        libcurl().setopt(handle, CURLOPT_NOPROXY, "*"); // a proxy of the environment would resolve the name itself
    }
    if (const char* folder = hashed_roots(); ca_file_.empty() && folder != nullptr) {
        libcurl().setopt(handle, CURLOPT_CAINFO, nullptr);
        libcurl().setopt(handle, CURLOPT_CAPATH, folder);
    }
    if (!ca_file_.empty()) {
        libcurl().setopt(handle, CURLOPT_CAINFO, ca_file_.c_str());
        libcurl().setopt(handle, CURLOPT_CAPATH, nullptr);
    }
}

Result<void> HttpClient::perform(const std::string& url) {
    std::array<char, CURL_ERROR_SIZE> detail{};
    libcurl().setopt(handle_.get(), CURLOPT_ERRORBUFFER, detail.data());
    const CURLcode code = libcurl().perform(handle_.get());
    libcurl().setopt(handle_.get(), CURLOPT_ERRORBUFFER, nullptr);
    if (code == CURLE_OK)
        return {};
    const char* text = detail.front() != '\0' ? detail.data() : libcurl().strerror(code);
    return fail(ErrorCode::network, fmt::format("{}: {}", url, text), hint_for(code, ca_file_));
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
    prepare(request.url);
    CURL* handle = handle_.get();
    Receiver receiver{{}, limits_.body};
    std::unique_ptr<curl_slist, Cleanup> headers;
    for (const auto& [name, value] : request.headers)
        headers.reset(libcurl().slist_append(headers.release(), fmt::format("{}: {}", name, value).c_str()));

    libcurl().setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(limits_.total.count()));
    libcurl().setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    libcurl().setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    libcurl().setopt(handle, CURLOPT_WRITEDATA, &receiver);
    libcurl().setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    libcurl().setopt(handle, CURLOPT_HEADERDATA, &receiver);
    if (request.method == "HEAD") {
        libcurl().setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (request.method == "POST") {
        libcurl().setopt(handle, CURLOPT_POST, 1L);
        libcurl().setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
        libcurl().setopt(handle, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    auto done = perform(request.url);
    if (!done && receiver.too_large)
        return fail(ErrorCode::network, tr("{}: the answer is larger than {} bytes", request.url, limits_.body));
    if (!done)
        return tl::unexpected(std::move(done).error());
    receiver.response.status = static_cast<int>(status_of(handle));
    // libcurl takes HTTP/20 without a status for an answer, and HTTP/22222221.1 for one with the status 2222221.
    if (receiver.response.status < kLowestStatus || receiver.response.status > kHighestStatus)
        return fail(ErrorCode::network, tr("{}: the answer has no status", request.url));
    return std::move(receiver.response);
}

/// What the callbacks of download() need.
struct HttpClient::Sink {
    int fd;
    CURL* handle;
    std::string path;
    std::uint64_t present; ///< bytes that the file held before
    std::uint64_t limit;
    const Progress& progress;
    std::uint64_t written = 0;
    bool begun = false;
    bool too_large = false;
    int write_error = 0;

    /// Empties the file when the server sends the whole instead of the rest.
    bool begin() {
        begun = true;
        return status_of(handle) != kWhole || empty();
    }

    bool empty() {
        present = 0;
        return ::ftruncate(fd, 0) == 0;
    }

    static std::size_t on_data(char* data, std::size_t /*one*/, std::size_t size, void* user) {
        auto& sink = *static_cast<Sink*>(user);
        if (!sink.begun && !sink.begin()) {
            sink.write_error = errno;
            return 0;
        }
        if (sink.present + sink.written + size > sink.limit) {
            sink.too_large = true;
            return 0;
        }
        const ssize_t done = ::write(sink.fd, data, size);
        if (done != static_cast<ssize_t>(size)) {
            sink.write_error = done < 0 ? errno : ENOSPC;
            return 0;
        }
        sink.written += size;
        return size;
    }

    static int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t /*up*/, curl_off_t /*up_now*/) {
        const auto& sink = *static_cast<Sink*>(user);
        if (sink.begun)
            sink.progress(total > 0 ? sink.present + static_cast<std::uint64_t>(total) : 0,
                          sink.present + static_cast<std::uint64_t>(now));
        return 0;
    }
};

Result<void> HttpClient::download_rest(const std::string& url, Sink& sink) {
    prepare(url);
    CURL* handle = handle_.get();
    sink.handle = handle;
    libcurl().setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
    libcurl().setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    libcurl().setopt(handle, CURLOPT_MAXREDIRS, kRedirects);
    libcurl().setopt(handle, CURLOPT_FAILONERROR, 1L);
    libcurl().setopt(handle, CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    libcurl().setopt(handle, CURLOPT_LOW_SPEED_TIME, kLeastBytesFor);
    // A range, not CURLOPT_RESUME_FROM: that one fails where the server ignores it.
    const std::string range = fmt::format("{}-", sink.present);
    if (sink.present > 0)
        libcurl().setopt(handle, CURLOPT_RANGE, range.c_str());
    libcurl().setopt(handle, CURLOPT_WRITEFUNCTION, Sink::on_data);
    libcurl().setopt(handle, CURLOPT_WRITEDATA, &sink);
    libcurl().setopt(handle, CURLOPT_NOPROGRESS, 0L);
    libcurl().setopt(handle, CURLOPT_XFERINFOFUNCTION, Sink::on_progress);
    libcurl().setopt(handle, CURLOPT_XFERINFODATA, &sink);
    auto done = perform(url);
    if (sink.too_large)
        return fail(ErrorCode::network, tr("{}: larger than {} bytes", url, sink.limit));
    if (sink.write_error != 0)
        return fail_errno(ErrorCode::storage, tr("cannot write {}", sink.path), sink.write_error);
    return done;
}

Result<void> HttpClient::download(const std::string& url, const std::filesystem::path& file, std::uint64_t limit,
                                  const Progress& progress) {
    const Fd target(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!target)
        return fail_errno(ErrorCode::storage, tr("cannot open {}", file.string()), errno);
    struct stat status {};
    ::fstat(target.get(), &status);

    Sink sink{target.get(), nullptr, file, static_cast<std::uint64_t>(status.st_size), limit, progress};
    auto done = download_rest(url, sink);
    if (!done && sink.present > 0 && status_of(handle_.get()) == kNothingAfter && sink.empty())
        done = download_rest(url, sink);
    if (!done)
        return done;
    if (::fsync(target.get()) != 0)
        return fail_errno(ErrorCode::storage, tr("cannot sync {}", file.string()), errno);
    return {};
}

} // namespace commento
