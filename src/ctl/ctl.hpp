#pragma once

namespace commento {

/// The whole program; returns the exit status.
int ctl_main(int argc, char** argv);

} // namespace commento
