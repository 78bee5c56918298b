#pragma once
// Requests: verbs of commento-cert with words that the operator gives. The unit that carries one out takes the words
// from a file (EnvironmentFile=) and hands them to the program as `$ARGUMENTS`.

#include "base/error.hpp"
#include "base/paths.hpp"

#include <string>
#include <vector>

namespace commento {

struct HelperRequest {
    std::string name; ///< of its file in Paths::requests(), and of its unit: commento-NAME.service
    std::vector<std::string> words;
};

/// The text of the file. ErrorCode::settings where a word would not come through as it is: systemd splits such a value
/// at blanks, and quotes, backslashes and dollar signs have a meaning to it (systemd.service(5), "Command lines").
Result<std::string> request_text(const std::vector<std::string>& words);

/// Has the unit carry it out, as run_helper() does. One at a time: another commentoctl's, and one whose commentoctl was
/// interrupted, is waited for. The unit itself removes the file when it ends (ExecStopPost=).
Result<void> run_request(const Paths& paths, const HelperRequest& request);

} // namespace commento
