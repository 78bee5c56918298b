// A backup's archive and its manifest. They are ours, but disks fail, and operators bring files from elsewhere.

#include "db/archive.hpp"
#include "db/manifest.hpp"
#include "folder.hpp"

using namespace commento;

namespace {

constexpr std::size_t kLargest = 1U << 20U;

void check_manifest(std::string_view text) {
    const auto manifest = parse_manifest(text, "x.zip");
    require(manifest || is_showable(manifest.error().message), "what is wrong with a manifest can be shown");
    if (!manifest)
        return;
    const std::string written = to_json(*manifest);
    const auto read_back = parse_manifest(written, "x.zip");
    require(read_back && to_json(*read_back) == written, "a manifest is read back the same");
}

void check_archive(const std::filesystem::path& file) {
    auto reader = ArchiveReader::open(file);
    if (!reader || !reader->find(kManifestPart))
        return;
    const auto text = reader->read_all(kLargest);
    require(!text || text->size() <= kLargest, "no more of a part is kept than is allowed");
    if (text)
        check_manifest(*text);
    const auto checked = check_parts(file, {});
    require(checked || is_showable(checked.error().message), "what is wrong with an archive can be shown");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const MemoryFolder folder;
    const std::string_view text = text_of(data, size);
    check_manifest(text);
    folder.write("x.zip", text);
    check_archive(folder.path() / "x.zip");
    return 0;
}
