#pragma once
// What `commentoctl status` finds out about the host. What can't be found out says why, and hinders nothing else.

#include "base/error.hpp"
#include "base/journal.hpp"
#include "base/paths.hpp"
#include "base/units.hpp"
#include "config/settings.hpp"
#include "net/certificate.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace commento {

/// A unit and, where its last run failed, what that run said.
struct UnitFacts {
    UnitState state;
    std::optional<LastWords> failure;
};

struct DatabaseFacts {
    std::int64_t size;  ///< bytes
    std::int64_t since; ///< start of the server, seconds since 1970
    int version = 0;    ///< server_version_num
    int connections = 0;
    int most_connections = 0;
};

struct Facts {
    Result<Examined> settings;
    Result<UnitFacts> target;
    Result<UnitFacts> application;
    Result<UnitFacts> install;
    Result<UnitFacts> provision;
    Result<UnitFacts> pool;
    Result<UnitFacts> follow;
    Result<UnitFacts> guard;
    Result<UnitFacts> nginx;
    Result<UnitFacts> render;
    Result<UnitFacts> renew;
    Result<UnitFacts> timer;
    Result<TimerState> runs;
    Result<Certificate> certificate; ///< the one in tls/live
    Result<Certificate> served;      ///< the one that nginx presents
    Result<DatabaseFacts> database;  ///< ErrorCode::permission where only root or commento could ask
    std::string release;             ///< name of the folder that app/current leads to; empty where there is none
    Result<std::chrono::microseconds> answer; ///< how long GET /login took; an error when it was not answered by 200
    std::int64_t now;                         ///< seconds since 1970
};

Facts find_facts(const Paths& paths);

} // namespace commento
