#include "ctl/domain.hpp"

#include "base/files.hpp"
#include "base/translate.hpp"
#include "base/units.hpp"
#include "config/keys.hpp"
#include "ctl/actions.hpp"
#include "ctl/changeover.hpp"
#include "ctl/domain_plan.hpp"
#include "ctl/output.hpp"
#include "ctl/request.hpp"
#include "ctl/settings_files.hpp"
#include "ctl/setup.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace commento {
namespace {

struct Options {
    std::string name;
    bool force = false;
    bool yes = false;
};

/// While there is one, nothing but a kill ends this program: what it waits for ends by itself, and then it goes on, or
/// puts back what was there.
class Uninterrupted {
  public:
    Uninterrupted() {
        for (std::size_t i = 0; i < kSignals.size(); ++i)
            former_[i] = ::signal(kSignals[i], SIG_IGN);
    }
    ~Uninterrupted() {
        for (std::size_t i = 0; i < kSignals.size(); ++i)
            (void)::signal(kSignals[i], former_[i]);
    }
    Uninterrupted(const Uninterrupted&) = delete;
    Uninterrupted& operator=(const Uninterrupted&) = delete;

  private:
    static constexpr std::array kSignals{SIGINT, SIGHUP, SIGTERM};
    std::array<sighandler_t, kSignals.size()> former_{};
};

Result<Fd> lock_changes(const Paths& paths) {
    constexpr mode_t kFolder = 0755;
    COMMENTO_CHECK(make_folder(paths.run(), kFolder));
    return lock_file(paths.run() / "domain.lock");
}

/// Has nginx serve by these settings.
Result<void> serve(const Paths& paths, const Result<SettingsFiles>& files) {
    if (!files)
        return tl::unexpected(files.error());
    COMMENTO_CHECK(update_file(paths.settings(), files->settings, kSettingsMode));
    COMMENTO_CHECK(run_helper("commento-nginx-render.service"));
    return run_helper("commento-nginx-reload.service");
}

/// The application fills its own address into what it answers when it starts.
Result<void> restart_application(const Paths& paths) {
    COMMENTO_CHECK(change_over_to_settings(paths));
    // That start wants it; this joins its run, and the widget's files are the new ones then.
    return run_helper("commento-nginx-static.service");
}

Error not_for(const std::string& what, const std::vector<std::string>& names, const std::string& name) {
    return {ErrorCode::settings, tr("{} is for {}, not for {}", what, fmt::format("{}", fmt::join(names, ", ")), name),
            tr("both names are to be on it, so that the former one can lead to the new one; nothing is changed")};
}

/// With TLS_MODE=files nobody else gets a certificate that has the new name.
Result<void> check_files(const Settings& settings, const std::vector<std::string>& names) {
    if (settings.text("TLS_MODE") != "files")
        return {};
    const std::string& file = settings.text("TLS_CERTIFICATE_FILE");
    COMMENTO_ASSIGN(const Certificate certificate, read_certificate(file));
    for (const auto& name : names) {
        if (!covers(certificate.names, name))
            return tl::unexpected(not_for(file, certificate.names, name));
    }
    return {};
}

/// Whether the certificate in place is good for all these names already. A placeholder is good for none.
bool has_certificate(const Paths& paths, const Settings& settings, const std::vector<std::string>& names) {
    const auto live = read_certificate(paths.tls_chain());
    if (!live || (live->self_signed && settings.text("TLS_MODE") != "selfsigned"))
        return false;
    return std::ranges::all_of(names, [&](const std::string& name) { return covers(live->names, name); });
}

Result<void> check_served(const Paths& paths, const std::string& name) {
    constexpr std::chrono::seconds kLimit{10};
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    COMMENTO_ASSIGN(const Certificate wanted, read_certificate(paths.tls_chain()));
    COMMENTO_ASSIGN(const Certificate served, served_certificate("127.0.0.1", settings.number("HTTPS_PORT"), name,
                                                                 kLimit, preamble_of(settings)));
    if (served.fingerprint == wanted.fingerprint && covers(served.names, name))
        return {};
    return fail(ErrorCode::web,
                tr("nginx serves for {} the certificate of {} with serial {}", name, served.issuer, served.serial),
                tr("nginx -T shows which site of this host has that name, too"));
}

/// A change, with what is noted of it on disk.
class Course {
  public:
    Course(const Paths& paths, DomainRecord record, DomainChange change)
        : paths_(paths), record_(std::move(record)), change_(std::move(change)) {}

