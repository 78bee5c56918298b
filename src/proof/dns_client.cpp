#include "proof/dns_client.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <ldns/ldns.h>
#include <memory>
#include <netdb.h>
#include <poll.h>

namespace commento {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<unsigned char>;

struct LdnsFree {
    void operator()(ldns_pkt* object) const { ldns_pkt_free(object); }
    void operator()(ldns_rr* object) const { ldns_rr_free(object); }
    void operator()(ldns_rdf* object) const { ldns_rdf_deep_free(object); }
    void operator()(ldns_buffer* object) const { ldns_buffer_free(object); }
    void operator()(char* text) const { std::free(text); } // NOLINT(cppcoreguidelines-no-malloc)
};

template <typename T>
using Ldns = std::unique_ptr<T, LdnsFree>;

// --- messages ---

/// ldns' own parser takes what it printed: escapes, too.
Ldns<ldns_rdf> parse_name(const std::string& name) { return Ldns<ldns_rdf>(ldns_dname_new_frm_str(name.c_str())); }

std::string name_in(ldns_rdf* name) {
    ldns_dname2canonical(name);
    const Ldns<char> text(ldns_rdf2str(name));
    return text ? text.get() : "";
}

/// The character-strings of a TXT record as one (RFC 7208, 3.3).
std::string text_in(const ldns_rr* record) {
    std::string text;
    for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i) {
        const ldns_rdf* part = ldns_rr_rdf(record, i);
        if (ldns_rdf_size(part) > 1) // the first byte is its length
            text.append(reinterpret_cast<const char*>(ldns_rdf_data(part)) + 1, ldns_rdf_size(part) - 1);
    }
    return text;
}

std::string presentation(const ldns_rdf* field) {
    const Ldns<char> text(ldns_rdf2str(field));
    return text ? text.get() : "";
}

/// "FLAGS TAG VALUE" (RFC 8659, 4.1); what is none of that becomes nothing.
std::string policy_in(const ldns_rr* record) {
    constexpr std::size_t kFields = 3;
    if (ldns_rr_rd_count(record) != kFields)
        return {};
    const ldns_rdf* value = ldns_rr_rdf(record, 2);
    return fmt::format("{} {} {}", presentation(ldns_rr_rdf(record, 0)), presentation(ldns_rr_rdf(record, 1)),
                       std::string_view(reinterpret_cast<const char*>(ldns_rdf_data(value)), ldns_rdf_size(value)));
}

DnsRecord to_record(ldns_rr* record) {
    const auto type = static_cast<RecordType>(ldns_rr_get_type(record));
    std::string data;
    if (type == RecordType::txt)
        data = text_in(record);
    else if (type == RecordType::caa)
        data = policy_in(record);
    else if ((type == RecordType::a || type == RecordType::aaaa) && ldns_rr_rd_count(record) > 0)
        data = presentation(ldns_rr_rdf(record, 0));
    else if (ldns_rr_rd_count(record) > 0 && ldns_rdf_get_type(ldns_rr_rdf(record, 0)) == LDNS_RDF_TYPE_DNAME)
        data = name_in(ldns_rr_rdf(record, 0));
    return {name_in(ldns_rr_owner(record)), type, std::move(data)};
}

std::vector<DnsRecord> to_records(const ldns_rr_list* list) {
    std::vector<DnsRecord> records;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
        records.push_back(to_record(ldns_rr_list_rr(list, i)));
    return records;
}

/// A question for records of that type; for a zone's SOA, also the start of an update (RFC 2136, 2.3).
Result<Ldns<ldns_pkt>> make_question(const std::string& name, RecordType type, std::uint16_t flags) {
    auto owner = parse_name(name);
    Ldns<ldns_pkt> packet(
        owner ? ldns_pkt_query_new(owner.get(), static_cast<ldns_rr_type>(type), LDNS_RR_CLASS_IN, flags) : nullptr);
    if (!packet)
        return fail(ErrorCode::settings, fmt::format("{} is no name that DNS could hold", name));
    owner.release(); // NOLINT(bugprone-unused-return-value): the packet owns it now
    ldns_pkt_set_random_id(packet.get());
    return packet;
}

