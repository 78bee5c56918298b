#pragma once
// The store of one certificate: numbered generations, each a folder that is complete before it has its number; `live`,
// a link to the newest good one; the stamp, written last. One rule holds after every run
// and is what a run after a kill restores: live is the newest generation whose key and chain match and that was not set
// aside, and the stamp names it. Failures are those of base/files.hpp.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/generation.hpp"
#include "cert/pair.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace commento {

/// Where a store is.
struct Store {
    std::filesystem::path folder;
    std::filesystem::path changed;  ///< a file that each publication makes, for nginx' reload to take away
    std::filesystem::path signal{}; ///< where set, a file that changes with each publication, for whoever watches many

    std::filesystem::path generations() const { return folder / "generations"; } ///< NNNN/{fullchain,privkey}.pem
    std::filesystem::path live() const { return folder / "live"; }
    std::filesystem::path stamp() const { return folder / "stamp"; }
};

/// The generation that is live and stamped, as its info.json says; reads three small files. Nothing where one of them
/// is missing or they do not agree: repair() then says more.
std::optional<Generation> published(const Store& store);

/// Restores the rule. Generations that do not load are passed over, with a warning. Nothing where none is good.
Result<std::optional<Generation>> repair(const Store& store);

/// Removes what killed runs were writing. repair() does so, too.
Result<void> clean(const Store& store);

/// Makes a pair the newest generation and publishes it; removes all but the three newest and the three newest that were
/// not set aside. The pair is one that problem_with() has nothing against. `facts` is what is known of it beside the
/// pair.
Result<Generation> install(const Store& store, const Pair& pair, const GenerationFacts& facts);

/// Never publishes this generation again, and the newest other good one instead: nothing where there is none, and then
/// nothing is changed.
Result<std::optional<Generation>> set_aside(const Store& store, const Generation& generation, const std::string& why);

struct SetAside {
    Generation generation;
    std::int64_t since; ///< seconds since 1970
};

/// The newest generation, where it was set aside and still loads.
std::optional<SetAside> find_set_aside(const Store& store);

/// Publishes a generation that was set aside.
Result<Generation> take_up_again(const Store& store, const Generation& generation);

/// Writes down that the authority revoked it.
Result<void> mark_revoked(const Store& store, const Generation& generation);

/// All generations with an info.json, newest first; for showing and comparing.
std::vector<Generation> all_generations(const Store& store);

/// The texts of a generation.
Result<Pair> read_pair(const Store& store, const Generation& generation);

/// Fails where install() would for want of room or rights.
Result<void> check_room(const Store& store);

} // namespace commento
