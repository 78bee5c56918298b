#include "notify/ways.hpp"

#include "base/files.hpp"
#include "config/keys.hpp"
#include "net/http.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <utility>

namespace commento {
namespace {

constexpr mode_t kLetterMode = 0600;

/// `otherwise` where the key is not set.
std::string usable_or(const Examined& examined, const std::string& key, std::string otherwise) {
    std::string value = usable(examined, key);
    return value.empty() ? std::move(otherwise) : value;
}

std::string server_of_application(const Examined& examined) {
    const std::string host = usable(examined, "COMMENTO_SMTP_HOST");
    return host.empty() ? "" : fmt::format("smtp://{}:{}", host, usable_or(examined, "COMMENTO_SMTP_PORT", "587"));
}

MailServer find_server(const Examined& examined, const std::string& own_name) {
    if (const std::string url = usable(examined, "NOTIFY_SMTP_URL"); !url.empty())
        return {url, usable(examined, "NOTIFY_SMTP_USER"), usable(examined, "NOTIFY_SMTP_PASSWORD"), own_name};
    return {server_of_application(examined), usable(examined, "COMMENTO_SMTP_USERNAME"),
            usable(examined, "COMMENTO_SMTP_PASSWORD"), own_name};
}

/// commento-notify-sendmail@UNIT.service takes it from there: mail programs are set-user-ID or set-group-ID, which
/// this unit's sandbox makes void.
Result<void> put_in_outbox(const Letter& letter, const Report& report, const Paths& paths) {
    const std::string unit = report.occasion == Occasion::test ? "test" : report.unit;
    return write_file(paths.notify_outbox() / (unit + ".eml"), format_letter(letter), kLetterMode);
}

Way mail_way(const MailPlan& plan, const Paths& paths, RefusedRecipient refused) {
    const std::string to = fmt::format("{}", fmt::join(plan.recipients, ", "));
    if (plan.way == MailWay::smtp)
        return {"mail", fmt::format("mail to {} by {}", to, host_and_port_of(plan.server)),
                [plan, refused](const Report& report) {
                    return send_letter(plan.server, letter_of(plan, report), refused);
                }};
    return {"mail", fmt::format("mail to {} by {}", to, paths.sendmail().string()),
            [plan, paths](const Report& report) { return put_in_outbox(letter_of(plan, report), report, paths); }};
}

std::string host_of(const std::string& url) {
    const auto begin = url.find("://") + 3;
    return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

Result<void> post(const std::string& url, const Report& report) {
    constexpr std::chrono::seconds kConnect{10};
    constexpr std::chrono::seconds kTotal{30};
    constexpr int kFirstGood = 200;
    constexpr int kFirstOther = 300;
    HttpClient client({.connect = kConnect, .total = kTotal});
    const auto answer = client.send(
        {.method = "POST", .url = url, .body = json_of(report), .headers = {{"Content-Type", "application/json"}}});
    if (!answer) // its message begins with the address
        return fail(answer.error().code,
                    fmt::format("the webhook at {} did not take the message: {}", host_of(url),
                                answer.error().message.substr(std::min(url.size() + 2, answer.error().message.size()))),
                    answer.error().hint);
    if (answer->status >= kFirstGood && answer->status < kFirstOther)
        return {};
    return fail(
        ErrorCode::network,
        fmt::format("the webhook at {} did not take the message: it answers status {}", host_of(url), answer->status),
        "is NOTIFY_WEBHOOK what the service says, and still valid?");
}

} // namespace

std::string usable(const Examined& examined, const std::string& key) {
    const bool faulty = std::ranges::any_of(examined.faults, [&](const Fault& fault) { return fault.key == key; });
    return faulty ? "" : examined.settings.text(key);
}

MailPlan plan_mail(const Examined& examined, const Paths& paths) {
    const std::string domain = usable_or(examined, "DOMAIN", "localhost");
    MailPlan plan;
    plan.recipients = emails_in(usable_or(examined, "NOTIFY_EMAIL", usable(examined, "EMAIL")));
    plan.sender = usable_or(examined, "NOTIFY_FROM",
                            usable_or(examined, "COMMENTO_SMTP_FROM_ADDRESS", "commento-stack@" + domain));
    plan.server = find_server(examined, domain);
    if (plan.recipients.empty())
        return plan;
    if (!plan.server.url.empty())
        plan.way = MailWay::smtp;
    else if (::access(paths.sendmail().c_str(), X_OK) == 0)
        plan.way = MailWay::sendmail;
    return plan;
}

std::vector<Way> find_ways(const Examined& examined, const Paths& paths, RefusedRecipient refused) {
    std::vector<Way> ways;
    if (const MailPlan plan = plan_mail(examined, paths); plan.way != MailWay::none)
        ways.push_back(mail_way(plan, paths, refused));
    if (const std::string url = usable(examined, "NOTIFY_WEBHOOK"); !url.empty())
        ways.push_back({"webhook", fmt::format("the webhook at {}", host_of(url)),
                        [url](const Report& report) { return post(url, report); }});
    return ways;
}

Letter letter_of(const MailPlan& plan, const Report& report) {
    return {plan.sender, plan.recipients, subject_of(report), body_of(report), report.when};
}

} // namespace commento