/// RFC 2136, 2.5.1 and 2.5.4.
Ldns<ldns_rr> make_record(const DnsChange& change) {
    // An answer that a resolver keeps hides the values of the next try, and 0 is refused by some servers.
    constexpr std::uint32_t kTtl = 60;
    const bool adds = change.kind == DnsChange::Kind::add;
    Ldns<ldns_rr> record(ldns_rr_new());
    ldns_rr_set_owner(record.get(), parse_name(change.owner).release());
    ldns_rr_set_type(record.get(), LDNS_RR_TYPE_TXT);
    ldns_rr_set_class(record.get(), adds ? LDNS_RR_CLASS_IN : LDNS_RR_CLASS_NONE);
    ldns_rr_set_ttl(record.get(), adds ? kTtl : 0);
    ldns_rr_push_rdf(record.get(), ldns_rdf_new_frm_str(LDNS_RDF_TYPE_STR, change.text.c_str()));
    return record;
}

std::string code_name(int code) {
    const ldns_lookup_table* found = ldns_lookup_by_id(ldns_rcodes, code);
    return found == nullptr ? fmt::format("code {}", code) : found->name;
}

// --- transport ---

/// Waits until the socket is ready. Sets errno and returns false when the deadline passes first.
bool wait_ready(int socket, short events, Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{socket, events, 0};
    const int ready = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready == 1;
}

/// A connected socket; none, with errno set, where that fails.
Fd connect_to(const DnsServer::Address& address, int type, Clock::time_point deadline) {
    Fd socket(::socket(address.bytes.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket)
        return socket;
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0)
        return socket;
    if (errno != EINPROGRESS || !wait_ready(socket.get(), POLLOUT, deadline))
        return {};
    int fault = 0;
    socklen_t size = sizeof fault;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &fault, &size);
    errno = fault;
    return fault == 0 ? std::move(socket) : Fd();
}

/// Fills the bytes. False, with errno set, where they don't come in time.
bool read_all(int socket, std::span<unsigned char> bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        if (!wait_ready(socket, POLLIN, deadline))
            return false;
        const ssize_t got = ::recv(socket, bytes.data(), bytes.size(), 0);
        if (got == 0)
            errno = ECONNRESET;
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(std::max(got, ssize_t{0})));
    }
    return true;
}

/// RFC 1035, 4.2.2: the length in two bytes before each message. Empty, with errno set, where no answer comes.
Bytes ask_by_tcp(const DnsServer::Address& address, std::span<const unsigned char> question,
                 Clock::time_point deadline) {
    const Fd socket = connect_to(address, SOCK_STREAM, deadline);
    if (!socket)
        return {};
    Bytes message{static_cast<unsigned char>(question.size() >> 8U), static_cast<unsigned char>(question.size())};
    message.insert(message.end(), question.begin(), question.end());
    // A new connection takes that much at once.
    if (::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size()))
        return {};
    std::array<unsigned char, 2> size{};
    if (!read_all(socket.get(), size, deadline))
        return {};
    Bytes answer((std::size_t{size[0]} << 8U) + size[1]);
    return read_all(socket.get(), answer, deadline) ? answer : Bytes();
}

/// The same over UDP; asks twice, since messages may be lost.
Bytes ask_by_udp(const DnsServer::Address& address, std::span<const unsigned char> question) {
    constexpr int kTries = 2;
    constexpr std::chrono::seconds kPatience{3};
    constexpr std::size_t kLargest = 4096;
    const Fd socket = connect_to(address, SOCK_DGRAM, Clock::now() + kPatience);
    for (int i = 0; socket && i < kTries; ++i) {
        if (::send(socket.get(), question.data(), question.size(), 0) < 0)
            return {};
        if (!wait_ready(socket.get(), POLLIN, Clock::now() + kPatience))
            continue;
        Bytes answer(kLargest);
        const ssize_t got = ::recv(socket.get(), answer.data(), answer.size(), 0);
        answer.resize(static_cast<std::size_t>(std::max(got, ssize_t{0})));
        return answer;
    }
    return {};
}

// --- both ---

struct Received {
    Bytes wire;
    Ldns<ldns_pkt> packet;
};

bool is_truncated(const Bytes& answer) { return answer.size() > 2 && (answer[2] & 0x02U) != 0; } // RFC 1035, 4.1.1

bool answers(const ldns_pkt* answer, const ldns_pkt* question) {
    if (!ldns_pkt_qr(answer) || ldns_pkt_id(answer) != ldns_pkt_id(question) ||
        ldns_pkt_get_opcode(answer) != ldns_pkt_get_opcode(question))
        return false;
    const ldns_rr_list* repeated = ldns_pkt_question(answer);
    // An error and an update's answer may leave it out (RFC 2136, 3.8).
    return ldns_rr_list_rr_count(repeated) == 0 ||
           ldns_rr_compare(ldns_rr_list_rr(repeated, 0), ldns_rr_list_rr(ldns_pkt_question(question), 0)) == 0;
}

