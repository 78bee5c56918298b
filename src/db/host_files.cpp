#include "db/host_files.hpp"

#include "base/files.hpp"
#include "base/printable.hpp"
#include "base/process.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace commento {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::minutes kPatience{5};

la_ssize_t append(archive* /*handle*/, void* text, const void* piece, std::size_t size) {
    static_cast<std::string*>(text)->append(static_cast<const char*>(piece), size);
    return static_cast<la_ssize_t>(size);
}

tl::unexpected<Error> failed(archive* handle, const fs::path& path) {
    const char* text = archive_error_string(handle);
    return fail(ErrorCode::storage,
                fmt::format("cannot read {}: {}", path.string(), text == nullptr ? "no details" : printable(text)));
}

/// What a run of ours keeps for the moment only.
bool is_passing(const fs::path& path) {
    const std::string name = path.filename();
    return name == "lock" || (name.starts_with('.') && name.ends_with(".tmp"));
}

/// Adds a folder with all below it, but what is there for the moment only. Others go on writing there meanwhile.
class Walk {
  public:
    Walk(const fs::path& root, archive* tar) : root_(root), tar_(tar), disk_(archive_read_disk_new()) {
        archive_read_disk_set_standard_lookup(disk_.get());
        archive_read_disk_set_symlink_physical(disk_.get());
        archive_read_disk_set_behavior(disk_.get(), ARCHIVE_READDISK_NO_ACL | ARCHIVE_READDISK_NO_XATTR |
                                                        ARCHIVE_READDISK_NO_FFLAGS);
    }

    Result<void> add(const fs::path& folder, const fs::path& without) {
        if (!fs::exists(folder))
            return {};
        if (archive_read_disk_open(disk_.get(), folder.c_str()) != ARCHIVE_OK)
            return failed(disk_.get(), folder);
        while (true) {
            archive_entry* entry = nullptr;
            const int got = archive_read_next_header(disk_.get(), &entry);
            if (got == ARCHIVE_EOF)
                break;
            if (got != ARCHIVE_OK && archive_errno(disk_.get()) == ENOENT)
                continue; // gone since its folder was read
            if (got != ARCHIVE_OK)
                return failed(disk_.get(), folder);
            const fs::path path = archive_entry_pathname(entry);
            if (path == without || is_passing(path))
                continue; // and not down into it
            archive_read_disk_descend(disk_.get());
            COMMENTO_CHECK(add(entry, path));
        }
        archive_read_close(disk_.get());
        return {};
    }

  private:
    Result<void> add(archive_entry* entry, const fs::path& path) {
        const auto type = archive_entry_filetype(entry);
        if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
            return {};
        archive_entry_copy_pathname(entry, path.lexically_relative(root_).c_str());
        if (archive_write_header(tar_, entry) < ARCHIVE_WARN)
            return failed(tar_, path);
        std::array<char, 65536> piece; // NOLINT(cppcoreguidelines-pro-type-member-init)
        while (type == AE_IFREG) {
            const auto got = archive_read_data(disk_.get(), piece.data(), piece.size());
            if (got < 0)
                return failed(disk_.get(), path);
            if (got == 0)
                break;
            if (archive_write_data(tar_, piece.data(), static_cast<std::size_t>(got)) != got)
                return failed(tar_, path);
        }
        return {};
    }

    const fs::path& root_;
    archive* tar_;
    ArchiveHandle disk_;
};

Result<std::string> tar_of_host(const Paths& paths) {
    std::string text;
    const ArchiveHandle tar(archive_write_new());
    archive_write_set_format_pax_restricted(tar.get());
    archive_write_set_bytes_in_last_block(tar.get(), 1);
    if (archive_write_open2(tar.get(), &text, nullptr, append, nullptr, nullptr) != ARCHIVE_OK)
        return failed(tar.get(), "host.tar");
    Walk walk(paths.root, tar.get());
    for (const auto& folder : {paths.settings().parent_path(), paths.tls(), paths.acme()}) {
        COMMENTO_CHECK(walk.add(folder, paths.acme_webroot()));
    }
    if (archive_write_close(tar.get()) != ARCHIVE_OK)
        return failed(tar.get(), "host.tar");
    return text;
}

struct Encryption {
    std::string ending; ///< of the part's name
    std::vector<std::string> program;
};

/// A folder of our own for as long as this lives.
class OwnFolder {
  public:
    OwnFolder() {
        if (::mkdtemp(path_.data()) == nullptr)
            throw std::runtime_error("cannot make a folder in /tmp");
    }
    ~OwnFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    OwnFolder(const OwnFolder&) = delete;
    OwnFolder& operator=(const OwnFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_ = "/tmp/commento-backup.XXXXXX";
};

Error wrong_recipients(const fs::path& file, const std::string& why) {
    return {ErrorCode::settings, fmt::format("{} {}", file.string(), why),
            "BACKUP_RECIPIENT_FILE names public keys: age-keygen -y KEY prints one of age, gpg --armor --export "
            "ADDRESS one "
            "of GnuPG; the private keys are best kept away from this host"};
}

/// Fingerprints of the keys in a file. Lines of --with-colons are told in GnuPG's doc/DETAILS.
Result<std::vector<std::string>> fingerprints_in(const fs::path& file, const std::string& home) {
    COMMENTO_ASSIGN(const Outcome shown, run_program({"gpg", "--batch", "--no-options", "--homedir", home,
                                                      "--with-colons", "--show-keys", file.string()},
                                                     kPatience, {}, Stderr::apart));
    constexpr std::size_t kFingerprint = 9;
    std::vector<std::string> fingerprints;
    std::istringstream lines(shown.output);
    bool after_key = false;
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> fields;
        std::istringstream words(line);
        for (std::string field; std::getline(words, field, ':');)
            fields.push_back(field);
        if (after_key && fields.size() > kFingerprint && fields[0] == "fpr")
            fingerprints.push_back(fields[kFingerprint]);
        after_key = line.starts_with("pub:") || (after_key && !line.starts_with("fpr:"));
    }
    if (shown.status != 0 || fingerprints.empty())
        return tl::unexpected(wrong_recipients(file, "holds no key that gpg can read: " + printable(shown.errors)));
    return fingerprints;
}

