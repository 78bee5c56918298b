#include "acme/problem.hpp"

#include "acme/json.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace commento {
namespace {

using nlohmann::json;

constexpr std::string_view kReachable =
    "the authority must reach http://DOMAIN/.well-known/acme-challenge/ on port 80 from outside: check DOMAIN's "
    "addresses in DNS (A and AAAA), and the firewall";

struct Hint {
    std::string_view type;
    std::string_view text;
};

constexpr std::array kHints{
    Hint{"badNonce", "the authority's own fault, or that of a proxy before it"},
    Hint{"caa", "a CAA record in DNS keeps this authority from issuing for DOMAIN: change it, or ACME_DIRECTORY"},
    Hint{"connection", kReachable},
    Hint{"dns", "check DOMAIN, and its records in DNS"},
    Hint{"externalAccountRequired",
         "this authority takes only accounts of its customers: set ACME_EAB_KID and ACME_EAB_KEY_FILE"},
    Hint{"incorrectResponse", kReachable},
    Hint{"invalidProfile", "set another ACME_PROFILE, or none"},
    Hint{"invalidContact", "check EMAIL: the authority does not take it"},
    Hint{"rateLimited", "set TEST=true while you try things out"},
    Hint{"rejectedIdentifier", "check DOMAIN: the authority does not issue for it"},
    Hint{"serverInternal", "the authority has trouble of its own"},
    Hint{"tls", kReachable},
    Hint{"unauthorized",
         "either another server answered the challenge (check DOMAIN's addresses in DNS), or the authority "
         "closed the account (remove its folder in /var/lib/commento-stack/acme/accounts for a new one)"},
    Hint{"unsupportedContact", "check EMAIL: the authority does not take it"},
    Hint{"userActionRequired", "the authority's terms changed: follow the link in its message"},
};

std::string describe_one(const json& problem) {
    const std::string type = text_field(problem, "type");
    const std::string detail = text_field(problem, "detail");
    return printable(fmt::format("{}: {}", type.empty() ? "a problem without a type" : type,
                                 detail.empty() ? "no detail given" : detail));
}

std::string identifier_of(const json& subproblem) {
    const auto identifier = subproblem.find("identifier");
    const bool named = identifier != subproblem.end() && identifier->is_object();
    return named ? printable(text_field(*identifier, "value")) : std::string("without identifier");
}

} // namespace

std::string describe_problem(const json& problem) {
    constexpr std::size_t kMost = 20;
    std::string text = describe_one(problem);
    const json subproblems = list_field(problem, "subproblems");
    for (std::size_t i = 0; i < std::min(subproblems.size(), kMost); ++i) {
        if (subproblems[i].is_object())
            text += fmt::format("\n  {}: {}", identifier_of(subproblems[i]), describe_one(subproblems[i]));
    }
    return text;
}

std::string hint_for_problem(std::string_view type) {
    if (!type.starts_with(kAcmeErrors))
        return {};
    type.remove_prefix(kAcmeErrors.size());
    const auto* hint = std::ranges::find(kHints, type, &Hint::type);
    return hint == kHints.end() ? std::string() : std::string(hint->text);
}

} // namespace commento