/// Sends the question to each address until one answers.
Result<Received> exchange(const std::string& place, std::span<const DnsServer::Address> addresses,
                          const ldns_pkt* question, bool by_tcp) {
    constexpr std::chrono::seconds kPatience{10};
    const Ldns<ldns_buffer> buffer(ldns_buffer_new(LDNS_MIN_BUFLEN));
    if (ldns_pkt2buffer_wire(buffer.get(), question) != LDNS_STATUS_OK)
        return fail(ErrorCode::internal, fmt::format("cannot write a message for {}", place));
    const std::span<const unsigned char> wire(ldns_buffer_begin(buffer.get()), ldns_buffer_position(buffer.get()));
    Received received{};
    for (const auto& address : addresses) {
        if (!by_tcp)
            received.wire = ask_by_udp(address, wire);
        if (by_tcp || is_truncated(received.wire))
            received.wire = ask_by_tcp(address, wire, Clock::now() + kPatience);
        if (!received.wire.empty())
            break;
    }
    if (received.wire.empty())
        return fail_errno(ErrorCode::network, fmt::format("the name server {} does not answer", place), errno,
                          "is it up, and does a firewall let this host ask it, over TCP too?");
    ldns_pkt* parsed = nullptr;
    if (ldns_wire2pkt(&parsed, received.wire.data(), received.wire.size()) != LDNS_STATUS_OK)
        return fail(ErrorCode::network, fmt::format("the name server {} gives an answer that makes no sense", place));
    received.packet.reset(parsed);
    if (!answers(parsed, question))
        return fail(ErrorCode::network, fmt::format("the name server {} answers another question", place));
    return received;
}

// --- signatures ---

struct Refusal {
    int code; ///< RFC 8945, 3
    std::string_view name;
    std::string_view hint;
};

constexpr std::array kRefusals{
    Refusal{16, "BADSIG", "the server has another secret under the key's name"},
    Refusal{17, "BADKEY", "the server has no key of that name and algorithm: compare both with its configuration"},
    Refusal{18, "BADTIME", "the clocks of the server and of this host are more than 5 minutes apart"},
};

tl::unexpected<Error> key_refused(const std::string& place, const TsigKey& key, int code) {
    const auto* known = std::ranges::find(kRefusals, code, &Refusal::code);
    const bool found = known != kRefusals.end();
    return fail(ErrorCode::settings,
                fmt::format("the name server {} does not take the key {}: {}", place, key.name,
                            found ? std::string(known->name) : fmt::format("TSIG error {}", code)),
                found ? std::string(known->hint) : "");
}

Result<void> sign(ldns_pkt* question, const TsigKey& key) {
    constexpr std::uint16_t kFudge = 300; // seconds (RFC 8945, 10)
    if (ldns_pkt_tsig_sign(question, key.name.c_str(), key.secret.c_str(), kFudge, key.algorithm.c_str(), nullptr) !=
        LDNS_STATUS_OK)
        return fail(ErrorCode::settings, fmt::format("cannot sign with the key {}", key.name),
                    "tsig-keygen NAME makes one");
    return {};
}

/// The signature's data, by number (RFC 8945, 4.2).
enum TsigField : std::size_t { kAlgorithmField = 0, kMacField = 3, kErrorField = 5, kFields = 7 };

Result<void> check_signature(const std::string& place, const TsigKey& key, const ldns_pkt* question,
                             const Received& received) {
    ldns_rr* tsig = ldns_pkt_tsig(received.packet.get());
    if (tsig == nullptr || ldns_rr_rd_count(tsig) < kFields)
        return fail(ErrorCode::settings,
                    fmt::format("the name server {} does not sign its answer, {}", place,
                                code_name(ldns_pkt_get_rcode(received.packet.get()))),
                    fmt::format("does it know the key {}?", key.name));
    if (const int error = ldns_rdf2native_int16(ldns_rr_rdf(tsig, kErrorField)); error != 0)
        return key_refused(place, key, error);
    const ldns_rr* own = ldns_pkt_tsig(question);
    // With an algorithm that it does not know ldns would lose the record.
    if (ldns_dname_compare(ldns_rr_rdf(tsig, kAlgorithmField), ldns_rr_rdf(own, kAlgorithmField)) != 0 ||
        !ldns_pkt_tsig_verify(received.packet.get(), received.wire.data(), received.wire.size(), key.name.c_str(),
                              key.secret.c_str(), ldns_rr_rdf(own, kMacField)))
        return fail(ErrorCode::network,
                    fmt::format("an answer of the name server {} is not signed by the key {}", place, key.name));
    return {};
}

