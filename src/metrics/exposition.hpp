#pragma once
// Prometheus' text format (prometheus.io, "Exposition formats", 0.0.4), as node_exporter's textfile collector reads it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace commento {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Exposition {
  public:
    /// Begins a family: gauges all, since each run of the program starts anew. Its samples follow.
    void gauge(std::string_view name, std::string_view help);

    /// A sample of the family that was begun last.
    void sample(double value, const Labels& labels = {});

    /// Of families without any sample nothing is in it.
    const std::string& text() const { return text_; }

  private:
    std::string name_;
    std::string head_; ///< until the first sample comes
    std::string text_;
};

} // namespace commento
