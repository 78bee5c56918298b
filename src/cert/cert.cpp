#include "cert/cert.hpp"

#include "base/owner.hpp"
#include "base/program.hpp"
#include "cert/account_verbs.hpp"
#include "cert/bootstrap.hpp"
#include "cert/export.hpp"
#include "cert/forget.hpp"
#include "cert/import.hpp"
#include "cert/renew.hpp"
#include "cert/revoke.hpp"
#include "cert/view.hpp"

#include <fmt/ranges.h>
#include <iostream>

namespace commento {
namespace {

/// What the verbs take from the command line.
struct Options {
    std::vector<std::string> names;
    std::string name;
    std::string reason = "unspecified";
    std::string directory;
    ImportRequest import;
    std::filesystem::path folder;
    bool force = false;
};

Result<void> take_over(const Paths& paths, const ImportRequest& request) {
    COMMENTO_ASSIGN(const Fd lock, lock_runs(paths));
    return import_from(paths, request);
}

Result<void> print(const Result<std::string>& text) {
    return text.map([](const std::string& found) { std::cout << found << '\n'; });
}

/// A verb that writes into the store.
template <typename Action>
Program::Body as_owner(const Paths& paths, Action action) {
    return [&paths, action]() -> Result<void> {
        return check_owner(paths.tls(), "commentoctl cert renew runs this as the right one").and_then(action);
    };
}

void add_keeping(Program& program, Options& options, const Paths& paths) {
    program.verb("bootstrap", "Make sure that nginx has a certificate to start with",
                 as_owner(paths, [&] { return bootstrap(paths); }));
    CLI::App* renewal = program.verb(
        "renew", "Replace certificates where that is due",
        as_owner(paths, [&] { return renew(paths, options.names, options.force ? Haste::forced : Haste::none); }));
    renewal->add_option("names", options.names, "Certificates to look at; all, if none is named")->type_name("NAME");
    renewal->add_flag("--force", options.force, "Though not due, or the authority is to be left alone");
    CLI::App* revocation = program.verb("revoke", "Revoke a certificate and get a new one",
                                        as_owner(paths, [&] { return revoke(paths, options.name, options.reason); }));
    revocation->add_option("name", options.name, "Certificate")->type_name("NAME")->required();
    revocation->add_option("--reason", options.reason, "Such as keyCompromise or superseded")->type_name("WORD");
    program
        .verb("forget", "Remove a further certificate that is not asked for",
              as_owner(paths, [&] { return forget(paths, options.name); }))
        ->add_option("name", options.name, "Certificate")
        ->type_name("NAME")
        ->required();
}

void add_views(Program& program, Options& options, const Paths& paths) {
    program
        .verb("list", "Print what is known of certificates, as JSON",
              [&] { return print(describe_certificates(paths, options.names)); })
        ->add_option("names", options.names, "Certificates; all, if none is named")
        ->type_name("NAME");
}

void add_moving(Program& program, Options& options, const Paths& paths) {
    CLI::App* import = program.verb("import", "Take over what another ACME client has",
                                    as_owner(paths, [&] { return take_over(paths, options.import); }));
    import
        ->add_option("source", options.import.client, fmt::format("One of: {}", fmt::join(importable_clients(), ", ")))
        ->type_name("CLIENT")
        ->required();
    import->add_option("path", options.import.folder, "Its folder, where that is not the usual one")->type_name("PATH");
    program
        .verb("export", "Write all into a folder as certbot has it",
              [&] { return export_certbot(paths, options.folder); })
        ->add_option("folder", options.folder, "New or empty, or certbot's own")
        ->type_name("PATH")
        ->required();
}

void add_accounts(Program& program, Options& options, const Paths& paths) {
    CLI::App* group = program.group("account", "Accounts with authorities");
    program.verb(
        "show", "Print all accounts, as JSON", [&] { return print(describe_accounts(paths)); }, group);
    const auto add = [&](const char* name, const char* help, auto action) {
        program
            .verb(name, help, as_owner(paths, [&paths, &options, action] { return action(paths, options.directory); }),
                  group)
            ->add_option("--directory", options.directory, "Authority; else the one of the settings")
            ->type_name("ADDRESS");
    };
    add("update", "Make the account, or tell the authority a new EMAIL", update_account);
    add("roll-key", "Give the account a new key", roll_account_key);
    add("deactivate", "Close the account for good", deactivate_account);
}

} // namespace

int cert_main(int argc, char** argv) {
    const Paths paths;
    Options options;
    Program program("commento-cert", "Gets, renews and installs the certificates of the comment server.");
    add_keeping(program, options, paths);
    add_views(program, options, paths);
    add_moving(program, options, paths);
    add_accounts(program, options, paths);
    return program.run(argc, argv);
}

} // namespace commento
