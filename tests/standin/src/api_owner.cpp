#include "api.hpp"

#include "secrets.hpp"

namespace standin {

namespace {

bool has_account(Call& call, const std::string& email) {
    try {
        ask_for_row(call, Problem::email_unknown, "SELECT 1 FROM owners WHERE email = $1", {email});
        return true;
    } catch (const ApiFailure&) {
        return false;
    }
}

void add_owner(Call& call, const std::string& email, const std::string& name, const std::string& password) {
    require_filled({email, name, password});
    if (call.app.settings.forbid_new_owners) {
        throw ApiFailure(Problem::owners_forbidden);
    }
    if (has_account(call, email)) {
        throw ApiFailure(Problem::already_registered);
    }
    add_email(call, email);
    const std::string hex = random_hex();
    const bool confirmed = !call.app.settings.mail_configured;
    ask(call, Problem::already_registered, "INSERT INTO owners VALUES ($1, $2, $3, $4, $5, now() AT TIME ZONE 'utc')",
        {hex, email, name, hash_password(password), confirmed ? "true" : "false"});
    if (!confirmed) {
        ask(call, Problem::internal, "INSERT INTO ownerConfirmHexes VALUES ($1, $2, now() AT TIME ZONE 'utc')",
            {random_hex(), hex});
    }
}

} // namespace

Owner owner_of_token(Call& call, const std::string& token) {
    require_filled({token});
    const Rows rows = ask_for_row(call, Problem::internal,
                                  "SELECT o.ownerHex, o.email FROM ownerSessions s JOIN owners o USING (ownerHex) "
                                  "WHERE s.ownerToken = $1",
                                  {token});
    return {rows.text(0, 0), rows.text(0, 1)};
}

json owner_new(Call& call) {
    const std::string email = text_field(call, "email");
    const std::string name = text_field(call, "name");
    const std::string password = text_field(call, "password");
    add_owner(call, email, name, password);
    try {
        add_commenter(call, email, name, "undefined", "commento", password);
    } catch (const ApiFailure&) {
        // The owner may have been a commenter before; that does not hold up the owner's account.
    }
    return {{"confirmEmail", call.app.settings.mail_configured}};
}

json owner_login(Call& call) {
    const std::string email = text_field(call, "email");
    const std::string password = text_field(call, "password");
    require_filled({email, password});
    const Rows rows =
        ask_for_row(call, Problem::login_refused,
                    "SELECT ownerHex, passwordHash, confirmedEmail::boolean FROM owners WHERE email = $1", {email});
    if (!rows.flag(0, 2)) {
        throw ApiFailure(Problem::unconfirmed);
    }
    if (!password_matches(password, rows.text(0, 1))) {
        throw ApiFailure(Problem::login_refused);
    }
    const std::string token = random_hex();
    ask(call, Problem::internal, "INSERT INTO ownerSessions VALUES ($1, $2, now() AT TIME ZONE 'utc')",
        {token, rows.text(0, 0)});
    return {{"ownerToken", token}};
}

json owner_self(Call& call) {
    const Owner owner = owner_of_token(call, text_field(call, "ownerToken"));
    const Rows rows = ask_for_row(call, Problem::internal,
                                  R"(SELECT ownerHex AS "ownerHex", email, name, joinDate AS "joinDate",
                                     confirmedEmail::boolean AS "confirmedEmail" FROM owners WHERE ownerHex = $1)",
                                  {owner.hex});
    return {{"loggedIn", true}, {"owner", rows.object(0)}};
}

} // namespace standin
