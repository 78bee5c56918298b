#pragma once
// What other ACME clients keep on a host, and what their readers (certbot.hpp, lego.hpp, acme_sh.hpp, dehydrated.hpp)
// share. A reader gets a client's folder, changes nothing there, and judges nothing: import.hpp does.

#include "acme/acme_client.hpp"
#include "cert/pair.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace commento {

/// Which authority something is from, as far as the client says it.
struct Authority {
    std::string directory{}; ///< address of its directory; may be empty
    std::string address{};   ///< any other address at it; may be empty
};

struct ForeignAccount {
    std::filesystem::path key_file;
    Authority authority;
    Account account;
};

struct ForeignCertificate {
    std::filesystem::path chain_file;
    Pair pair;
    Authority authority{};
    std::string profile{}; ///< that was asked for; may be empty
};

struct Foreign {
    std::vector<ForeignAccount> accounts{};
    std::vector<ForeignCertificate> certificates{};
    std::vector<std::string> problems{}; ///< what could not be read, a line each with the file and the reason

    bool empty() const { return accounts.empty() && certificates.empty() && problems.empty(); }
};

/// Reads a pair into `certificate` and adds it to what was found; or the reason why it can't.
void add_certificate(Foreign& found, ForeignCertificate certificate, const std::filesystem::path& key_file);

/// Adds an account; or, where its key is none that sign_jws() can use, the reason why not.
void add_account(Foreign& found, ForeignAccount account);

/// The key of a PEM file; null where there is none.
PrivateKey read_key(const std::filesystem::path& file);

/// The object of a JSON file; an empty one where there is none.
nlohmann::json read_object(const std::filesystem::path& file);

/// The address of the first `mailto:` contact of an account object (RFC 8555, 7.1.2); empty where there is none.
std::string first_email(const nlohmann::json& account);

/// Folders in a folder, by name; a link to a folder is one.
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

/// Folders at most eight levels below a folder that hold a file of that name.
std::vector<std::filesystem::path> folders_with(const std::string& file, const std::filesystem::path& folder);

/// Files in a folder whose names end so, by name.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, const std::string& extension);

} // namespace commento
