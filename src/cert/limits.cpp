#include "cert/limits.hpp"

#include "acme/jose.hpp"
#include "acme/json.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "cert/public_suffix.hpp"
#include "config/keys.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace commento {
namespace {

using nlohmann::json;

constexpr std::string_view kLetsEncrypt = "https://acme-v02.api.letsencrypt.org/";
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kWeek = std::int64_t{7} * 24 * kHour;
constexpr mode_t kFolder = 0755;
constexpr mode_t kFile = 0600;

struct Bucket {
    const char* name;
    int size;
    std::int64_t period; ///< seconds in which an empty one fills

    std::int64_t refill() const { return period / size; }
};

Bucket bucket_of(Limit limit) {
    switch (limit) {
    case Limit::registrations:
        return {"registrations", 10, 3 * kHour};
    case Limit::orders:
        return {"orders", 300, 3 * kHour};
    case Limit::certificates:
        return {"certificates", 50, kWeek};
    case Limit::same_certificates:
        return {"same_certificates", 5, kWeek};
    case Limit::failed_proofs:
        break;
    }
    return {"failed_proofs", 5, kHour};
}

std::string key_of(Limit limit, const std::string& what) {
    return what.empty() ? bucket_of(limit).name : fmt::format("{} {}", bucket_of(limit).name, what);
}

/// For exactly these names, however many they are.
std::string set_of(std::vector<std::string> names) {
    std::ranges::sort(names);
    return base64url(sha256(fmt::format("{}", fmt::join(names, " "))));
}

std::string without_wildcard(const std::string& name) { return name.starts_with("*.") ? name.substr(2) : name; }

std::set<std::string> registered_domains(const std::vector<std::string>& names) {
    std::set<std::string> domains;
    for (const auto& name : names)
        domains.insert(registered_domain(without_wildcard(name)));
    return domains;
}

tl::unexpected<Error> reached(std::string what, std::int64_t moment) {
    return fail(ErrorCode::later,
                fmt::format("Let's Encrypt's limit of {} is reached; not asking before {}", what, local_time(moment)),
                "nothing is lost by waiting; TEST=true has other limits");
}

} // namespace

Limits Limits::load(const Paths& paths, const std::string& directory) {
    Limits limits;
    if (!directory.starts_with(kLetsEncrypt))
        return limits;
    limits.file_ = paths.acme() / "limits.json";
    const auto text = read_file(limits.file_);
    const auto stored = text ? parse_object(*text) : std::nullopt;
    const json entries = stored.value_or(json::object());
    for (const auto& [key, moment] : entries.items()) {
        if (moment.is_number_integer())
            limits.full_again_.emplace(key, moment.get<std::int64_t>());
    }
    return limits;
}

Result<void> Limits::check(const std::vector<std::string>& names, std::int64_t now) const {
    if (file_.empty())
        return {};
    if (const auto moment = free_from(Limit::orders, {}, now); moment > now)
        return reached("300 orders in 3 hours", moment);
    if (const auto moment = free_from(Limit::same_certificates, set_of(names), now); moment > now)
        return reached(fmt::format("5 certificates a week for exactly {}", fmt::join(names, ", ")), moment);
    for (const auto& domain : registered_domains(names)) {
        if (const auto moment = free_from(Limit::certificates, domain, now); moment > now)
            return reached(fmt::format("50 certificates a week for {}", domain), moment);
    }
    for (const auto& name : names) {
        if (const auto moment = free_from(Limit::failed_proofs, without_wildcard(name), now); moment > now)
            return reached(fmt::format("5 failed proofs an hour of {}", name), moment);
    }
    return {};
}

Result<void> Limits::check_registration(std::int64_t now) const {
    const auto moment = free_from(Limit::registrations, {}, now);
    return moment > now ? reached("10 new accounts in 3 hours", moment) : Result<void>();
}

int Limits::left(const std::vector<std::string>& names, std::int64_t now) const {
    return file_.empty() ? -1 : left_of(Limit::same_certificates, set_of(names), now);
}

void Limits::count_registration(std::int64_t now) { count(Limit::registrations, {}, now); }

void Limits::count_order(std::int64_t now) { count(Limit::orders, {}, now); }

void Limits::count_certificate(const std::vector<std::string>& names, std::int64_t now) {
    count(Limit::same_certificates, set_of(names), now);
    if (file_.empty())
        return;
    for (const auto& domain : registered_domains(names))
        count(Limit::certificates, domain, now);
}

void Limits::count_failed_proof(const std::string& name, std::int64_t now) {
    count(Limit::failed_proofs, without_wildcard(name), now);
}

void Limits::count(Limit limit, const std::string& what, std::int64_t now) {
    if (file_.empty())
        return;
    std::int64_t& moment = full_again_[key_of(limit, what)];
    moment = std::max(moment, now) + bucket_of(limit).refill();
}

int Limits::left_of(Limit limit, const std::string& what, std::int64_t now) const {
    const auto found = full_again_.find(key_of(limit, what));
    const Bucket bucket = bucket_of(limit);
    // A moment too far ahead is of a clock that was put back.
    if (found == full_again_.end() || found->second <= now || found->second > now + bucket.period + bucket.refill())
        return bucket.size;
    const std::int64_t missing = (found->second - now + bucket.refill() - 1) / bucket.refill();
    return std::max(bucket.size - static_cast<int>(missing), 0);
}

std::int64_t Limits::free_from(Limit limit, const std::string& what, std::int64_t now) const {
    if (left_of(limit, what, now) > 0)
        return now;
    const Bucket bucket = bucket_of(limit);
    return full_again_.at(key_of(limit, what)) - bucket.refill() * (bucket.size - 1);
}

Result<void> Limits::save(std::int64_t now) const {
    if (file_.empty())
        return {};
    json text = json::object();
    for (const auto& [key, moment] : full_again_) {
        if (moment > now)
            text[key] = moment;
    }
    COMMENTO_CHECK(make_folder(file_.parent_path(), kFolder));
    COMMENTO_CHECK(update_file(file_, text.dump(2, ' ', false, json::error_handler_t::replace) + "\n", kFile));
    return {};
}

std::string registered_domain(const std::string& name) {
    return is_ip_address(name) ? name : find_registered_domain(name);
}

} // namespace commento
