#pragma once
// The files in certificates/ that ask for further certificates. Nothing wrong is ever put in place.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "ctl/setup.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace commento {

/// A file that is to be.
struct FurtherFile {
    std::string name; ///< of the certificate: its first name, `*.` as `_.` and `:` as `-`
    std::filesystem::path path;
    std::string text;
};

/// The file that asks for a certificate for these names, with these keys beside. ErrorCode::settings with what is wrong
/// with the names, the keys, or all of it together with the host's own settings.
Result<FurtherFile> plan_further(const std::vector<std::string>& names, const std::vector<Wish>& wishes,
                                 const Paths& paths);

/// Puts it in place. True when it wrote; false where it was there like that. ErrorCode::settings where a file with
/// another content is there.
Result<bool> write_further(const FurtherFile& file);

/// Removes the file that asks for a certificate, where there is one. True where there is something in the store for it,
/// too. ErrorCode::settings where there is neither.
Result<bool> remove_further(const std::string& name, const Paths& paths);

} // namespace commento
