#pragma once
// What the cluster has to hold for the application, each thing with how to see that it is there and how to make it so.

#include <string>
#include <string_view>
#include <vector>

namespace commento {

/// Role and database are called like the user that the application runs as: peer authentication asks for that.
inline constexpr const char* kRole = "commento";
inline constexpr const char* kDatabase = "commento";

/// Role, and user, that the pool logs in as. It acts as kRole, so that all it makes belongs to kRole.
inline constexpr const char* kPoolRole = "commento-db";

/// Role, and user, that makes backups and puts them back: of data whose owner may have put code into it, nothing runs
/// with more rights than that owner has, but the one to make databases.
inline constexpr const char* kBackupRole = "commento-backup";

struct Part {
    std::string what;   ///< as messages name it
    std::string test;   ///< a statement whose one value is true where it is so
    std::string repair; ///< the statement that makes it so
};

/// The statement that makes an empty database for the application.
std::string create_database(std::string_view name);

/// Roles and database, in the order in which they can be made. `pool`: connections that the pool may open.
std::vector<Part> parts_of_cluster(int pool);

/// What is inside the database.
std::vector<Part> parts_of_database();

} // namespace commento
