#pragma once

#include "app.hpp"

namespace standin {

/// Listens and answers for ever, one thread per connection. Throws FatalError where it cannot listen.
[[noreturn]] void serve(const App& app);

} // namespace standin
