#include "ctl/cert.hpp"

#include "base/translate.hpp"
#include "ctl/actions.hpp"
#include "ctl/certificates_table.hpp"
#include "ctl/further.hpp"
#include "ctl/output.hpp"
#include "ctl/request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace commento {
namespace {

using Words = std::vector<std::string>;

constexpr const char* kHelper = "commento-cert";

/// What the verbs take from the command line; each looks only at what it declares.
struct Options {
    Words names;
    std::string name;
    std::string reason = "unspecified";
    std::string directory;
    std::string client;
    std::filesystem::path path;
    Words assignments;
    bool force = false;
    bool later = false;
    bool json = false;
};

/// The verbs below one word, with what they share.
struct Verbs {
    Program& program;
    const Paths& paths;
    std::shared_ptr<Options> options; ///< lives as long as the verbs do
    CLI::App* group;

    CLI::App* add(const char* name, const char* help, Result<void> (*body)(const Paths&, const Options&)) {
        return program.verb(
            name, help, [&paths = paths, options = options, body] { return body(paths, *options); }, group);
    }
};

Words operator+(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

Result<void> require_root_for(const Words& words) {
    return require_root(fmt::format("commentoctl cert {}", fmt::join(words, " ")));
}

/// A verb that changes the store, which commento-cert alone may.
Result<void> request(const Paths& paths, const Words& words) {
    COMMENTO_CHECK(require_root_for(words));
    return run_request(paths, {"cert-request", words});
}

Result<std::string> ask(const Paths& paths, const Words& words) { return call_helper(paths, kHelper, words); }

/// As the helper printed it, or as a table.
Result<void> print(const Options& options, std::string_view text, decltype(certificates_table)* draw) {
    if (options.json) {
        say(text.substr(0, text.find_last_not_of('\n') + 1));
        return {};
    }
    return parse_objects(text).map([&](const auto& objects) { say(draw(objects, look_of_stdout())); });
}

Result<void> list(const Paths& paths, const Options& options) {
    COMMENTO_ASSIGN(const std::string text, ask(paths, Words{"list"} + options.names));
    return print(options, text, certificates_table);
}

Result<void> show(const Paths& paths, const Options& options) {
    COMMENTO_ASSIGN(const std::string text, ask(paths, {"list", options.name}));
    return print(options, text, certificate_facts);
}

Result<void> bootstrap(const Paths& /*paths*/, const Options& /*options*/) {
    COMMENTO_CHECK(require_root_for({"bootstrap"}));
    return run_helper("commento-cert-bootstrap.service");
}

Result<void> renew(const Paths& paths, const Options& options) {
    const Words words = (options.force ? Words{"renew", "--force"} : Words{"renew"}) + options.names;
    if (words.size() > 1)
        return request(paths, words);
    COMMENTO_CHECK(require_root_for(words));
    return run_helper("commento-cert-renew.service");
}

Result<void> revoke(const Paths& paths, const Options& options) {
    return request(paths, {"revoke", options.name, "--reason", options.reason});
}

Result<std::vector<Wish>> wishes_of(const Words& assignments) {
    std::vector<Wish> wishes;
    for (const auto& assignment : assignments) {
        COMMENTO_ASSIGN(Wish wish, parse_wish(assignment));
        wishes.push_back(std::move(wish));
    }
    return wishes;
}

/// The file stays where the authority does not issue at once.
Error not_yet(Error error, const FurtherFile& file) {
    error.message += "\n" + tr("{} stays, and the timer tries again", file.path.string());
    error.hint += (error.hint.empty() ? "" : "; ") + tr("to take it back: commentoctl cert remove {}", file.name);
    return error;
}

Words words_of_issue(const Options& options) {
    Words words = Words{"issue"} + options.names;
    for (const auto& assignment : options.assignments)
        words = words + Words{"--set", assignment};
    return options.later ? words + Words{"--later"} : words;
}

Result<void> issue(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root_for(words_of_issue(options)));
    COMMENTO_ASSIGN(const auto wishes, wishes_of(options.assignments));
    COMMENTO_ASSIGN(const FurtherFile file, plan_further(options.names, wishes, paths));
    COMMENTO_ASSIGN(const bool wrote, write_further(file));
    say(wrote ? tr("{} is written", file.path.string()) : tr("{} is so already", file.path.string()));
    if (options.later) {
        say(tr("the timer gets the certificate when it elapses next"));
        return {};
    }
    return request(paths, {"renew", file.name}).map_error([&](Error error) { return not_yet(std::move(error), file); });
}

Result<void> remove(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root_for({"remove", options.name}));
    COMMENTO_ASSIGN(const bool stored, remove_further(options.name, paths));
    say(tr("nothing asks for the certificate {} any more", options.name));
    return stored ? request(paths, {"forget", options.name}) : Result<void>();
}

