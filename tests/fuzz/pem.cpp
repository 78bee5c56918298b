// Chain and key as authorities send them and operators keep them, here in one text.

#include "cert/pair.hpp"
#include "net/certificate.hpp"
#include "property.hpp"

#include <cstdlib>

using namespace commento;

/// Without this host's roots, which it would read anew for every input.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    ::setenv("SSL_CERT_FILE", "/dev/null", 1); // SSL_CTX_set_default_verify_paths(3)
    ::setenv("SSL_CERT_DIR", "/dev/null", 1);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::int64_t kNow = 1800000000; // when the seeds are valid
    const std::string text(text_of(data, size));
    const Pair pair{text, text};
    const std::string problem = problem_with(pair);
    const std::string for_site = problem_with(pair, {"comments.example.org", "192.0.2.1"}, kNow);
    require(problem.empty() || problem == for_site, "a pair that can't be used can't be used for a site");
    require(is_showable(for_site), "what is wrong with a pair can be shown");
    require(!problem.empty() || parse_certificate(text).has_value(), "a pair that can be used holds a certificate");
    const Verdict verdict = judge(pair, {"comments.example.org", "192.0.2.1"}, {}, kNow);
    require(verdict.problem.empty() || verdict.warning.empty(), "a chain that can't be used needs no warning");
    return 0;
}
