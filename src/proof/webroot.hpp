#pragma once
// The folder from which nginx answers http-01 challenges (RFC 8555, 8.3).

#include "base/error.hpp"
#include "base/paths.hpp"
#include "net/preamble.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace commento {

/// A file that the web server shows below /.well-known/acme-challenge/ as long as this object lives. Not made durable:
/// nobody asks for it after a power cut.
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

/// Whether anything listens on the port of 127.0.0.1. A server may be on its way (nginx restarts): no only after a
/// second.
bool is_answered(int port);

/// Asks this host's port 80 (HTTP_PORT) for a file in the folder, under each name (host name or IP address).
/// ErrorCode::web where, for some seconds, something else or nothing answers: the authority would fare the same. Warns
/// of what it may fare by the names' addresses in DNS (outside.hpp).
Result<void> check_webroot(const Paths& paths, const std::vector<std::string>& names, int port, Preamble preamble);

} // namespace commento
