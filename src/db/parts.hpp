#pragma once
// What the server has to hold for the application, each thing with how to see that it is there and how to make it so.

#include "config/database_server.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace commento {

struct Part {
    std::string what;   ///< as messages name it
    std::string test;   ///< a statement whose one value is true where it is so
    std::string repair; ///< the statement that makes it so; may hold what stands for a password
    bool can_be_missed =
        false; ///< where nobody of ours has the right to make it so, it is told and the site runs without
};

/// The statement that makes an empty database for the application.
std::string create_database(const DatabaseServer& server, std::string_view name);

/// Roles and database in the host's own cluster, in the order in which they can be made. `pool`: connections that the
/// pool may open.
std::vector<Part> parts_of_own_cluster(const DatabaseServer& server, int pool);

/// The application's role on another server, for who may make roles there. `pool` as above; `verifier`:
/// Postgres::scram_verifier().
std::vector<Part> parts_of_role(const DatabaseServer& server, int pool, const std::string& verifier);

/// The application's database on another server, and what its role can do for itself.
std::vector<Part> parts_of_server(const DatabaseServer& server);

/// What is inside the database.
std::vector<Part> parts_of_database(const DatabaseServer& server);

} // namespace commento