Result<Received> converse(const std::string& place, std::span<const DnsServer::Address> addresses,
                          const std::optional<TsigKey>& key, ldns_pkt* question) {
    if (!key)
        return exchange(place, addresses, question, false);
    COMMENTO_CHECK(sign(question, *key));
    COMMENTO_ASSIGN(Received received, exchange(place, addresses, question, true));
    COMMENTO_CHECK(check_signature(place, *key, question, received));
    return received;
}

std::string hint_for(int code, const std::string& zone, const std::optional<TsigKey>& key) {
    const std::string name = key ? key->name : "";
    switch (code) {
    case LDNS_RCODE_REFUSED:
        return fmt::format("its update-policy (or allow-update) of the zone {} must let the key {} change TXT records",
                           zone, name);
    case LDNS_RCODE_NOTAUTH:
    case LDNS_RCODE_NOTZONE:
    case LDNS_RCODE_NOTIMPL:
        return fmt::format("ACME_DNS_SERVER must be the primary server of the zone {}, and take dynamic updates", zone);
    case LDNS_RCODE_SERVFAIL:
        return "the server's log says why; can it write its zone and journal files?";
    default:
        return "the server's log says why";
    }
}

/// Host and port of `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
std::pair<std::string, std::string> split(const std::string& place) {
    const auto bracket = place.starts_with('[') ? place.find(']') : 0;
    const auto colon = place.find(':', std::min(bracket, place.size()));
    std::string host = place.substr(0, colon);
    if (host.size() > 2 && host.front() == '[')
        host = host.substr(1, host.size() - 2);
    return {std::move(host), colon == std::string::npos ? "53" : place.substr(colon + 1)};
}

} // namespace

Result<DnsServer> DnsServer::find(const std::string& place, std::optional<TsigKey> key) {
    const auto [host, port] = split(place);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM; // one entry for each address
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int fault = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found); fault != 0)
        return fail(ErrorCode::network,
                    fmt::format("the name server {} has no address: {}", place, ::gai_strerror(fault)));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
    std::vector<Address> addresses;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        Address address{{}, entry->ai_addrlen};
        std::copy_n(reinterpret_cast<const unsigned char*>(entry->ai_addr), entry->ai_addrlen,
                    reinterpret_cast<unsigned char*>(&address.bytes));
        addresses.push_back(address);
    }
    return DnsServer(place, std::move(addresses), std::move(key));
}

Result<DnsAnswer> DnsServer::ask(const std::string& name, RecordType type) const {
    COMMENTO_ASSIGN(const auto question, make_question(name, type, LDNS_RD));
    COMMENTO_ASSIGN(const Received received, converse(place_, addresses_, key_, question.get()));
    const ldns_pkt* packet = received.packet.get();
    return DnsAnswer{ldns_pkt_get_rcode(packet), ldns_pkt_aa(packet), to_records(ldns_pkt_answer(packet)),
                     to_records(ldns_pkt_authority(packet))};
}

Result<void> DnsServer::update(const std::string& zone, std::span<const DnsChange> changes) const {
    COMMENTO_ASSIGN(const auto question, make_question(zone, RecordType::soa, 0));
    ldns_pkt_set_opcode(question.get(), LDNS_PACKET_UPDATE);
    for (const auto& change : changes)
        ldns_pkt_push_rr(question.get(), LDNS_SECTION_AUTHORITY, make_record(change).release());
    COMMENTO_ASSIGN(const Received received, converse(place_, addresses_, key_, question.get()));
    const int code = ldns_pkt_get_rcode(received.packet.get());
    if (code == LDNS_RCODE_NOERROR)
        return {};
    return fail(
        code == LDNS_RCODE_SERVFAIL ? ErrorCode::network : ErrorCode::settings,
        fmt::format("the name server {} does not change {}: {}", place_, changes.front().owner, code_name(code)),
        hint_for(code, zone, key_));
}

} // namespace commento
