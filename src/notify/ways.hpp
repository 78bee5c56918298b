#pragma once
// The ways to the operator, by the settings.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "net/mail.hpp"
#include "notify/report.hpp"

#include <functional>
#include <string>
#include <vector>

namespace commento {

struct Way {
    std::string name; ///< mail, webhook
    std::string what; ///< for people: which server, whose address; no secret
    std::function<Result<void>(const Report&)> tell;
};

/// How mail gets away.
enum class MailWay { none, smtp, sendmail };

struct MailPlan {
    MailWay way = MailWay::none;
    MailServer server{}; ///< of MailWay::smtp
    std::string sender{};
    std::vector<std::string> recipients{};
};

/// NOTIFY_SMTP_URL, else COMMENTO_SMTP_HOST, else the host's sendmail. A value with a fault counts as none.
MailPlan plan_mail(const Examined& examined, const Paths& paths);

/// Mail, where there is a way for it, and the webhook, where there is one.
std::vector<Way> find_ways(const Examined& examined, const Paths& paths, RefusedRecipient refused);

/// What mail says of itself to the recipient.
Letter letter_of(const MailPlan& plan, const Report& report);

/// The value of a key; empty where a fault names it.
std::string usable(const Examined& examined, const std::string& key);

} // namespace commento