/// As the unit, which has another working folder, can find it; empty for the client's usual one.
Words words_of(const std::filesystem::path& path) {
    return path.empty() ? Words() : Words{std::filesystem::absolute(path).string()};
}

Result<void> take_over(const Paths& paths, const Options& options) {
    const Words words = Words{"import", options.client} + words_of(options.path);
    COMMENTO_CHECK(require_root_for(words));
    return run_request(paths, {"cert-import", words});
}

Result<void> hand_over(const Paths& paths, const Options& options) {
    const Words words = Words{"export"} + words_of(options.path);
    COMMENTO_CHECK(require_root_for(words));
    return ask(paths, words).map([](const std::string& /*nothing*/) {});
}

Result<void> show_accounts(const Paths& paths, const Options& options) {
    COMMENTO_CHECK(require_root_for({"account", "show"}));
    COMMENTO_ASSIGN(const std::string text, ask(paths, {"account", "show"}));
    return print(options, text, accounts_table);
}

Words of_directory(const char* verb, const Options& options) {
    const Words words{"account", verb};
    return options.directory.empty() ? words : words + Words{"--directory", options.directory};
}

Result<void> update_account(const Paths& paths, const Options& options) {
    return request(paths, of_directory("update", options));
}

Result<void> roll_account_key(const Paths& paths, const Options& options) {
    return request(paths, of_directory("roll-key", options));
}

Result<void> deactivate_account(const Paths& paths, const Options& options) {
    return request(paths, of_directory("deactivate", options));
}

void add_views(Verbs& verbs) {
    Options& options = *verbs.options;
    CLI::App* all = verbs.add("list", "Show certificates and how they are", list);
    all->add_option("names", options.names, "Certificates; all, if none is named")->type_name("NAME");
    all->add_flag("--json", options.json, "For programs");
    CLI::App* one = verbs.add("show", "Show all that is known of a certificate", show);
    one->add_option("name", options.name, "Certificate")->type_name("NAME")->required();
    one->add_flag("--json", options.json, "For programs");
}

void add_asking(Verbs& verbs) {
    Options& options = *verbs.options;
    CLI::App* issuing = verbs.add("issue", "Get a further certificate", issue);
    issuing->add_option("names", options.names, "Names on it, the first names it")->type_name("NAME")->required();
    issuing->add_option("--set", options.assignments, "A key for it alone; may be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false); // one word for each --set
    issuing->add_flag("--later", options.later, "Leave it to the timer");
    CLI::App* renewal = verbs.add("renew", "Get or renew certificates where that is due", renew);
    renewal->add_option("names", options.names, "Certificates; all, if none is named")->type_name("NAME");
    renewal->add_flag("--force", options.force, "Though not due, or to be left alone");
}

void add_ending(Verbs& verbs) {
    Options& options = *verbs.options;
    CLI::App* revocation = verbs.add("revoke", "Revoke a certificate and get a new one", revoke);
    revocation->add_option("name", options.name, "Certificate")->type_name("NAME")->required();
    revocation->add_option("--reason", options.reason, "Such as keyCompromise or superseded")->type_name("WORD");
    verbs.add("remove", "Give a further certificate up", remove)
        ->add_option("name", options.name, "Certificate")
        ->type_name("NAME")
        ->required();
}

void add_moving(Verbs& verbs) {
    Options& options = *verbs.options;
    CLI::App* import = verbs.add("import", "Take over what another ACME client has", take_over);
    import->add_option("client", options.client, "certbot, lego, acme.sh or dehydrated")
        ->type_name("CLIENT")
        ->required();
    import->add_option("path", options.path, "Its folder, if not the usual one")->type_name("PATH");
    verbs.add("export", "Write all into a folder as certbot has it", hand_over)
        ->add_option("path", options.path, "New or empty, or certbot's own")
        ->type_name("PATH")
        ->required();
}

void add_accounts(Verbs verbs) {
    Options& options = *verbs.options;
    verbs.group = verbs.group->add_subcommand("account", "Accounts with authorities")->require_subcommand(-1);
    verbs.add("show", "Show all accounts", show_accounts)->add_flag("--json", options.json, "For programs");
    for (CLI::App* verb : {verbs.add("update", "Tell the authority of a changed EMAIL", update_account),
                           verbs.add("roll-key", "Give the account a new key", roll_account_key),
                           verbs.add("deactivate", "Close the account for good", deactivate_account)})
        verb->add_option("--directory", options.directory, "Authority, if not the settings' own")->type_name("ADDRESS");
}

} // namespace

void add_cert_verbs(Program& program, const Paths& paths) {
    Verbs verbs{program, paths, std::make_shared<Options>(), program.group("cert", "Certificates")};
    add_views(verbs);
    add_asking(verbs);
    add_ending(verbs);
    add_moving(verbs);
    add_accounts(verbs);
    verbs.add("bootstrap", "Make a placeholder where no certificate is", bootstrap);
}

} // namespace commento
