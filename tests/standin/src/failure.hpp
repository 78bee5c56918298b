#pragma once

#include <stdexcept>
#include <string>

namespace standin {

/// Ends the program: `fatal error: …` on stdout, exit code 1.
class FatalError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Everything an API call can complain of. Callers get it as status 200 with "success":false and a message.
enum class Problem {
    already_registered,
    domain_already_registered,
    domain_frozen,
    domain_invalid,
    domain_unknown,
    comment_unknown,
    commenter_unknown,
    email_unknown,
    field_missing,
    internal,
    login_refused,
    malformed_body,
    not_authorised,
    not_moderator,
    own_comment,
    owners_forbidden,
    paths_empty,
    thread_locked,
    token_unknown,
    unconfirmed,
    vote_needs_login,
};

/// Makes the API call fail with the problem's message.
class ApiFailure : public std::runtime_error {
  public:
    explicit ApiFailure(Problem problem);
    Problem problem;
};

} // namespace standin
