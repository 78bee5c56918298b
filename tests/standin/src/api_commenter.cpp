#include "api.hpp"

#include "secrets.hpp"

namespace standin {

namespace {

const std::string commenter_columns =
    R"(SELECT c.commenterHex AS "commenterHex", email, name, link, photo, provider, joinDate AS "joinDate", deleted,
       false AS "isModerator" FROM commenters c )";

// Of an account that its owner has deleted nothing is shown but that it was there.
json without_deleted_details(json commenter) {
    if (commenter.at("deleted") == true) {
        commenter["name"] = "[deleted]";
        for (const char* detail : {"email", "link", "photo"}) {
            commenter[detail] = "undefined";
        }
    }
    return commenter;
}

json email_of_address(Call& call, const std::string& address) {
    const Rows rows = ask_for_row(call, Problem::email_unknown,
                                  R"(SELECT email, unsubscribeSecretHex AS "unsubscribeSecretHex",
                                     lastEmailNotificationDate AS "lastEmailNotificationDate",
                                     sendReplyNotifications AS "sendReplyNotifications",
                                     sendModeratorNotifications AS "sendModeratorNotifications"
                                     FROM emails WHERE email = $1)",
                                  {address});
    return rows.object(0);
}

bool is_web_address(const std::string& link) { return link.starts_with("http://") || link.starts_with("https://"); }

void require_unused(Call& call, const std::string& email, const std::string& provider) {
    const Rows rows =
        ask(call, Problem::internal, "SELECT 1 FROM commenters WHERE email = $1 AND provider = $2", {email, provider});
    if (!rows.empty()) {
        throw ApiFailure(Problem::already_registered);
    }
}

} // namespace

void add_email(Call& call, const std::string& email) {
    ask(call, Problem::internal,
        "INSERT INTO emails (email, unsubscribeSecretHex, lastEmailNotificationDate) "
        "VALUES ($1, $2, now() AT TIME ZONE 'utc') ON CONFLICT DO NOTHING",
        {email, random_hex()});
}

std::string add_commenter(Call& call, const std::string& email, const std::string& name, std::string link,
                          const std::string& provider, const std::string& password) {
    require_filled({email, name, link, password});
    if (link != "undefined" && !is_web_address(link)) {
        link.insert(0, "https://");
    }
    const bool has_login = provider != "anon";
    if (has_login) {
        require_unused(call, email, provider);
        add_email(call, email);
    }
    const std::string hex = random_hex();
    ask(call, Problem::internal,
        "INSERT INTO commenters (commenterHex, email, name, link, photo, provider, passwordHash, joinDate) "
        "VALUES ($1, $2, $3, $4, 'undefined', $5, $6, now() AT TIME ZONE 'utc')",
        {hex, email, name, link, provider, has_login ? hash_password(password) : ""});
    return hex;
}

json commenter_of_token(Call& call, const std::string& token) {
    require_filled({token});
    const Rows rows = ask_for_row(call, Problem::token_unknown,
                                  commenter_columns + "JOIN commenterSessions USING (commenterHex) "
                                                      "WHERE commenterToken = $1",
                                  {token});
    return without_deleted_details(rows.object(0));
}

json commenter_of_hex(Call& call, const std::string& hex) {
    const Rows rows =
        ask_for_row(call, Problem::commenter_unknown, commenter_columns + "WHERE commenterHex = $1", {hex});
    return without_deleted_details(rows.object(0));
}

// A row per call, and nothing that would ever delete it.
json commenter_token_new(Call& call) {
    const std::string token = random_hex();
    ask(call, Problem::internal,
        "INSERT INTO commenterSessions (commenterToken, creationDate) VALUES ($1, now() AT TIME ZONE 'utc')", {token});
    return {{"commenterToken", token}};
}

json commenter_new(Call& call) {
    const std::string email = text_field(call, "email");
    const std::string name = text_field(call, "name");
    const std::string website = text_field(call, "website");
    const std::string password = text_field(call, "password");
    add_commenter(call, email, name, website.empty() ? "undefined" : website, "commento", password);
    return {{"confirmEmail", call.app.settings.mail_configured}};
}

json commenter_login(Call& call) {
    const std::string email = text_field(call, "email");
    const std::string password = text_field(call, "password");
    require_filled({email, password});
    const Rows rows = ask_for_row(call, Problem::login_refused,
                                  "SELECT commenterHex, passwordHash FROM commenters "
                                  "WHERE email = $1 AND provider = 'commento' AND NOT deleted",
                                  {email});
    if (!password_matches(password, rows.text(0, 1))) {
        throw ApiFailure(Problem::login_refused);
    }
    const std::string token = random_hex();
    ask(call, Problem::internal, "INSERT INTO commenterSessions VALUES ($1, $2, now() AT TIME ZONE 'utc')",
        {token, rows.text(0, 0)});
    return {{"commenterToken", token},
            {"commenter", commenter_of_token(call, token)},
            {"email", email_of_address(call, email)}};
}

json commenter_self(Call& call) {
    const json commenter = commenter_of_token(call, text_field(call, "commenterToken"));
    return {{"commenter", commenter}, {"email", email_of_address(call, commenter.at("email"))}};
}

} // namespace standin
