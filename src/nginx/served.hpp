#pragma once
// What nginx serves against what stands on disk.

#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"
#include "net/certificate.hpp"

#include <string>

namespace commento {

/// What nginx has to serve: as it stands on disk at this moment.
struct Expected {
    std::string mark; ///< of the site's rendering
    bool staples;     ///< as that has it
    Certificate certificate;

    bool operator==(const Expected& other) const {
        return mark == other.mark && certificate.fingerprint == other.certificate.fingerprint;
    }
};

/// ErrorCode::web when there is no site; as read_certificate() when there is no certificate.
Result<Expected> read_expected(const Paths& paths);

/// What nginx, asked at the loopback over new connections, serves instead; empty when it serves what is expected.
std::string difference(const Expected& expected, const Settings& settings);

/// What changed last of the further certificates (the text of their stamp); empty where there are none. Which sites of
/// the host show them is not known here, so no connection could tell whether nginx has them.
std::string further_stamp(const Paths& paths);

/// Whether nginx was reloaded since.
bool is_further_loaded(const Paths& paths, const std::string& stamp);

/// To be called after a reload, with the stamp of before it.
Result<void> note_further_loaded(const Paths& paths, const std::string& stamp);

} // namespace commento
