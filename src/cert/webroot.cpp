#include "cert/webroot.hpp"

#include "base/files.hpp"
#include "base/pace.hpp"
#include "acme/jose.hpp"
#include "acme/problem.hpp"
#include "net/http.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolder = 0755; // nginx' workers read it
constexpr mode_t kFile = 0644;

fs::path folder_of(const Paths& paths) { return paths.acme_webroot() / ".well-known" / "acme-challenge"; }

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

tl::unexpected<Error> wrongly_answered(const std::string& where, const HttpResponse& response, int port) {
    return fail(ErrorCode::web,
                fmt::format("{} does not show the challenge folder: {} answered with status {}; the authority would "
                            "not find the challenge either",
                            where, name_of(response), response.status),
                fmt::format("does another program have the port (ss -ltnp 'sport = :{}'), or another site of nginx the "
                            "name (nginx -T)?",
                            port));
}

} // namespace

Result<ChallengeFile> ChallengeFile::place(const Paths& paths, const std::string& token, const std::string& content) {
    COMMENTO_CHECK(make_folder(folder_of(paths), kFolder));
    ChallengeFile file(folder_of(paths) / token);
    COMMENTO_CHECK(write_file(file.path_, content, kFile));
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

Result<void> check_webroot(const Paths& paths, const std::string& domain, int port) {
    // nginx may be in the middle of the reload that brings our site.
    constexpr Pace::Duration kFirst{20};
    constexpr Pace::Duration kLongest{500};
    constexpr std::chrono::seconds kPatience{5};
    constexpr std::size_t kBody = 65536;

    const std::string token = random_token();
    const std::string content = random_token();
    COMMENTO_ASSIGN(const ChallengeFile file, ChallengeFile::place(paths, token, content));
    HttpClient http({std::chrono::seconds(2), kPatience, kBody});
    http.resolve(domain, port, "127.0.0.1");
    const HttpRequest request{"GET", fmt::format("http://{}:{}/.well-known/acme-challenge/{}", domain, port, token)};
    const std::string where = fmt::format("127.0.0.1:{}", port);

    Pace pace(kFirst, kLongest, kPatience);
    while (true) {
        const auto response = http.send(request);
        if (response && response->status == 200 && response->body == content)
            return {};
        if (pace.wait())
            continue;
        if (!response)
            return not_answered(where, response.error());
        return wrongly_answered(where, *response, port);
    }
}

} // namespace commento
