#pragma once

#include "app.hpp"
#include "reply.hpp"

namespace standin {

/// True where the request asks for the WebSocket.
bool wants_websocket(const Request& request, const App& app);

/// Answers any other request.
Reply answer(const Request& request, const App& app);

} // namespace standin
