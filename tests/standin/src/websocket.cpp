#include "websocket.hpp"

#include "text.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <deque>

namespace standin {

void Hub::add(const Listener* listener) {
    const std::lock_guard lock(mutex_);
    listeners_.insert(listener);
}

void Hub::remove(const Listener* listener) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(listener);
}

void Hub::announce(const std::string& page) {
    const std::lock_guard lock(mutex_);
    for (const Listener* listener : listeners_) {
        (*listener)(page);
    }
}

namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds time_between_pings{54};
constexpr std::chrono::seconds longest_silence{60};
constexpr std::size_t longest_message = 512;

class Conversation {
  public:
    Conversation(asio::io_context& context, tcp::socket socket)
        : stream_(std::move(socket)), ping_timer_(context), silence_timer_(context) {}

    void start(const Request& request) {
        stream_.read_message_max(longest_message);
        stream_.accept(request);
        stream_.text(true);
        stream_.control_callback([this](websocket::frame_type kind, boost::beast::string_view) {
            if (kind == websocket::frame_type::pong) {
                watch_silence();
            }
        });
        watch_silence();
        ping_later();
        read();
    }

    void page_changed(const std::string& page) {
        if (page != shown_page_) {
            return end();
        }
        outgoing_.push_back(page);
        if (outgoing_.size() == 1) {
            write();
        }
    }

  private:
    void watch_silence() {
        silence_timer_.expires_after(longest_silence);
        silence_timer_.async_wait([this](error_code error) {
            if (!error) {
                end();
            }
        });
    }

    void ping_later() {
        ping_timer_.expires_after(time_between_pings);
        ping_timer_.async_wait([this](error_code error) {
            if (!error) {
                stream_.async_ping({}, [this](error_code failed) { failed ? end() : ping_later(); });
            }
        });
    }

    void read() {
        stream_.async_read(incoming_, [this](error_code error, std::size_t) {
            if (error) {
                return end();
            }
            const auto data = incoming_.cdata();
            const std::string message(static_cast<const char*>(data.data()), data.size());
            shown_page_ = trimmed(replace_all(message, "\n", " "));
            incoming_.clear();
            read();
        });
    }

    void write() {
        stream_.async_write(asio::buffer(outgoing_.front()), [this](error_code error, std::size_t) {
            if (error) {
                return end();
            }
            outgoing_.pop_front();
            if (!outgoing_.empty()) {
                write();
            }
        });
    }

    // Everything that waits is cancelled, so that the context runs out of work. No closing frame, as in the
    // application.
    void end() {
        error_code ignored;
        ping_timer_.cancel();
        silence_timer_.cancel();
        stream_.next_layer().close(ignored);
    }

    websocket::stream<tcp::socket> stream_;
    asio::steady_timer ping_timer_;
    asio::steady_timer silence_timer_;
    boost::beast::flat_buffer incoming_;
    std::deque<std::string> outgoing_;
    std::string shown_page_;
};

} // namespace

void run_websocket(tcp::socket socket, const Request& request, Hub& hub) {
    // A context of its own, run by this connection's thread alone: reads, writes and timers need no lock.
    asio::io_context context(1);
    const auto protocol = socket.local_endpoint().protocol();
    Conversation conversation(context, tcp::socket(context, protocol, socket.release()));
    conversation.start(request);
    const Hub::Listener listener = [&](const std::string& page) {
        asio::post(context, [&conversation, page] { conversation.page_changed(page); });
    };
    hub.add(&listener);
    context.run();
    hub.remove(&listener);
}

} // namespace standin
