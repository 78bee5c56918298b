#pragma once
// The store of certificates: numbered generations, each a folder that is complete before it has its number; `live`,
// a link to the newest good one; the stamp, written last, that nginx' reload waits for. One rule holds after every run
// and is what a run after a kill restores: live is the newest generation whose key and chain match, and the stamp
// names it. Failures are those of base/files.hpp.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/generation.hpp"
#include "cert/pair.hpp"

#include <optional>

namespace commento {

/// The generation that is live and stamped, as its info.json says; reads three small files. Nothing where one of them
/// is missing or they do not agree: repair() then says more.
std::optional<Generation> published(const Paths& paths);

/// Restores the rule. Generations that do not load are passed over, with a warning. Nothing where none is good.
Result<std::optional<Generation>> repair(const Paths& paths);

/// Makes a pair the newest generation and publishes it; removes all but the three newest. The pair is one
/// that problem_with() has nothing against.
Result<Generation> install(const Paths& paths, const Pair& pair, const Origin& origin);

/// The texts of a generation.
Result<Pair> read_pair(const Paths& paths, const Generation& generation);

/// Fails where install() would for want of room or rights.
Result<void> check_room(const Paths& paths);

} // namespace commento
