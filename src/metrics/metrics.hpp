#pragma once

namespace commento {

/// The whole program; returns the exit status.
int metrics_main(int argc, char** argv);

} // namespace commento
