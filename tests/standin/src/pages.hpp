#pragma once

#include "reply.hpp"
#include "settings.hpp"

#include <map>
#include <string>

namespace standin {

struct Page {
    std::string content_type;
    std::string body;
};

/// Served address -> what is served there.
using Pages = std::map<std::string, Page>;

/// Reads the folders and pages of a release into memory and fills in their placeholders, once: a file changed
/// later is seen after the next start only. Logs and throws FatalError where one is missing.
Pages load_pages(const Settings& settings);

} // namespace standin
