#pragma once

#include "reply.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace standin {

/// Tells every open WebSocket which page ("blog.example/post") has changed.
class Hub {
  public:
    using Listener = std::function<void(const std::string& page)>;

    void add(const Listener* listener);
    void remove(const Listener* listener);
    void announce(const std::string& page);

  private:
    std::mutex mutex_;
    std::set<const Listener*> listeners_;
};

/// Serves one WebSocket until either side ends it. The client sends the page it shows and gets it back whenever that
/// page changes; news of another page closes its connection, and so does a minute without an answer to a ping.
void run_websocket(boost::asio::ip::tcp::socket socket, const Request& request, Hub& hub);

} // namespace standin
