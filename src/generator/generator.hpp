#pragma once
// A generator (systemd.generator(7)): what the units are allowed to do depends on one setting. With DATABASE_URL those
// of the database get the network and the secrets that its server asks for; without, they have neither.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <filesystem>

namespace commento {

/// Links the drop-ins for a database elsewhere into `folder`, where DATABASE_URL is set. Settings that can't be read
/// are no failure: the units say what is wrong with them. ErrorCode::storage where a link can't be made.
Result<void> generate(const Paths& paths, const std::filesystem::path& folder);

/// The whole program, as systemd calls it: with three folders, of which it uses the first.
int generator_main(int argc, char** argv);

} // namespace commento
