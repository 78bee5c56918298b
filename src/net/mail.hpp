#pragma once
// Mail: a letter's text, and its delivery over SMTP by libcurl, with limits on time.

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct Letter {
    std::string sender; ///< addresses alone, in ASCII, as the settings take them
    std::vector<std::string> recipients;
    std::string subject; ///< ASCII, one line
    std::string body;    ///< UTF-8, lines that end with \n
    std::int64_t date;   ///< seconds since 1970
};

/// The letter as it is sent (RFC 5322, MIME), lines ending with \n. It says that a program wrote it (RFC 3834), so that
/// no holiday notice comes back. A body that mail servers may not take as it is goes in base64. What is not printable
/// in a header's value becomes a blank: nothing in it can begin another header.
std::string format_letter(const Letter& letter);

struct MailServer {
    std::string url; ///< smtp://HOST[:PORT] (587) or smtps://HOST[:PORT] (465)
    std::string user;
    std::string password;
    std::string own_name; ///< what this host calls itself (EHLO)
};

/// HOST:PORT of a server's address.
std::string host_and_port_of(const MailServer& server);

/// What a recipient that the server refuses is, where it takes another one.
enum class RefusedRecipient { an_error, passed_over };

/// Hands the letter over, within 30 s. TLS with a certificate that this host trusts is required, and so nothing of
/// user, password and letter is sent without; only this host itself, by a loopback address or localhost, may do
/// without. ErrorCode::network otherwise. No error holds user or password.
Result<void> send_letter(const MailServer& server, const Letter& letter, RefusedRecipient refused);

} // namespace commento
