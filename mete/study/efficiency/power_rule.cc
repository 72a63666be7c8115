// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/power_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace mete {
namespace {

constexpr std::size_t kDroppedAtStart = 2;
constexpr std::size_t kDroppedAtEnd = 1;
constexpr std::size_t kKept = 10;
constexpr double kFarthestFromMedian = 0.25;

std::vector<PowerSample> settled_samples(std::span<const PowerSample> samples) {
  std::vector<PowerSample> kept;
  if (samples.size() <= kDroppedAtStart + kDroppedAtEnd) return kept;
  for (const auto& sample :
       samples.subspan(kDroppedAtStart, samples.size() - kDroppedAtStart - kDroppedAtEnd)) {
    if (sample.watts > 0) kept.push_back(sample);
  }
  if (kept.size() > kKept)
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kKept));
  std::vector<double> watts;
  for (const auto& sample : kept) watts.push_back(sample.watts);
  const double median = median_of(watts);
  std::erase_if(kept, [&](const PowerSample& s) {
    return std::abs(s.watts - median) > kFarthestFromMedian * median;
  });
  return kept;
}

/// Least-squares slope, W/s; 0 where time does not pass.
double trend(std::span<const PowerSample> samples) {
  double mean_time = 0;
  double mean_watts = 0;
  const auto n = static_cast<double>(samples.size());
  for (const auto& s : samples) {
    mean_time += s.time / n;
    mean_watts += s.watts / n;
  }
  double above = 0;
  double below = 0;
  for (const auto& s : samples) {
    above += (s.time - mean_time) * (s.watts - mean_watts);
    below += (s.time - mean_time) * (s.time - mean_time);
  }
  return below > 0 ? above / below : 0;
}

/// How much alike neighbouring samples are, 0..0.99: n samples then tell as much as n(1-r)/(1+r)
/// independent ones.
double likeness(std::span<const double> values, double mean) {
  double above = 0;
  double below = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    below += (values[i] - mean) * (values[i] - mean);
    if (i > 0) above += (values[i] - mean) * (values[i - 1] - mean);
  }
  return below > 0 ? std::clamp(above / below, 0.0, 0.99) : 0;
}

}  // namespace

std::optional<PowerRule> power_rule_named(std::string_view name) {
  if (name == "notebook") return PowerRule::notebook;
  if (name == "settled") return PowerRule::settled;
  return std::nullopt;
}

std::string_view power_rule_name(PowerRule rule) {
  return rule == PowerRule::notebook ? "notebook" : "settled";
}

PowerFigure power_of(std::span<const PowerSample> samples, PowerRule rule) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const std::vector<PowerSample> used =
      rule == PowerRule::settled ? settled_samples(samples)
                                 : std::vector<PowerSample>(samples.begin(), samples.end());
  PowerFigure figure;
  figure.used = used.size();
  if (used.empty()) {
    figure.watts = {kNaN, kNaN, kNaN, 0};
    figure.still_moving = kNaN;
    return figure;
  }
  std::vector<double> watts;
  // In the order of the samples and divided once: the notebook's sum, to the last digit.
  double sum = 0;
  for (const auto& s : used) {
    watts.push_back(s.watts);
    sum += s.watts;
  }
  const double mean = sum / static_cast<double>(watts.size());
  figure.watts = {mean, kNaN, kNaN, used.size()};
  const double r = likeness(watts, mean);
  const double independent = static_cast<double>(watts.size()) * (1 - r) / (1 + r);
  if (independent > 1.5) {
    const double half =
        student_t(0.95, independent - 1) * stddev_of(watts) / std::sqrt(independent);
    figure.watts.low = mean - half;
    figure.watts.high = mean + half;
  }
  figure.still_moving = kMeterLag * trend(used);
  return figure;
}

}  // namespace mete
