#pragma once

namespace commento {

/// The whole program; returns the exit status.
int db_main(int argc, char** argv);

} // namespace commento
