#pragma once
// A folder of one test, gone with it.

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

class Folder {
  public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "commento-test.XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};
