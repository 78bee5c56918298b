#pragma once
// Pairs made for tests, and the state that a run leaves.

#include "acme/key.hpp"
#include "acme/x509.hpp"
#include "base/files.hpp"
#include "cert/pair.hpp"

#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>

inline constexpr const char* kDomain = "comments.example.org";

inline commento::Pair make_pair_for(const std::string& domain, std::chrono::seconds lifetime = std::chrono::hours(2160),
                                    std::string_view type = "ecdsa-p256") {
    const auto key = commento::make_key(type).value();
    return {commento::make_self_signed(key.get(), {domain}, lifetime).value(), commento::to_pem(key.get())};
}

/// Every file below a folder with its content, links with their target.
inline std::map<std::string, std::string> tree_of(const std::filesystem::path& folder) {
    std::map<std::string, std::string> tree;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string name = entry.path().lexically_relative(folder);
        if (entry.is_symlink())
            tree[name] = std::filesystem::read_symlink(entry.path());
        else if (entry.is_regular_file())
            tree[name] = commento::read_file(entry.path()).value();
    }
    return tree;
}
