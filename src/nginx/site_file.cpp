#include "nginx/site_file.hpp"

#include "base/files.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0644;

fs::path former_site(const Paths& paths) { return paths.nginx_state() / "former.conf"; }

/// Removes a file durably; none there is as good.
Result<void> remove_file(const fs::path& path) {
    if (::unlink(path.c_str()) == 0)
        return sync_folder(path.parent_path());
    if (errno == ENOENT)
        return {};
    return fail_errno(ErrorCode::storage, fmt::format("cannot remove {}", path.string()), errno);
}

Result<void> put_former_back(const Paths& paths) {
    COMMENTO_ASSIGN(const std::string former, read_file(former_site(paths)));
    const fs::path site = paths.nginx_site();
    COMMENTO_CHECK(former.empty() ? remove_file(site) : write_file(site, former, kFileMode));
    return remove_file(former_site(paths));
}

Error at_fault(const Paths& paths, const std::string& refusal) {
    return {ErrorCode::web, fmt::format("nginx does not accept the site of commento-stack:\n{}", refusal),
            fmt::format("it is made from the settings and {}; if a file there was changed, install the package again",
                        paths.site_templates().string())};
}

Error another_at_fault(const std::string& refusal) {
    return {ErrorCode::web,
            fmt::format("nginx does not accept its configuration; the site of commento-stack is not at fault:\n{}",
                        refusal),
            "mend the file that nginx names until nginx -t is content, then: systemctl restart commento.target"};
}

/// Where nginx still refuses without the change, the change is not what it refuses.
Error find_fault(const Paths& paths, const std::string& refusal, const Acceptance& accepted) {
    const auto without = accepted();
    return without ? at_fault(paths, refusal) : another_at_fault(without.error().message);
}

} // namespace

Result<Fd> lock_site(const Paths& paths) {
    COMMENTO_CHECK(make_folder(paths.nginx_state(), kFolderMode));
    return lock_file(paths.nginx_state() / "lock");
}

Result<void> undo_unfinished(const Paths& paths) {
    if (!fs::exists(former_site(paths)))
        return {};
    COMMENTO_CHECK(put_former_back(paths));
    spdlog::warn("an earlier run was cut off before nginx had accepted the site: the former one is back in place");
    return {};
}

Result<std::string> read_site(const Paths& paths) {
    if (!fs::exists(paths.nginx_site()))
        return std::string();
    return read_file(paths.nginx_site());
}

Result<void> replace_site(const Paths& paths, const std::string& text, const Acceptance& accepted) {
    COMMENTO_ASSIGN(const std::string former, read_site(paths));
    COMMENTO_CHECK(write_file(former_site(paths), former, kFileMode));
    COMMENTO_CHECK(write_file(paths.nginx_site(), text, kFileMode));
    auto verdict = accepted();
    if (verdict)
        return remove_file(former_site(paths));
    COMMENTO_CHECK(put_former_back(paths));
    if (verdict.error().code != ErrorCode::web)
        return verdict;
    return tl::unexpected(find_fault(paths, verdict.error().message, accepted));
}

Result<void> remove_site(const Paths& paths) {
    // In this order: a former site that outlives the other would be put back by the next run.
    COMMENTO_CHECK(remove_file(former_site(paths)));
    return remove_file(paths.nginx_site());
}

Error explain_refusal(const Paths& paths, const std::string& refusal) {
    // The site's file and all the files it names have the package's name in their paths.
    const bool ours = refusal.find("commento-stack") != std::string::npos;
    return ours ? at_fault(paths, refusal) : another_at_fault(refusal);
}

} // namespace commento
