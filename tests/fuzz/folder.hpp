#pragma once
// A folder in memory, for what reads files.

#include "property.hpp"

#include <filesystem>
#include <fstream>
#include <string>

class MemoryFolder {
  public:
    MemoryFolder() {
        std::string name = "/dev/shm/commento-fuzz-XXXXXX";
        require(::mkdtemp(name.data()) != nullptr, "there is a place for files");
        path_ = name;
    }
    MemoryFolder(const MemoryFolder&) = delete;
    MemoryFolder& operator=(const MemoryFolder&) = delete;
    ~MemoryFolder() { std::filesystem::remove_all(path_); }

    const std::filesystem::path& path() const { return path_; }

    void write(const std::filesystem::path& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::trunc | std::ios::binary) << text;
    }

  private:
    std::filesystem::path path_;
};
