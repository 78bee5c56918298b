#pragma once
// Ways to prove control of names to an authority, one for each ACME_CHALLENGE.

#include "acme/challenge.hpp"
#include "base/error.hpp"
#include "base/paths.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace commento {

class Prover {
  public:
    Prover() = default;
    Prover(const Prover&) = delete;
    Prover& operator=(const Prover&) = delete;
    /// Takes away what show() put in place, whatever happened meanwhile.
    virtual ~Prover() = default;

    /// Finds out, before an order is made, what would keep the authority from seeing the answers.
    virtual Result<void> check(const std::vector<std::string>& names) = 0;

    /// Puts the answers to all challenges in place, and returns when the authority can see them.
    virtual Result<void> show(std::span<const Challenge> challenges) = 0;
};

/// The one that ACME_CHALLENGE names.
std::unique_ptr<Prover> make_prover(const Paths& paths, const Settings& settings);

} // namespace commento
