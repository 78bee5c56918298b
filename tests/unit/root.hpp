#pragma once
// The root of a host that exists for one test.

#include "base/files.hpp"
#include "base/paths.hpp"
#include "folder.hpp"

class Root {
  public:
    void add(const std::string& file, const std::string& text = "") const {
        std::filesystem::create_directories((folder_ / file).parent_path());
        ASSERT_TRUE(commento::write_file(folder_ / file, text, 0644));
    }
    commento::Paths paths() const { return {folder_.path()}; }
    std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  private:
    Folder folder_;
};
