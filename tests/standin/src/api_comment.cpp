#include "api.hpp"

#include "secrets.hpp"
#include "text.hpp"

#include <algorithm>

namespace standin {

namespace {

constexpr const char* anonymous = "anonymous";

// A page has a row from its first comment on; before, it has the defaults of such a row.
json page_at(Call& call, const std::string& domain, const std::string& path) {
    const Rows rows = ask(call, Problem::internal,
                          R"(SELECT isLocked AS "isLocked", commentCount AS "commentCount",
                             stickyCommentHex AS "stickyCommentHex", title
                             FROM pages WHERE canon($1) LIKE canon(domain) AND path = $2)",
                          {domain, path});
    json attributes = {{"isLocked", false}, {"commentCount", 0}, {"stickyCommentHex", "none"}, {"title", ""}};
    if (!rows.empty()) {
        attributes = rows.object(0);
    }
    attributes["domain"] = domain;
    attributes["path"] = path;
    return attributes;
}

struct Author {
    std::string hex = anonymous;
    bool anonymous_token = true;
    bool moderator = false;
};

Author author_of(Call& call, const json& domain, const std::string& token, const std::string& name_given) {
    if (token == anonymous) {
        const std::string name(trimmed(name_given));
        if (name.empty()) {
            return {};
        }
        return {.hex = add_commenter(call, "undefined", name, "undefined", "anon", "undefined")};
    }
    const json commenter = commenter_of_token(call, token);
    return {commenter.at("commenterHex"), false, is_moderator(domain, commenter.at("email"))};
}

std::string first_state(const json& domain, const Author& author) {
    if (author.moderator) {
        return "approved";
    }
    const bool held_as_anonymous = author.anonymous_token && domain.at("moderateAllAnonymous") == true;
    return held_as_anonymous || domain.at("requireModeration") == true ? "unapproved" : "approved";
}

struct NewComment {
    std::string author, domain, path, parent, markdown, html, state;
};

std::string add_comment(Call& call, const NewComment& comment) {
    require_filled({comment.author, comment.domain, comment.parent, comment.markdown});
    if (page_at(call, comment.domain, comment.path).at("isLocked") == true) {
        throw ApiFailure(Problem::thread_locked);
    }
    ask(call, Problem::internal, "INSERT INTO pages (domain, path) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        {comment.domain, comment.path});
    const std::string hex = random_hex();
    ask(call, Problem::internal,
        "INSERT INTO comments (commentHex, domain, path, commenterHex, markdown, html, parentHex, state, creationDate) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() AT TIME ZONE 'utc')",
        {hex, comment.domain, comment.path, comment.author, comment.markdown, comment.html, comment.parent,
         comment.state});
    call.app.hub.announce(comment.domain + comment.path);
    return hex;
}

struct Reader {
    std::string hex = anonymous;
    bool moderator = false;
};

// A token that has no commenter (yet, or any more) reads as anybody does.
Reader reader_of(Call& call, const json& domain, const std::string& token) {
    if (token == anonymous) {
        return {};
    }
    try {
        const json commenter = commenter_of_token(call, token);
        return {commenter.at("commenterHex"), is_moderator(domain, commenter.at("email"))};
    } catch (const ApiFailure& failure) {
        if (failure.problem != Problem::token_unknown) {
            throw;
        }
        return {};
    }
}

// Others' comments come without their source, and only a moderator learns what state a comment is in.
json as_seen_by(const Reader& reader, json comment) {
    if (comment.at("commenterHex") != reader.hex) {
        comment["markdown"] = "";
    }
    if (!reader.moderator) {
        comment.erase("state");
    }
    return comment;
}

json comments_at(Call& call, const Reader& reader, const std::string& domain, const std::string& path) {
    const Rows rows = ask(call, Problem::internal,
                          R"(SELECT c.commentHex AS "commentHex", c.commenterHex AS "commenterHex", markdown, html,
               parentHex AS "parentHex", score, state, deleted, creationDate AS "creationDate",
               coalesce(v.direction, 0) AS direction
               FROM comments c LEFT JOIN votes v ON v.commentHex = c.commentHex AND v.commenterHex = $3
               WHERE canon($1) LIKE canon(c.domain) AND path = $2 AND ($4::boolean OR state = 'approved'
               OR (c.commenterHex = $3 AND $3 <> 'anonymous')) ORDER BY creationDate)",
                          {domain, path, reader.hex, reader.moderator ? "true" : "false"});
    json comments = json::array();
    for (int row = 0; row < rows.size(); ++row) {
        comments.push_back(as_seen_by(reader, rows.object(row)));
    }
    return comments;
}

json somebody() {
    return {{"commenterHex", anonymous}, {"name", "Anonymous"},     {"link", "undefined"},
            {"photo", "undefined"},      {"provider", "undefined"}, {"joinDate", "0001-01-01T00:00:00Z"},
            {"isModerator", false},      {"deleted", false}};
}

json authors_of(Call& call, const json& comments, const json& domain) {
    json authors = {{anonymous, somebody()}};
    for (const json& comment : comments) {
        const std::string hex = comment.at("commenterHex");
        if (!authors.contains(hex)) {
            json author = commenter_of_hex(call, hex);
            author["isModerator"] = is_moderator(domain, author.at("email"));
            author.erase("email");
            authors[hex] = author;
        }
    }
    return authors;
}

json login_choices(const Call& call, const json& domain) {
    json choices = {{"commento", domain.at("commentoProvider")}, {"sso", domain.at("ssoProvider")}};
    for (const auto& [provider, configured] : call.app.settings.oauth_configured) {
        choices[provider] = configured && domain.at(provider + "Provider") == true;
    }
    return choices;
}

struct Place {
    std::string domain, path, author;
};

Place place_of(Call& call, const std::string& comment_hex) {
    require_filled({comment_hex});
    const Rows rows =
        ask_for_row(call, Problem::comment_unknown,
                    "SELECT domain, path, commenterHex FROM comments WHERE commentHex = $1", {comment_hex});
    return {rows.text(0, 0), rows.text(0, 1), rows.text(0, 2)};
}

bool moderates(Call& call, const json& commenter, const std::string& domain) {
    return !ask(call, Problem::internal, "SELECT 1 FROM moderators WHERE $1 LIKE domain AND email = $2",
                {domain, commenter.at("email")})
                .empty();
}

} // namespace

