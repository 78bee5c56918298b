#pragma once
// Archives made on the spot, hostile ones too.

#include <archive.h>
#include <archive_entry.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

struct Entry {
    std::string path;
    std::string content = {};
    unsigned int type = AE_IFREG;
    std::string target = {}; ///< of a symbolic link, or with AE_IFREG of a hard link
    unsigned int mode = 0644;
};

inline Entry folder_entry(const std::string& path) { return {.path = path, .type = AE_IFDIR, .mode = 0755}; }
inline Entry symlink_entry(const std::string& path, const std::string& target) {
    return {.path = path, .type = AE_IFLNK, .target = target};
}
inline Entry hardlink_entry(const std::string& path, const std::string& target) {
    return {.path = path, .target = target};
}

/// Writes an archive; its kind is told by the file's name, as tar(1) does.
inline std::filesystem::path make_archive(const std::filesystem::path& file, const std::vector<Entry>& entries) {
    const std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
    if (file.extension() == ".zst") { // which libarchive 3.6 can write, but does not know by its name
        archive_write_set_format_pax_restricted(writer.get());
        archive_write_add_filter_zstd(writer.get());
    } else {
        EXPECT_EQ(archive_write_set_format_filter_by_ext(writer.get(), file.c_str()), ARCHIVE_OK);
    }
    EXPECT_EQ(archive_write_open_filename(writer.get(), file.c_str()), ARCHIVE_OK);
    for (const auto& made : entries) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
        archive_entry_set_pathname(entry.get(), made.path.c_str());
        archive_entry_set_filetype(entry.get(), made.type);
        archive_entry_set_perm(entry.get(), made.mode);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(made.content.size()));
        if (made.type == AE_IFLNK)
            archive_entry_set_symlink(entry.get(), made.target.c_str());
        else if (!made.target.empty())
            archive_entry_set_hardlink(entry.get(), made.target.c_str());
        EXPECT_EQ(archive_write_header(writer.get(), entry.get()), ARCHIVE_OK) << archive_error_string(writer.get());
        archive_write_data(writer.get(), made.content.data(), made.content.size());
    }
    archive_write_close(writer.get());
    return file;
}

/// What a release holds at least.
inline std::vector<Entry> release_entries(const std::string& program = "program") {
    return {{.path = "commento", .content = program, .mode = 0755},
            folder_entry("js"),
            {.path = "js/commento.js", .content = "script"},
            folder_entry("templates"),
            {.path = "templates/confirm-hex.txt", .content = "text"}};
}
