#include "notify/report.hpp"

#include "base/clock.hpp"
#include "base/printable.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

namespace commento {
namespace {

std::string_view name_of(Occasion occasion) {
    switch (occasion) {
    case Occasion::failed:
        return "failed";
    case Occasion::well:
        return "well";
    case Occasion::test:
        return "test";
    }
    return "";
}

std::string service_of(const Report& report) { return report.unit + ".service"; }

std::string command_of(const Report& report) {
    return report.occasion == Occasion::failed ? fmt::format("journalctl -u {} -n 50", service_of(report))
                                               : "commentoctl status";
}

std::string indented(const std::string& text, std::string_view first) {
    std::istringstream lines(text);
    std::string all;
    for (std::string line; std::getline(lines, line);)
        all += fmt::format("  {}{}\n", all.empty() ? first : "", line);
    return all;
}

std::string headline_of(const Report& report) {
    switch (report.occasion) {
    case Occasion::failed:
        return fmt::format("{} failed on {}.", service_of(report), report.host);
    case Occasion::well:
        return fmt::format("{} is well again on {}.", service_of(report), report.host);
    case Occasion::test:
        return fmt::format("This is a test of {}: messages like it tell when a part of the comment server fails.",
                           report.host);
    }
    return {};
}

std::string history_of(const Report& report) {
    if (report.occasion == Occasion::well)
        return fmt::format("It had failed since {}: {}.\n", local_time(report.since),
                           report.failures == 1 ? "once" : fmt::format("{} times", report.failures));
    if (report.occasion == Occasion::failed && report.failures > 1)
        return fmt::format("It has failed {} times on end since {}.\n", report.failures, local_time(report.since));
    return {};
}

} // namespace

std::string presentable(const std::string& text) {
    constexpr int kMostLines = 20;
    std::istringstream lines(text);
    std::string all;
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        if (count < kMostLines)
            all += (count == 0 ? "" : "\n") + printable(line);
    }
    return count > kMostLines ? fmt::format("{}\n({} more lines are in the journal)", all, count - kMostLines) : all;
}

std::string subject_of(const Report& report) {
    switch (report.occasion) {
    case Occasion::failed:
        return fmt::format("[{}] {} failed", report.site, report.unit);
    case Occasion::well:
        return fmt::format("[{}] {} is well again", report.site, report.unit);
    case Occasion::test:
        return fmt::format("[{}] test of notifications", report.site);
    }
    return {};
}

std::string body_of(const Report& report) {
    std::string body = headline_of(report) + "\n\n";
    if (!report.message.empty())
        body += indented(report.message, "") + indented(report.hint, "hint: ") + "\n";
    body += history_of(report);
    if (!report.ended.empty())
        body += fmt::format("It ended with {}\n", report.ended);
    return body + fmt::format("Site: {}\nTime: {}\n\nTo see more, on that host, as root:\n\n{}  {}\n", report.site,
                              local_time(report.when),
                              report.occasion == Occasion::failed ? "  commentoctl status\n" : "", command_of(report));
}

std::string json_of(const Report& report) {
    using Json = nlohmann::ordered_json;
    const auto present = [](bool is_there, auto value) { return is_there ? Json(std::move(value)) : Json(); };
    const Json object{
        {"state", name_of(report.occasion)},
        {"host", report.host},
        {"site", report.site},
        {"unit", present(!report.unit.empty(), service_of(report))},
        {"time", utc_time(report.when)},
        {"exit_status", present(report.exit_status >= 0, report.exit_status)},
        {"ended", report.ended},
        {"message", report.message},
        {"hint", report.hint},
        {"since", present(report.since != 0, utc_time(report.since))},
        {"failures", report.failures},
        {"command", command_of(report)},
        {"text", subject_of(report) + (report.message.empty() ? "" : "\n") + report.message},
    };
    return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace commento
