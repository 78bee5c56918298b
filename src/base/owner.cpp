#include "base/owner.hpp"

#include "base/translate.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace commento {

Result<void> check_owner(const std::filesystem::path& folder, const std::string& hint) {
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0 || status.st_uid == ::geteuid())
        return {};
    return fail(ErrorCode::permission, tr("{} belongs to another user", folder.string()), hint);
}

} // namespace commento
