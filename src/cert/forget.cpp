#include "cert/forget.hpp"

#include "base/files.hpp"
#include "cert/renew.hpp"
#include "cert/site.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace commento {

namespace fs = std::filesystem;

Result<void> forget(const Paths& paths, const std::string& name) {
    const fs::path folder = paths.tls_further() / name;
    const fs::path file = paths.certificates() / (name + ".conf");
    if (!is_site_name(name) || !fs::exists(folder))
        return fail(ErrorCode::settings, fmt::format("there is no further certificate {}", name),
                    "commentoctl cert list names them");
    if (fs::exists(file))
        return fail(ErrorCode::settings, fmt::format("{} still asks for it", file.string()), "remove that file first");
    COMMENTO_ASSIGN(const Fd lock, lock_runs(paths));
    COMMENTO_CHECK(remove_folder(folder));
    COMMENTO_CHECK(remove_folder(paths.acme() / "certificates" / name));
    spdlog::info("removed the certificate {} and its keys", name);
    return {};
}

} // namespace commento
