#pragma once
// What differs between the kinds of hosts that the package is for, in one place. Most of what differs is avoided
// (ARCHITECTURE.md); what is not is told by the host's os-release(5) and by the files that are there.

#include "base/paths.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace commento {

enum class Family {
    debian, ///< and Ubuntu, and whatever is neither
    fedora, ///< and EL
};

struct HostFacts {
    Family family = Family::debian;
    /// All authorities that the system trusts, in one file of PEM; empty where it is not there.
    std::filesystem::path authorities;
    std::filesystem::path clusters;     ///< folder that PostgreSQL's clusters are in
    std::filesystem::path postgres_log; ///< folder that they log to
    std::filesystem::path servers;      ///< VERSION/bin has the programs of a major version; empty where there is one
    std::string show_clusters;          ///< command that tells of each whether it runs

    using Words = std::vector<std::string>;

    Words install(const std::string& package) const;
    Words reinstall(const std::string& package) const;
    Words upgrade(const std::string& package) const;

    /// Prints nothing where all files of the package are as it brought them, settings apart.
    Words verify(const std::string& package) const;

    /// A client's program that fits servers of a major version: its path where the host has several, else its name.
    std::string postgres_program(const std::string& name, int version) const;
};

HostFacts host_facts(const Paths& paths);

/// What os-release(5) says, without quotes; empty where there is none.
std::map<std::string, std::string> os_release(const Paths& paths);

} // namespace commento
