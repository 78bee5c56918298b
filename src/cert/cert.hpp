#pragma once

namespace commento {

/// The whole program; returns the exit status.
int cert_main(int argc, char** argv);

} // namespace commento
