#include "server.hpp"

#include "failure.hpp"
#include "log.hpp"
#include "router.hpp"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <limits>
#include <system_error>
#include <thread>

namespace standin {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Longer bodies go out in chunks, without a length; whatever stands in front has to take both.
constexpr std::size_t longest_body_with_length = 2048;

std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts = {};
    gmtime_r(&now, &parts);
    std::array<char, 64> text = {};
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

template <typename Message>
void add_headers(Message& message, const Reply& reply, const Request& request) {
    for (const auto& field : reply.headers) {
        message.set(field.name_string(), field.value());
    }
    if (!reply.body.empty()) {
        message.set(http::field::content_type, reply.content_type);
    }
    message.set(http::field::date, http_date());
    message.keep_alive(request.keep_alive());
}

void send_head(tcp::socket& socket, const Reply& reply, const Request& request) {
    http::response<http::empty_body> message(reply.status, request.version());
    add_headers(message, reply, request);
    message.content_length(reply.body.size());
    http::response_serializer<http::empty_body> serializer(message);
    http::write_header(socket, serializer);
}

void send(tcp::socket& socket, Reply reply, const Request& request) {
    if (request.method() == http::verb::head) {
        return send_head(socket, reply, request);
    }
    http::response<http::string_body> message(reply.status, request.version());
    add_headers(message, reply, request);
    message.body() = std::move(reply.body);
    if (message.body().size() > longest_body_with_length && request.version() == 11) {
        message.chunked(true);
    } else {
        message.prepare_payload();
    }
    http::write(socket, message);
}

void send_bad_request(tcp::socket& socket) {
    Request request;
    request.version(11);
    request.keep_alive(false);
    send(socket, {http::status::bad_request, "400 Bad Request", "text/plain; charset=utf-8"}, request);
}

// No limit but memory and no time-out: both are the business of whatever stands in front.
Request receive(tcp::socket& socket, boost::beast::flat_buffer& buffer) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max()); // boost::none refuses every body in 1.74
    parser.header_limit(1 << 20);
    http::read_header(socket, buffer, parser);
    if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
        http::response<http::empty_body> go_on(http::status::continue_, 11);
        http::write(socket, go_on);
    }
    http::read(socket, buffer, parser);
    return parser.release();
}

void converse(tcp::socket& socket, const App& app) {
    boost::beast::flat_buffer buffer;
    for (bool more = true; more;) {
        const Request request = receive(socket, buffer);
        if (wants_websocket(request, app)) {
            return run_websocket(std::move(socket), request, app.hub);
        }
        send(socket, answer(request, app), request);
        more = request.keep_alive();
    }
    socket.shutdown(tcp::socket::shutdown_send);
}

bool is_malformed_request(const error_code& error) {
    return error.category() == make_error_code(http::error::bad_method).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
}

// Tells the client what it did wrong, where the fault is in the request and not in the connection.
void converse_politely(tcp::socket socket, const App& app) {
    try {
        converse(socket, app);
    } catch (const boost::system::system_error& error) {
        if (is_malformed_request(error.code())) {
            send_bad_request(socket);
        }
    }
}

// A connection's troubles end with it, and nobody is told: clients come and go.
void converse_to_the_end(tcp::socket socket, const App& app) {
    try {
        converse_politely(std::move(socket), app);
    } catch (const std::exception&) {
    }
}

std::string listening_trouble(const Settings& settings, const std::string& what) {
    return "listen tcp " + settings.bind_address + ":" + settings.port + ": " + what;
}

// A bare IPv6 address is refused: with the port behind it, it could mean anything.
std::string host_without_brackets(const Settings& settings) {
    const std::string& host = settings.bind_address;
    if (host.starts_with('[') && host.ends_with(']')) {
        return host.substr(1, host.size() - 2);
    }
    if (host.find(':') != std::string::npos) {
        throw FatalError(listening_trouble(settings, "too many colons in address"));
    }
    return host;
}

void listen_at(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool ipv4_too) {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    if (ipv4_too) {
        acceptor.set_option(asio::ip::v6_only(false));
    }
    acceptor.bind(endpoint);
    acceptor.listen();
}

// "Every IPv4 address" means every address of both kinds, as long as the host has IPv6.
tcp::acceptor listen(asio::io_context& context, const Settings& settings) {
    tcp::resolver resolver(context);
    const std::string host = host_without_brackets(settings);
    tcp::endpoint endpoint = *resolver.resolve(host, settings.port, tcp::resolver::passive).begin();
    tcp::acceptor acceptor(context);
    if (endpoint.address().is_unspecified()) {
        try {
            listen_at(acceptor, tcp::endpoint(tcp::v6(), endpoint.port()), true);
            return acceptor;
        } catch (const boost::system::system_error& error) {
            if (error.code() != asio::error::address_family_not_supported) {
                throw;
            }
        }
    }
    listen_at(acceptor, endpoint, false);
    return acceptor;
}

std::string as_the_application_says(const error_code& error) {
    std::string text = error.message();
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return error.category() == boost::system::system_category() ? "bind: " + text : text;
}

tcp::acceptor listen_or_fail(asio::io_context& context, const Settings& settings) {
    try {
        return listen(context, settings);
    } catch (const boost::system::system_error& error) {
        const std::string trouble = listening_trouble(settings, as_the_application_says(error.code()));
        log(Level::error, "cannot start server: " + trouble);
        throw FatalError(trouble);
    }
}

} // namespace

void serve(const App& app) {
    asio::io_context context;
    log(Level::info, "starting server on " + app.settings.bind_address + ":" + app.settings.port);
    tcp::acceptor acceptor = listen_or_fail(context, app.settings);
    for (;;) {
        error_code error;
        tcp::socket socket = acceptor.accept(error);
        if (error) {
            // Out of file descriptors, most likely; they come back when a connection ends.
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            continue;
        }
        try {
            std::thread(converse_to_the_end, std::move(socket), std::cref(app)).detach();
        } catch (const std::system_error& trouble) {
            log(Level::error, std::string("cannot serve a connection: ") + trouble.what());
        }
    }
}

} // namespace standin
