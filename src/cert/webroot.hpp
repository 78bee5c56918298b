#pragma once
// The folder from which nginx answers http-01 challenges (RFC 8555, 8.3).

#include "base/error.hpp"
#include "base/paths.hpp"

#include <filesystem>
#include <string>
#include <utility>

namespace commento {

/// A file that the web server shows below /.well-known/acme-challenge/ as long as this object lives.
class ChallengeFile {
  public:
    /// Makes the folders where they are missing.
    static Result<ChallengeFile> place(const Paths& paths, const std::string& token, const std::string& content);

    ChallengeFile(ChallengeFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    ChallengeFile(const ChallengeFile&) = delete;
    ChallengeFile& operator=(const ChallengeFile&) = delete;
    ChallengeFile& operator=(ChallengeFile&&) = delete;
    ~ChallengeFile();

  private:
    explicit ChallengeFile(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

/// Removes the files of runs that were killed.
void clear_challenges(const Paths& paths);

/// Asks this host's port 80 (HTTP_PORT) for a file in the folder, under the name `domain`. ErrorCode::web where, for
/// some seconds, something else or nothing answers: the authority would fare the same.
Result<void> check_webroot(const Paths& paths, const std::string& domain, int port);

} // namespace commento
