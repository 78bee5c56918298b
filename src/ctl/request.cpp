#include "ctl/request.hpp"

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/translate.hpp"
#include "ctl/actions.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

namespace commento {
namespace {

namespace fs = std::filesystem;

bool is_plain(const std::string& word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("'\"\\$`").find(c) == std::string_view::npos;
    });
}

} // namespace

Result<std::string> request_text(const std::vector<std::string>& words) {
    for (const auto& word : words) {
        if (!is_plain(word))
            return fail(ErrorCode::settings,
                        tr("\"{}\" can't be handed on: it is empty, or holds a blank, a quote, a backslash, a "
                           "$ or a character outside ASCII",
                           harmless(word)),
                        tr("for a file or folder, make a symbolic link with a plain name"));
    }
    return fmt::format("ARGUMENTS={}\n", fmt::join(words, " "));
}

Result<void> run_request(const Paths& paths, const HelperRequest& request) {
    constexpr mode_t kFolder = 0755;
    constexpr mode_t kFile = 0644;
    const std::string unit = fmt::format("commento-{}.service", request.name);
    const fs::path file = paths.requests() / request.name;
    COMMENTO_ASSIGN(const std::string text, request_text(request.words));
    COMMENTO_CHECK(make_folder(paths.requests(), kFolder));
    COMMENTO_ASSIGN(const Fd lock, lock_file(file.string() + ".lock"));
    COMMENTO_CHECK(await_run(unit)); // to its very end, where it removes the file that it was given
    COMMENTO_CHECK(write_file(file, text, kFile));
    auto done = run_helper(unit);
    // Of a unit that was never begun. Else a start of it by hand would ask the same again.
    std::error_code ignored;
    fs::remove(file, ignored);
    return done;
}

} // namespace commento
