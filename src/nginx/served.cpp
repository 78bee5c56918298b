#include "nginx/served.hpp"

#include "base/files.hpp"
#include "net/http.hpp"
#include "nginx/host.hpp"
#include "nginx/site.hpp"
#include "nginx/site_file.hpp"

#include <chrono>
#include <fmt/format.h>

namespace commento {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLimit{2000};
constexpr std::size_t kLargestAnswer = 4096;

std::filesystem::path loaded_file(const Paths& paths) { return paths.nginx_state() / "further-loaded"; }

std::string difference_over_http(const Expected& expected, const Settings& settings) {
    const std::string& domain = settings.text("DOMAIN");
    const int port = settings.number("HTTP_PORT");
    HttpClient client({.connect = kLimit, .total = kLimit, .body = kLargestAnswer});
    client.resolve(domain, port, "127.0.0.1");
    client.begin_with(preamble_of(settings));
    const auto answer = client.send({.url = fmt::format("http://{}:{}{}", domain, port, kMarkPath)});
    if (!answer)
        return answer.error().message;
    if (answer->status != 200)
        return fmt::format("port {} does not serve the site of commento-stack for {} (status {})", port, domain,
                           answer->status);
    if (answer->body != expected.mark + "\n")
        return fmt::format("port {} serves another rendering of the site than the one on disk", port);
    return {};
}

std::string difference_over_tls(const Expected& expected, const Settings& settings, const std::string& address) {
    const int port = settings.number("HTTPS_PORT");
    const auto served = served_certificate(address, port, settings.text("DOMAIN"), kLimit, preamble_of(settings));
    if (!served)
        return served.error().message;
    if (served->fingerprint != expected.certificate.fingerprint)
        return fmt::format("port {} of {} serves the certificate with serial {} instead of {}", port, address,
                           served->serial, expected.certificate.serial);
    return {};
}

} // namespace

Result<Expected> read_expected(const Paths& paths) {
    COMMENTO_ASSIGN(const std::string site, read_site(paths));
    std::string mark = mark_in(site);
    if (mark.empty())
        return fail(ErrorCode::web,
                    fmt::format("{} is not there, or not as commento-nginx wrote it", paths.nginx_site().string()),
                    "systemctl restart commento-nginx-render writes it");
    COMMENTO_ASSIGN(Certificate certificate, read_certificate(paths.tls_chain()));
    return Expected{std::move(mark), staples(site), std::move(certificate)};
}

std::string difference(const Expected& expected, const Settings& settings) {
    std::string found = difference_over_http(expected, settings);
    if (found.empty())
        found = difference_over_tls(expected, settings, "127.0.0.1");
    if (found.empty() && has_ipv6())
        found = difference_over_tls(expected, settings, "::1");
    return found;
}

std::string further_stamp(const Paths& paths) { return read_file(paths.tls_further_stamp()).value_or(""); }

bool is_further_loaded(const Paths& paths, const std::string& stamp) {
    return read_file(loaded_file(paths)).value_or("") == stamp;
}

Result<void> note_further_loaded(const Paths& paths, const std::string& stamp) {
    constexpr mode_t kMode = 0644;
    return is_further_loaded(paths, stamp) ? Result<void>() : write_file(loaded_file(paths), stamp, kMode);
}

} // namespace commento