    Result<void> get_certificate(bool force) {
        COMMENTO_CHECK(enter(DomainPhase::certificate));
        say(tr("getting a certificate for {} and {}; {} goes on being served", change_.to, change_.from, change_.from));
        COMMENTO_CHECK(serve_with(with_both_names(change_.before, change_.to)));
        const std::vector<std::string> words =
            force ? std::vector<std::string>{"renew", "--force", "main"} : std::vector<std::string>{"renew", "main"};
        return run_request(paths_, {"cert-request", words});
    }

    Result<void> switch_over() {
        COMMENTO_CHECK(enter(DomainPhase::application));
        COMMENTO_CHECK(serve_with(with_new_domain(change_.before, change_.to)));
        COMMENTO_CHECK(restart_application(paths_));
        return check_served(paths_, change_.to);
    }

    Result<void> finish() { return write_domain_record({std::nullopt, change_.from}, paths_); }

    /// To the settings from before, and what runs with them.
    Result<void> put_back() {
        COMMENTO_ASSIGN(const SettingsFiles present, read_settings_files(paths_));
        COMMENTO_CHECK(serve(paths_, without_change(present, change_, paths_)));
        if (change_.phase == DomainPhase::application)
            COMMENTO_CHECK(restart_application(paths_));
        // What failed there was asked for by this change alone, and has been told.
        COMMENTO_ASSIGN(Units units, Units::connect());
        COMMENTO_CHECK(units.reset_failed("commento-cert-request.service"));
        return write_domain_record({std::nullopt, record_.former}, paths_);
    }

    /// After a failure.
    Error put_back_after(Error error) {
        const auto back = put_back();
        error.message += "\n" + (back ? tr("{} is served as before, and the settings are as they were", change_.from)
                                      : tr("while {} was put back: {}", change_.from, back.error().message));
        if (!back)
            error.hint += error.hint.empty() ? "commentoctl domain undo" : tr("; then: {}", "commentoctl domain undo");
        else if (error.code == ErrorCode::later)
            error.hint += (error.hint.empty() ? "" : "; ") + tr("--force asks it all the same");
        return error;
    }

  private:
    Result<void> serve_with(const KeyValues& values) {
        COMMENTO_ASSIGN(const SettingsFiles present, read_settings_files(paths_));
        return serve(paths_, with_values(present, values, paths_));
    }

    Result<void> enter(DomainPhase phase) {
        change_.phase = phase;
        return write_domain_record({change_, record_.former}, paths_);
    }

    const Paths& paths_;
    DomainRecord record_;
    DomainChange change_;
};

Result<void> carry_out(Course& course, const Paths& paths, const KeyValues& target, bool force) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    const std::vector<std::string> names = words_in(target.at("DOMAIN") + " " + target.at("REDIRECT_NAMES"));
    if (!has_certificate(paths, settings, names) || settings.text("TLS_MODE") == "files")
        COMMENTO_CHECK(course.get_certificate(force));
    COMMENTO_CHECK(course.switch_over());
    return course.finish();
}

Result<void> report_change(const DomainChange& change, const Paths& paths) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    say(tr("{} is the comment server's name now, and {} leads to it", change.to, change.from));
    say(tr("pages that embed comments go on working; in time, give them this address: {}/js/commento.js",
           settings.origin()));
    for (const auto& chore : chores_after(settings))
        say(chore);
    say(tr("owners sign in again; the way back: commentoctl domain undo"));
    return {};
}