json comment_new(Call& call) {
    const std::string token = text_field(call, "commenterToken");
    const std::string name = text_field(call, "anonName");
    const std::string domain_name = domain_of(text_field(call, "domain"));
    NewComment comment = {.author = {},
                          .domain = domain_name,
                          .path = text_field(call, "path"),
                          .parent = text_field(call, "parentHex"),
                          .markdown = text_field(call, "markdown"),
                          .html = {},
                          .state = {}};
    const json domain = domain_of_name(call, domain_name);
    if (domain.at("state") == "frozen") {
        throw ApiFailure(Problem::domain_frozen);
    }
    if (token == anonymous && domain.at("requireIdentification") == true) {
        throw ApiFailure(Problem::not_authorised);
    }
    const Author author = author_of(call, domain, token, name);
    comment.author = author.hex;
    comment.html = html_from_text(comment.markdown);
    comment.state = first_state(domain, author);
    const std::string hex = add_comment(call, comment);
    return {{"commentHex", hex}, {"state", comment.state}, {"html", comment.html}};
}

json comment_list(Call& call) {
    const std::string token = text_field(call, "commenterToken");
    const std::string name = domain_of(text_field(call, "domain"));
    const std::string path = text_field(call, "path");
    const json domain = domain_of_name(call, name);
    const json page = page_at(call, name, path);
    const Reader reader = reader_of(call, domain, token);
    const json comments = comments_at(call, reader, name, path);
    return {{"domain", name},
            {"comments", comments},
            {"commenters", authors_of(call, comments, domain)},
            {"requireModeration", domain.at("requireModeration")},
            {"requireIdentification", domain.at("requireIdentification")},
            {"isFrozen", domain.at("state") == "frozen"},
            {"isModerator", reader.moderator},
            {"defaultSortPolicy", domain.at("defaultSortPolicy")},
            {"attributes", page},
            {"configuredOauths", login_choices(call, domain)}};
}

