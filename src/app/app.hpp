#pragma once

namespace commento {

/// The whole program; returns the exit status.
int app_main(int argc, char** argv);

} // namespace commento
