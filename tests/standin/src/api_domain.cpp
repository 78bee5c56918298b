#include "api.hpp"

#include "text.hpp"

#include <algorithm>

namespace standin {

namespace {

const std::string domain_columns =
    R"(SELECT domain, name, state, ownerHex AS "ownerHex", creationDate AS "creationDate",
       importedComments::boolean AS "importedComments", autoSpamFilter AS "autoSpamFilter",
       requireModeration AS "requireModeration", requireIdentification AS "requireIdentification",
       moderateAllAnonymous AS "moderateAllAnonymous", emailNotificationPolicy AS "emailNotificationPolicy",
       commentoProvider AS "commentoProvider", googleProvider AS "googleProvider",
       twitterProvider AS "twitterProvider", githubProvider AS "githubProvider",
       gitlabProvider AS "gitlabProvider", ssoProvider AS "ssoProvider", ssoSecret AS "ssoSecret",
       ssoUrl AS "ssoUrl", defaultSortPolicy AS "defaultSortPolicy" FROM domains )";

json with_moderators(Call& call, json domain) {
    const Rows rows = ask(call, Problem::internal,
                          R"(SELECT email, addDate AS "addDate", '' AS domain FROM moderators WHERE domain = $1)",
                          {domain.at("domain")});
    domain["moderators"] = json::array();
    for (int row = 0; row < rows.size(); ++row) {
        domain["moderators"].push_back(rows.object(row));
    }
    return domain;
}

void add_domain(Call& call, const Owner& owner, const std::string& name, const std::string& domain) {
    require_filled({owner.hex, name, domain});
    const Rows twins = ask(call, Problem::domain_invalid,
                           "SELECT 1 FROM domains WHERE canon(replace($1, '%', '')) LIKE canon(domain) "
                           "OR canon(domain) LIKE canon($1)",
                           {domain});
    if (!twins.empty()) {
        throw ApiFailure(Problem::domain_already_registered);
    }
    ask(call, Problem::domain_already_registered,
        "INSERT INTO domains (domain, ownerHex, name, creationDate) VALUES ($1, $2, $3, now() AT TIME ZONE 'utc')",
        {domain, owner.hex, name});
}

void add_moderator(Call& call, const std::string& domain, const std::string& email) {
    add_email(call, email);
    ask(call, Problem::internal, "INSERT INTO moderators VALUES ($1, $2, now() AT TIME ZONE 'utc')", {domain, email});
}

void require_ownership(Call& call, const Owner& owner, const std::string& domain) {
    require_filled({owner.hex, domain});
    const Rows rows = ask(call, Problem::internal, "SELECT 1 FROM domains WHERE ownerHex = $1 AND $2 LIKE domain",
                          {owner.hex, domain});
    if (rows.empty()) {
        throw ApiFailure(Problem::not_authorised);
    }
}

// A member that the caller leaves out becomes empty or false, it does not keep its value: callers send what
// domain/list gave them, changed where they want it changed.
Parameters columns_to_update(const json& domain) {
    Parameters values;
    for (const char* name : {"domain", "name", "state", "emailNotificationPolicy", "ssoUrl", "defaultSortPolicy"}) {
        values.push_back(member<std::string>(domain, name, ""));
    }
    for (const char* name :
         {"autoSpamFilter", "requireModeration", "requireIdentification", "moderateAllAnonymous", "commentoProvider",
          "googleProvider", "twitterProvider", "githubProvider", "gitlabProvider", "ssoProvider"}) {
        values.push_back(member<bool>(domain, name, false) ? "true" : "false");
    }
    return values;
}

} // namespace

json domain_of_name(Call& call, const std::string& name) {
    require_filled({name});
    // The registered name may hold wildcards, so it is the pattern.
    const Rows rows =
        ask_for_row(call, Problem::domain_unknown, domain_columns + "WHERE canon($1) LIKE canon(domain)", {name});
    return with_moderators(call, rows.object(0));
}

bool is_moderator(const json& domain, const std::string& email) {
    const json& moderators = domain.at("moderators");
    return std::any_of(moderators.begin(), moderators.end(),
                       [&](const json& moderator) { return moderator.at("email") == email; });
}

json domain_new(Call& call) {
    const std::string token = text_field(call, "ownerToken");
    const std::string name = text_field(call, "name");
    const std::string domain = domain_of(text_field(call, "domain"));
    const Owner owner = owner_of_token(call, token);
    add_domain(call, owner, name, domain);
    add_moderator(call, domain, owner.email);
    return {{"domain", domain}};
}

json domain_list(Call& call) {
    const Owner owner = owner_of_token(call, text_field(call, "ownerToken"));
    const Rows rows = ask(call, Problem::internal, domain_columns + "WHERE ownerHex = $1", {owner.hex});
    json domains = json::array();
    for (int row = 0; row < rows.size(); ++row) {
        domains.push_back(with_moderators(call, rows.object(row)));
    }
    return {{"domains", domains}, {"configuredOauths", call.app.settings.oauth_configured}};
}

json domain_update(Call& call) {
    const std::string token = text_field(call, "ownerToken");
    const json domain = object_field(call, "domain");
    const Parameters columns = columns_to_update(domain);
    const Owner owner = owner_of_token(call, token);
    require_ownership(call, owner, domain_of(columns[0]));
    if (member<bool>(domain, "ssoProvider", false)) {
        require_filled({member<std::string>(domain, "ssoUrl", "")});
    }
    ask(call, Problem::internal,
        "UPDATE domains SET (name, state, emailNotificationPolicy, ssoUrl, defaultSortPolicy, autoSpamFilter, "
        "requireModeration, requireIdentification, moderateAllAnonymous, commentoProvider, googleProvider, "
        "twitterProvider, githubProvider, gitlabProvider, ssoProvider) = ($2, $3, $4, $5, $6::sortPolicy, "
        "$7::boolean, $8::boolean, $9::boolean, $10::boolean, $11::boolean, $12::boolean, $13::boolean, "
        "$14::boolean, $15::boolean, $16::boolean) WHERE domain = $1",
        columns);
    return json::object();
}

} // namespace standin