json comment_count(Call& call) {
    const std::string domain = domain_of(text_field(call, "domain"));
    const json paths = list_field(call, "paths");
    if (!std::all_of(paths.begin(), paths.end(), [](const json& path) { return path.is_string(); })) {
        throw ApiFailure(Problem::malformed_body);
    }
    require_filled({domain});
    if (paths.empty()) {
        throw ApiFailure(Problem::paths_empty);
    }
    const Rows rows = ask(call, Problem::internal,
                          "SELECT path, commentCount FROM pages WHERE canon($1) LIKE canon(domain) "
                          "AND path IN (SELECT jsonb_array_elements_text($2::jsonb))",
                          {domain, paths.dump()});
    json counts = json::object();
    for (int row = 0; row < rows.size(); ++row) {
        counts[rows.text(row, 0)] = std::stoi(rows.text(row, 1));
    }
    return {{"commentCounts", counts}};
}

json comment_vote(Call& call) {
    const std::string token = text_field(call, "commenterToken");
    const std::string comment_hex = text_field(call, "commentHex");
    const int direction = std::clamp(number_field(call, "direction"), -1, 1);
    if (token == anonymous) {
        throw ApiFailure(Problem::vote_needs_login);
    }
    const std::string voter = commenter_of_token(call, token).at("commenterHex");
    const Place place = place_of(call, comment_hex);
    if (place.author == voter) {
        throw ApiFailure(Problem::own_comment);
    }
    ask(call, Problem::internal,
        "INSERT INTO votes VALUES ($1, $2, $3, now() AT TIME ZONE 'utc') "
        "ON CONFLICT (commentHex, commenterHex) DO UPDATE SET direction = excluded.direction",
        {comment_hex, voter, std::to_string(direction)});
    call.app.hub.announce(place.domain + place.path);
    return json::object();
}

json comment_approve(Call& call) {
    const std::string token = text_field(call, "commenterToken");
    const std::string comment_hex = text_field(call, "commentHex");
    const json commenter = commenter_of_token(call, token);
    const Place place = place_of(call, comment_hex);
    if (!moderates(call, commenter, place.domain)) {
        throw ApiFailure(Problem::not_moderator);
    }
    ask(call, Problem::internal, "UPDATE comments SET state = 'approved' WHERE commentHex = $1", {comment_hex});
    call.app.hub.announce(place.domain + place.path);
    return json::object();
}

// The row stays, for the sake of the answers to it; only what it said goes.
json comment_delete(Call& call) {
    const std::string token = text_field(call, "commenterToken");
    const std::string comment_hex = text_field(call, "commentHex");
    const json commenter = commenter_of_token(call, token);
    const Place place = place_of(call, comment_hex);
    if (place.author != commenter.at("commenterHex") && !moderates(call, commenter, place.domain)) {
        throw ApiFailure(Problem::not_moderator);
    }
    ask(call, Problem::comment_unknown,
        "UPDATE comments SET (deleted, markdown, html, commenterHex, deleterHex, deletionDate) = "
        "(true, '[deleted]', '[deleted]', 'anonymous', $2, now() AT TIME ZONE 'utc') WHERE commentHex = $1",
        {comment_hex, token});
    ask(call, Problem::comment_unknown,
        "UPDATE pages SET commentCount = commentCount - 1 WHERE canon($1) LIKE canon(domain) AND path = $2",
        {place.domain, place.path});
    call.app.hub.announce(place.domain + place.path);
    return json::object();
}

} // namespace standin
