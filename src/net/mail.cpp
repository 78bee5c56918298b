#include "net/mail.hpp"

#include "base/printable.hpp"
#include "base/translate.hpp"
#include "net/libcurl.hpp"
#include "net/openssl.hpp"
#include "net/roots.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace commento {
namespace {

constexpr long kConnectLimit = 10; // seconds
constexpr long kLimit = 30;

struct CloseHandle {
    void operator()(void* handle) const { libcurl().cleanup(handle); }
};
struct FreeList {
    void operator()(curl_slist* list) const { libcurl().slist_free_all(list); }
};

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::size_t longest_line(std::string_view text) {
    std::size_t longest = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        longest = std::max(longest, end);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return longest;
}

/// In lines of 76 digits (RFC 2045, 6.8).
std::string base64_lines(std::string_view text) {
    constexpr std::size_t kBytes = 57;
    std::string lines;
    for (; !text.empty(); text.remove_prefix(std::min(kBytes, text.size()))) {
        std::array<unsigned char, 4 * kBytes / 3 + 1> line{};
        const auto piece = text.substr(0, kBytes);
        const int size = EVP_EncodeBlock(line.data(), reinterpret_cast<const unsigned char*>(piece.data()),
                                         static_cast<int>(piece.size()));
        lines.append(reinterpret_cast<const char*>(line.data()), static_cast<std::size_t>(size));
        lines += '\n';
    }
    return lines;
}

std::string new_message_id(std::string_view sender) {
    std::array<unsigned char, 16> bytes{};
    RAND_bytes(bytes.data(), bytes.size());
    return fmt::format("<{:02x}@{}>", fmt::join(bytes, ""), sender.substr(sender.rfind('@') + 1));
}

std::string_view host_in(std::string_view url) { return url.substr(url.find("://") + 3); }

bool has_port(std::string_view host) {
    const auto bracket = host.rfind(']');
    return host.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
}

bool is_this_host(std::string_view url) {
    const std::string_view host = host_in(url);
    constexpr std::array kNames{"localhost", "127.0.0.1", "[::1]"};
    return std::ranges::any_of(kNames, [&](std::string_view name) {
        return host.starts_with(name) && (host.size() == name.size() || host[name.size()] == ':');
    });
}

std::string hint_for(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return tr("check the name, and this host's DNS: resolvectl query, getent hosts");
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
        return tr("is the server up, is the port right, and does a firewall let this host reach it?");
    case CURLE_PEER_FAILED_VERIFICATION:
        return tr("the server's certificate has to be for the name in the settings, and of an authority that this host "
                  "trusts (package ca-certificates)");
    case CURLE_USE_SSL_FAILED:
        return tr("the server offers no STARTTLS, and mail is not sent in the clear; is the port right?");
    case CURLE_LOGIN_DENIED:
        return tr("check user and password of the mail server in the settings");
    default:
        return {};
    }
}

/// What libcurl reads of the letter.
struct Reader {
    std::string_view left;

    static std::size_t on_read(char* buffer, std::size_t /*one*/, std::size_t size, void* user) {
        auto& reader = *static_cast<Reader*>(user);
        const auto piece = reader.left.substr(0, size);
        std::memcpy(buffer, piece.data(), piece.size());
        reader.left.remove_prefix(piece.size());
        return piece.size();
    }
};

std::string with_carriage_returns(std::string_view text) {
    std::string lines;
    for (const char c : text)
        lines += c == '\n' ? "\r\n" : std::string(1, c);
    return lines;
}

void demand_tls(CURL* handle, const std::string& url) {
    // A local server's certificate is mostly for another name, and nobody is in between.
    const bool local = is_this_host(url);
    libcurl().setopt(handle, CURLOPT_USE_SSL, static_cast<long>(local ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (local) {
        libcurl().setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
        libcurl().setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (const char* folder = hashed_roots(); folder != nullptr) {
        libcurl().setopt(handle, CURLOPT_CAINFO, nullptr);
        libcurl().setopt(handle, CURLOPT_CAPATH, folder);
    }
}

} // namespace

std::string format_letter(const Letter& letter) {
    constexpr std::size_t kLongestLine = 990; // RFC 5322, 2.1.1: 998
    const bool plain = is_ascii(letter.body) && longest_line(letter.body) <= kLongestLine;
    return fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000\nFrom: {}\nTo: {}\nSubject: {}\nMessage-ID: {}\n"
                       "Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                       "Content-Transfer-Encoding: {}\n\n{}",
                       fmt::gmtime(letter.date), printable(letter.sender),
                       printable(fmt::format("{}", fmt::join(letter.recipients, ", "))), printable(letter.subject),
                       new_message_id(letter.sender), plain ? "7bit" : "base64",
                       plain ? letter.body : base64_lines(letter.body));
}

std::string host_and_port_of(const MailServer& server) {
    const std::string_view host = host_in(server.url);
    if (has_port(host))
        return std::string(host);
    return fmt::format("{}:{}", host, server.url.starts_with("smtps:") ? 465 : 587); // RFC 8314
}

Result<void> send_letter(const MailServer& server, const Letter& letter, RefusedRecipient refused) {
    const std::unique_ptr<void, CloseHandle> owned(libcurl().init());
    CURL* handle = owned.get();
    const std::string place = host_and_port_of(server);
    const std::string url =
        fmt::format("{}://{}/{}", server.url.substr(0, server.url.find(':')), place, server.own_name);
    const std::string text = with_carriage_returns(format_letter(letter));
    Reader reader{text};
    std::unique_ptr<curl_slist, FreeList> recipients;
    for (const auto& address : letter.recipients)
        recipients.reset(libcurl().slist_append(recipients.release(), fmt::format("<{}>", address).c_str()));
    std::array<char, CURL_ERROR_SIZE> detail{};

    libcurl().setopt(handle, CURLOPT_URL, url.c_str());
    libcurl().setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    libcurl().setopt(handle, CURLOPT_NOSIGNAL, 1L);
    libcurl().setopt(handle, CURLOPT_NOPROXY, "*");
    libcurl().setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectLimit);
    libcurl().setopt(handle, CURLOPT_TIMEOUT, kLimit);
    demand_tls(handle, server.url);
    if (!server.user.empty()) {
        libcurl().setopt(handle, CURLOPT_USERNAME, server.user.c_str());
        libcurl().setopt(handle, CURLOPT_PASSWORD, server.password.c_str());
    }
    libcurl().setopt(handle, CURLOPT_MAIL_FROM, fmt::format("<{}>", letter.sender).c_str());
    libcurl().setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
    libcurl().setopt(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, refused == RefusedRecipient::passed_over ? 1L : 0L);
    libcurl().setopt(handle, CURLOPT_UPLOAD, 1L);
    libcurl().setopt(handle, CURLOPT_READFUNCTION, Reader::on_read);
    libcurl().setopt(handle, CURLOPT_READDATA, &reader);
    libcurl().setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
    const CURLcode code = libcurl().perform(handle);
    if (code == CURLE_OK)
        return {};
    const char* why = detail.front() != '\0' ? detail.data() : libcurl().strerror(code);
    return fail(ErrorCode::network, tr("the mail server {} did not take the mail: {}", place, why), hint_for(code));
}

} // namespace commento
