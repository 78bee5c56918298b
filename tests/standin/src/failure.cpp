#include "failure.hpp"

namespace standin {

namespace {

// Own words: programs look at "success", and only people read these.
const char* message_of(Problem problem) {
    switch (problem) {
    case Problem::already_registered:
        return "this e-mail address has an account already";
    case Problem::domain_already_registered:
        return "this domain is registered already";
    case Problem::domain_frozen:
        return "this domain takes no new comments";
    case Problem::domain_invalid:
        return "this is not a domain name";
    case Problem::domain_unknown:
        return "this domain is not registered";
    case Problem::comment_unknown:
        return "there is no such comment";
    case Problem::commenter_unknown:
        return "there is no such commenter";
    case Problem::email_unknown:
        return "there is no such e-mail address";
    case Problem::field_missing:
        return "a field is missing or empty";
    case Problem::internal:
        return "something went wrong inside";
    case Problem::login_refused:
        return "e-mail address or password is wrong";
    case Problem::malformed_body:
        return "the request is not the JSON that was expected";
    case Problem::not_authorised:
        return "this is not allowed to you";
    case Problem::not_moderator:
        return "only a moderator may do this";
    case Problem::own_comment:
        return "no vote on one's own comment";
    case Problem::owners_forbidden:
        return "new owners are not admitted";
    case Problem::paths_empty:
        return "no path was given";
    case Problem::thread_locked:
        return "this thread is locked";
    case Problem::token_unknown:
        return "there is no such session";
    case Problem::unconfirmed:
        return "this e-mail address is not confirmed yet";
    case Problem::vote_needs_login:
        return "log in to vote";
    }
    return "";
}

} // namespace

ApiFailure::ApiFailure(Problem what_happened) : std::runtime_error(message_of(what_happened)), problem(what_happened) {}

} // namespace standin
