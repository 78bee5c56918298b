#pragma once
#include "base/error.hpp"
#include "base/paths.hpp"
#include "cert/due.hpp"
#include "cert/generation.hpp"
#include "config/settings.hpp"

namespace commento {

/// Gets the wanted certificate from its ACME authority and installs it. ErrorCode::later, without a request, while the
/// authority must be left alone; ErrorCode::web where nginx does not show challenges; else the failures of AcmeClient
/// and of the store. Failures are remembered for the next run.
Result<Generation> issue(const Paths& paths, const Settings& settings, const Wanted& wanted);

} // namespace commento
