#include "proof/webroot.hpp"

#include "acme/jose.hpp"
#include "base/files.hpp"
#include "base/pace.hpp"
#include "base/printable.hpp"
#include "config/keys.hpp"
#include "net/http.hpp"
#include "proof/outside.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolder = 0755; // nginx' workers read it
constexpr mode_t kFile = 0644;
constexpr std::chrono::seconds kPatience{5};
constexpr std::string_view kPath = "/.well-known/acme-challenge/";

fs::path folder_of(const Paths& paths) { return paths.acme_webroot() / ".well-known" / "acme-challenge"; }

tl::unexpected<Error> not_written(const fs::path& path) {
    return fail_errno(ErrorCode::storage, fmt::format("cannot write {}", path.string()), errno,
                      fmt::format("room, files and rights on that disk: df -h {0}; df -i {0}; ls -l {0}",
                                  path.parent_path().string()));
}

Result<void> put(const fs::path& path, std::string_view content) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kFile));
    if (!file || ::fchmod(file.get(), kFile) != 0) // whatever the umask is
        return not_written(path);
    errno = ENOSPC; // what a short write means
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
        return not_written(path);
    return {};
}

std::string random_token() {
    std::string bytes(16, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    return base64url(bytes);
}

std::string name_of(const HttpResponse& response) {
    const std::string server = printable(response.header("server"));
    return server.empty() ? "a server that does not say its name" : server;
}

tl::unexpected<Error> not_answered(const std::string& where, const Error& error) {
    return fail(ErrorCode::web, fmt::format("nothing answers on {}: {}", where, error.message),
                "is nginx up? systemctl status nginx commento-nginx-render");
}

tl::unexpected<Error> wrongly_answered(const std::string& where, const std::string& name, const HttpResponse& response,
                                       int port) {
    return fail(ErrorCode::web,
                fmt::format("{} does not show the challenge folder for {}: {} answered with status {}; the "
                            "authority would not find the challenge either",
                            where, name, name_of(response), response.status),
                fmt::format("does another program have the port (ss -ltnp 'sport = :{}'), or another site of nginx the "
                            "name (nginx -T)? Such a site has to: include "
                            "/usr/share/commento-stack/nginx/acme-challenge.conf;",
                            port));
}

/// Whether the kernel says that nothing listens. A full queue is no refusal.
bool is_refused(int port) {
    constexpr int kPatienceMs = 1000; // the loopback interface answers at once
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return false;
    if (errno != EINPROGRESS)
        return errno == ECONNREFUSED;
    pollfd connecting{socket.get(), POLLOUT, 0};
    int fault = 0;
    socklen_t size = sizeof fault;
    return ::poll(&connecting, 1, kPatienceMs) == 1 &&
           ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &fault, &size) == 0 && fault == ECONNREFUSED;
}

/// As the authority asks for it: an IPv6 address in brackets.
std::string host_header(const std::string& name) {
    return name.find(':') == std::string::npos ? name : fmt::format("[{}]", name);
}

/// Asks until the content is there.
Result<void> await_content(HttpClient& http, const std::string& name, int port, const std::string& token,
                           const std::string& content) {
    // nginx may be in the middle of the reload that brings our site.
    constexpr Pace::Duration kFirst{20};
    constexpr Pace::Duration kLongest{500};
    const std::string where = fmt::format("127.0.0.1:{}", port);
    const HttpRequest request{.url = fmt::format("http://{}{}{}", where, kPath, token),
                              .headers = {{"Host", host_header(name)}}};
    Pace pace(kFirst, kLongest, kPatience);
    while (true) {
        const auto response = http.send(request);
        if (response && response->status == 200 && response->body == content)
            return {};
        if (pace.wait())
            continue;
        if (!response)
            return not_answered(where, response.error());
        return wrongly_answered(where, name, *response, port);
    }
}

void warn_of_outside(std::vector<std::string> names, const std::string& path, const std::string& content) {
    std::erase_if(names, [](const std::string& name) { return is_ip_address(name); });
    for (const auto& doubt : doubts_from_outside(names, path, content))
        spdlog::warn("{}; going on, since the authority may see it otherwise", doubt);
}

} // namespace

Result<ChallengeFile> ChallengeFile::place(const Paths& paths, const std::string& token, const std::string& content) {
    COMMENTO_CHECK(make_folder(folder_of(paths), kFolder));
    ChallengeFile file(folder_of(paths) / token);
    COMMENTO_CHECK(put(file.path_, content));
    return file;
}

ChallengeFile::~ChallengeFile() {
    if (!path_.empty())
        ::unlink(path_.c_str());
}

void clear_challenges(const Paths& paths) {
    std::error_code fault;
    for (fs::directory_iterator entry(folder_of(paths), fault), end; !fault && entry != end; entry.increment(fault))
        ::unlink(entry->path().c_str());
}

bool is_answered(int port) {
    constexpr Pace::Duration kFirst{10};
    constexpr Pace::Duration kLongest{200};
    constexpr std::chrono::seconds kPatience{1};
    Pace pace(kFirst, kLongest, kPatience);
    while (is_refused(port)) {
        if (!pace.wait())
            return false;
    }
    return true;
}

Result<void> check_webroot(const Paths& paths, const std::vector<std::string>& names, int port, Preamble preamble) {
    constexpr std::size_t kBody = 65536;
    const std::string token = random_token();
    const std::string content = random_token();
    COMMENTO_ASSIGN(const ChallengeFile file, ChallengeFile::place(paths, token, content));
    HttpClient http({std::chrono::seconds(2), kPatience, kBody});
    http.begin_with(preamble);
    for (const auto& name : names)
        COMMENTO_CHECK(await_content(http, name, port, token, content));
    warn_of_outside(names, std::string(kPath) + token, content);
    return {};
}

} // namespace commento