/// As it was left by a run that was cut off, or from the present settings.
Result<DomainChange> begun(const DomainRecord& record, const Settings& settings, const std::string& to,
                           const Paths& paths) {
    if (record.change)
        return *record.change;
    COMMENTO_ASSIGN(SettingsFiles files, read_settings_files(paths));
    KeyValues before = domain_keys(settings);
    std::string from = canonical_name(before["DOMAIN"]);
    return DomainChange{std::move(from), to, DomainPhase::certificate, std::move(before), std::move(files.settings)};
}

Result<void> change_to(const std::string& to, const Options& options, const Paths& paths, const DomainRecord& record) {
    COMMENTO_ASSIGN(const Settings settings, Settings::load(paths));
    if (!record.change && canonical_name(settings.text("DOMAIN")) == to) {
        say(tr("{} is the comment server's name already; nothing to do", to));
        return {};
    }
    COMMENTO_ASSIGN(const DomainChange change, begun(record, settings, to, paths));
    const KeyValues target = with_new_domain(change.before, to);
    COMMENTO_CHECK(check_files(settings, words_in(target.at("DOMAIN") + " " + target.at("REDIRECT_NAMES"))));
    COMMENTO_ASSIGN(const bool sure,
                    wants_to(options.yes, tr("Change the comment server's name from {} to {}? {} will lead to it.",
                                             change.from, to, change.from)));
    if (!sure)
        return {};
    const Uninterrupted uninterrupted;
    Course course(paths, record, change);
    if (auto done = carry_out(course, paths, target, options.force); !done)
        return tl::unexpected(course.put_back_after(std::move(done).error()));
    return report_change(change, paths);
}

/// What a run that was cut off left, to other ends than this one.
Result<void> take_back(const DomainRecord& record, const Paths& paths) {
    const Uninterrupted uninterrupted;
    say(tr("taking back the change to {}, which was cut off", record.change->to));
    COMMENTO_CHECK(Course(paths, record, *record.change).put_back());
    say(tr("{} is served as before, and the settings are as they were", record.change->from));
    return {};
}

Result<void> change(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root("commentoctl domain change"));
    if (const auto problem = problem_with_assignment("DOMAIN", options.name); options.name.empty() || !problem.empty())
        return fail(ErrorCode::settings, options.name.empty() ? tr("the new name is empty") : problem,
                    "commentoctl domain change comments.example.org");
    const std::string to = canonical_name(options.name);
    COMMENTO_ASSIGN(const Fd lock, lock_changes(paths));
    COMMENTO_CHECK(require_no_changeover());
    COMMENTO_ASSIGN(DomainRecord record, read_domain_record(paths));
    if (record.change && record.change->to != to) {
        COMMENTO_CHECK(take_back(record, paths));
        record.change.reset();
    }
    return change_to(to, options, paths, record);
}

Result<void> undo(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root("commentoctl domain undo"));
    COMMENTO_ASSIGN(const Fd lock, lock_changes(paths));
    COMMENTO_CHECK(require_no_changeover());
    COMMENTO_ASSIGN(const DomainRecord record, read_domain_record(paths));
    if (record.change)
        return take_back(record, paths);
    if (record.former.empty())
        return fail(ErrorCode::settings, tr("the comment server's name was not changed by commentoctl domain change"),
                    "commentoctl domain change NAME");
    return change_to(record.former, options, paths, record);
}

} // namespace

void add_domain_verbs(Program& program, const Paths& paths) {
    auto options = std::make_shared<Options>();
    CLI::App* group = program.group("domain", "The comment server's name");
    CLI::App* to = program.verb(
        "change", "Move to another name; the former one leads there",
        [options, &paths] { return change(paths, *options); }, group);
    to->add_option("name", options->name, "New name, which leads to this host already")->type_name("NAME")->required();
    CLI::App* back = program.verb(
        "undo", "Go back to the name before", [options, &paths] { return undo(paths, *options); }, group);
    for (CLI::App* verb : {to, back}) {
        verb->add_flag("--force", options->force, "Ask the authority though it is to be left alone");
        verb->add_flag("--yes", options->yes, "Do not ask");
    }
}

} // namespace commento
