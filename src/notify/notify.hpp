#pragma once

namespace commento {

/// The whole program; returns the exit status.
int notify_main(int argc, char** argv);

} // namespace commento
