#pragma once
#include "base/paths.hpp"
#include "base/program.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// What a blog's page holds to have comments: `origin` is Settings::origin().
std::string embed_snippet(std::string_view origin);

/// journalctl(1)'s arguments for the journal of a part, or of all where it is empty. `installed`: names of unit files;
/// journalctl itself would know a pattern's units only once they have logged something.
std::vector<std::string> journal_arguments(const std::string& part, bool follow,
                                           const std::vector<std::string>& installed);

/// logs, open, embed, restart, reload.
void add_everyday_verbs(Program& program, const Paths& paths);

} // namespace commento