Result<Encryption> encryption_by_gpg(const fs::path& file, const std::string& home) {
    COMMENTO_ASSIGN(const auto fingerprints, fingerprints_in(file, home));
    const std::vector<std::string> gpg{"gpg",       "--batch", "--quiet", "--no-options", "--no-autostart",
                                       "--homedir", home};
    auto import = gpg;
    import.insert(import.end(), {"--import", file.string()});
    COMMENTO_ASSIGN(const Outcome imported, run_program(import, kPatience));
    if (imported.status != 0)
        return tl::unexpected(wrong_recipients(file, "can't be taken by gpg: " + printable(imported.output)));
    Encryption encryption{".gpg", gpg};
    encryption.program.insert(encryption.program.end(), {"--trust-model", "always", "--encrypt"});
    for (const auto& fingerprint : fingerprints)
        encryption.program.insert(encryption.program.end(), {"--recipient", fingerprint});
    return encryption;
}

Result<Encryption> encryption_to(const fs::path& recipients, const std::string& home) {
    COMMENTO_ASSIGN(const std::string text, read_file(recipients));
    if (text.find("PRIVATE KEY") != std::string::npos || text.find("AGE-SECRET-KEY-") != std::string::npos)
        return tl::unexpected(wrong_recipients(recipients, "holds a private key"));
    if (text.find("BEGIN PGP PUBLIC KEY BLOCK") != std::string::npos)
        return encryption_by_gpg(recipients, home);
    if (text.find("age1") != std::string::npos || ("\n" + text).find("\nssh-") != std::string::npos)
        return Encryption{".age", {"age", "--encrypt", "--recipients-file", recipients.string()}};
    return tl::unexpected(wrong_recipients(recipients, "holds neither recipients of age nor a public key of GnuPG"));
}

Result<std::string> encrypt(const std::string& text, const Encryption& how, const fs::path& recipients) {
    std::string encrypted;
    bool given = false;
    const Streams streams{[&]() -> Result<std::string_view> {
                              return std::exchange(given, true) ? std::string_view() : std::string_view(text);
                          },
                          [&](std::string_view piece) -> Result<void> {
                              encrypted += piece;
                              return {};
                          }};
    COMMENTO_ASSIGN(const Outcome outcome, pipe_program(how.program, streams, kPatience));
    if (outcome.status != 0)
        return tl::unexpected(wrong_recipients(
            recipients, fmt::format("can't be encrypted to: {}: {}", how.program.front(), printable(outcome.errors))));
    return encrypted;
}

} // namespace

Result<PartFacts> add_host_files(const Paths& paths, const Settings& settings, ArchiveWriter& archive) {
    COMMENTO_ASSIGN(std::string content, tar_of_host(paths));
    std::string name = "host.tar";
    if (const std::string& recipients = settings.text("BACKUP_RECIPIENT_FILE"); !recipients.empty()) {
        const OwnFolder home;
        COMMENTO_ASSIGN(const Encryption how, encryption_to(recipients, home.path()));
        COMMENTO_ASSIGN(content, encrypt(content, how, recipients));
        name += how.ending;
    }
    COMMENTO_CHECK(archive.begin(name));
    COMMENTO_CHECK(archive.write(content));
    return archive.end();
}

Result<void> unpack_host_files(const std::string& tar, const fs::path& folder) {
    // libarchive writes through no link at all, so not through one on the way to the folder either.
    const fs::path real = fs::weakly_canonical(folder);
    const ArchiveHandle reader(archive_read_new());
    const ArchiveHandle disk(archive_write_disk_new());
    archive_read_support_format_tar(reader.get());
    const int owners = ::geteuid() == 0 ? ARCHIVE_EXTRACT_OWNER : 0;
    archive_write_disk_set_options(disk.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | owners |
                                                   ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT);
    archive_write_disk_set_standard_lookup(disk.get());
    if (archive_read_open_memory(reader.get(), tar.data(), tar.size()) != ARCHIVE_OK)
        return failed(reader.get(), "host.tar");
    while (true) {
        archive_entry* entry = nullptr;
        const int got = archive_read_next_header(reader.get(), &entry);
        if (got == ARCHIVE_EOF)
            break;
        if (got != ARCHIVE_OK)
            return failed(reader.get(), "host.tar");
        archive_entry_copy_pathname(entry, (real / fs::path(archive_entry_pathname(entry)).relative_path()).c_str());
        if (archive_read_extract2(reader.get(), entry, disk.get()) != ARCHIVE_OK)
            return failed(reader.get(), archive_entry_pathname(entry));
    }
    if (archive_write_close(disk.get()) != ARCHIVE_OK)
        return failed(disk.get(), folder);
    return {};
}

} // namespace commento
