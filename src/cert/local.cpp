#include "cert/local.hpp"

#include "acme/key.hpp"
#include "acme/x509.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "cert/store.hpp"
#include "net/certificate.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

constexpr std::chrono::hours kSelfSignedLifetime{365 * 24};

Result<std::string> read_for(const Settings& settings, const char* setting) {
    const std::string& file = settings.text(setting);
    auto text = read_file(file);
    if (text)
        return text;
    Error error = std::move(text).error();
    error.message = fmt::format("{}: {}", setting, error.message);
    error.hint = error.code == ErrorCode::permission
                     ? fmt::format("let the user commento-cert read it: chgrp commento-cert {0}; chmod 640 {0}; its "
                                   "folders too",
                                   file)
                     : fmt::format("{} names it", settings.value(setting).origin);
    return tl::unexpected(std::move(error));
}

void warn_before_end(const Settings& settings, const Pair& pair) {
    constexpr std::int64_t kNotice = std::int64_t{14} * 24 * 3600;
    const auto leaf = parse_certificate(pair.chain);
    if (leaf && now() > leaf->not_after - kNotice)
        spdlog::warn("the certificate expires on {}; put a newer one into {} and {}", local_time(leaf->not_after),
                     settings.text("TLS_CERTIFICATE_FILE"), settings.text("TLS_KEY_FILE"));
}

} // namespace

Result<Generation> make_self_signed_generation(const Store& store, const Settings& settings) {
    COMMENTO_ASSIGN(const PrivateKey key, make_key(settings.text("TLS_KEY_TYPE")));
    COMMENTO_ASSIGN(std::string chain, make_self_signed(key.get(), settings.certificate_names(), kSelfSignedLifetime));
    return install(store, {std::move(chain), to_pem(key.get())}, {{Source::self_signed}});
}

Result<Pair> operators_pair(const Settings& settings) {
    COMMENTO_ASSIGN(std::string chain, read_for(settings, "TLS_CERTIFICATE_FILE"));
    COMMENTO_ASSIGN(std::string key, read_for(settings, "TLS_KEY_FILE"));
    Pair pair{std::move(chain), std::move(key)};
    if (const auto problem = problem_with(pair, settings.certificate_names(), now()); !problem.empty())
        return fail(ErrorCode::settings,
                    fmt::format("{} and {} can't be used: {}", settings.text("TLS_CERTIFICATE_FILE"),
                                settings.text("TLS_KEY_FILE"), problem),
                    "put the right files there, then: commentoctl cert renew; the certificate in place stays");
    warn_before_end(settings, pair);
    return pair;
}

Result<Generation> take_files(const Store& store, const Settings& settings, const std::optional<Generation>& live) {
    COMMENTO_ASSIGN(const Pair pair, operators_pair(settings));
    const bool same = live && read_pair(store, *live) == pair;
    return same ? *live : install(store, pair, {{Source::files}});
}

} // namespace commento
