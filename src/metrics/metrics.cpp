#include "metrics/metrics.hpp"

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/program.hpp"
#include "metrics/observations.hpp"

#include <chrono>

namespace commento {
namespace {

/// Faulty settings hinder no measuring: each has a value that can be asked by.
Result<void> collect(const Paths& paths) {
    constexpr mode_t kForAll = 0644;
    const auto begin = std::chrono::steady_clock::now();
    const auto examined = Settings::examine_files(paths);
    const Settings settings = examined ? examined->settings : Settings::examine("", "", paths).settings;
    const Observations seen = observe(paths, settings);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const std::string& chosen = settings.text("METRICS_FILE");
    const auto file = chosen.empty() ? paths.metrics() / "commento-stack.prom" : std::filesystem::path(chosen);
    return write_file(file, to_text(seen, now(), took.count()), kForAll);
}

} // namespace

int metrics_main(int argc, char** argv) {
    Program program("commento-metrics", "Measures the comment server for Prometheus.");
    program.verb("collect", "Write the metrics for node_exporter", [] { return collect(Paths{}); });
    return program.run(argc, argv);
}

} // namespace commento
