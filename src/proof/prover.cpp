#include "proof/prover.hpp"

#include "proof/alpn_listener.hpp"
#include "proof/dns_hook.hpp"
#include "proof/dns_name.hpp"
#include "proof/dns_update.hpp"
#include "proof/http_listener.hpp"
#include "proof/webroot.hpp"

#include <fmt/format.h>
#include <optional>
#include <spdlog/spdlog.h>

namespace commento {
namespace {

/// http-01: through nginx or, where nothing listens on the port, by a listener of our own.
class HttpProver : public Prover {
  public:
    HttpProver(Paths paths, int port, Preamble preamble) : paths_(std::move(paths)), port_(port), preamble_(preamble) {}

    Result<void> check(const std::vector<std::string>& names) override {
        if (listener_)
            return {};
        if (is_answered(port_))
            return check_webroot(paths_, names, port_, preamble_);
        spdlog::info("nothing listens on port {}: challenges are answered from here", port_);
        const std::string hint = fmt::format("another program has it: ss -ltnp 'sport = :{}'", port_);
        COMMENTO_ASSIGN(Listener listener, Listener::open(port_, hint));
        listener_.emplace(std::move(listener));
        return {};
    }

    Result<void> show(std::span<const Challenge> challenges) override {
        std::map<std::string, std::string> contents;
        for (const auto& challenge : challenges) {
            if (listener_) {
                contents.emplace(challenge.token, challenge.content);
                continue;
            }
            COMMENTO_ASSIGN(ChallengeFile file, ChallengeFile::place(paths_, challenge.token, challenge.content));
            files_.push_back(std::move(file));
        }
        return listener_ ? listener_->serve(answer_http(std::move(contents))) : Result<void>{};
    }

  private:
    Paths paths_;
    int port_;
    Preamble preamble_;
    std::optional<Listener> listener_{};
    std::vector<ChallengeFile> files_{};
};

} // namespace

std::unique_ptr<Prover> make_prover(const Paths& paths, const Settings& settings) {
    const std::string& way = settings.text("ACME_CHALLENGE");
    if (way == "tls-alpn-01")
        return std::make_unique<AlpnProver>();
    if (way == "http-01")
        return std::make_unique<HttpProver>(paths, settings.number("HTTP_PORT"), preamble_of(settings));
    if (const std::string& server = settings.text("ACME_DNS_SERVER"); !server.empty())
        return std::make_unique<DnsUpdate>(server, settings.text("ACME_DNS_KEY_FILE"), host_resolvers(paths));
    return std::make_unique<DnsHook>(settings.text("ACME_DNS_HOOK"), settings.text("ACME_DNS_CLEANUP_HOOK"));
}

} // namespace commento
