// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/summary.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kConfidence = 0.95;
constexpr std::size_t kLeastReferences = 3;

/// A straight line through (x, y): its rise over the whole of x, as a fraction of y's mean, with
/// the t interval of the slope.
Interval relative_rise(const std::vector<double>& x, const std::vector<double>& y) {
  const std::size_t n = x.size();
  const double x_mean = mean_of(x);
  const double y_mean = mean_of(y);
  double sxx = 0;
  double sxy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sxx += (x[i] - x_mean) * (x[i] - x_mean);
    sxy += (x[i] - x_mean) * (y[i] - y_mean);
  }
  const double slope = sxy / sxx;
  double residual = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double miss = y[i] - y_mean - slope * (x[i] - x_mean);
    residual += miss * miss;
  }
  const double freedom = static_cast<double>(n) - 2;
  const double error = std::sqrt(residual / freedom / sxx);
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const double scale = (*high - *low) / y_mean;
  const double half = student_t(kConfidence, freedom) * error * scale;
  return {slope * scale, slope * scale - half, slope * scale + half, n};
}

double relative_range(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return (*high - *low) / mean_of(values);
}

DriftFigure figure(const std::vector<double>& order, const std::vector<double>& values,
                   const std::vector<double>& setting_means) {
  DriftFigure out;
  const double nan = std::nan("");
  out.change = {nan, nan, nan, values.size()};
  out.spread = nan;
  out.effect = relative_range(setting_means);
  const bool known =
      std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v) && v > 0; });
  if (values.size() < kLeastReferences || !known) return out;
  out.change = relative_rise(order, values);
  out.spread = relative_range(values);
  return out;
}

void add_interval(Table& table, const std::string& name, const std::string& unit,
                  const std::vector<SettingSummary>& settings,
                  const Interval SettingSummary::* member) {
  auto& mean = table.add_numbers(name, unit);
  for (const auto& s : settings) mean.push_back((s.*member).estimate);
  auto& low = table.add_numbers(name + "-low", unit);
  for (const auto& s : settings) low.push_back((s.*member).low);
  auto& high = table.add_numbers(name + "-high", unit);
  for (const auto& s : settings) high.push_back((s.*member).high);
}

std::string figure_line(std::string_view what, const DriftFigure& figure) {
  return fmt::format("{}: {} over the sweep (95 %: {} to {}), spread {}; the settings differ by {}",
                     what, format_percent(figure.change.estimate),
                     format_percent(figure.change.low), format_percent(figure.change.high),
                     format_percent(figure.spread), format_percent(figure.effect));
}

Json figure_to_json(const DriftFigure& figure) {
  return Json::object({{"change", interval_to_json(figure.change)},
                       {"spread", figure.spread},
                       {"effect", figure.effect},
                       {"hides_effect", figure.hides_effect()}});
}

}  // namespace

std::vector<SettingSummary> summarise(const Manifest& manifest) {
  std::map<std::vector<double>, std::vector<const StudyPoint*>> by_setting;
  for (const StudyPoint& point : manifest.points) {
    if (point.plan.reference || point.status != PointStatus::done) continue;
    by_setting[point.plan.values].push_back(&point);
  }
  std::vector<SettingSummary> out;
  for (auto& [values, points] : by_setting) {
    std::sort(points.begin(), points.end(),
              [](const auto* a, const auto* b) { return a->plan.trial < b->plan.trial; });
    SettingSummary setting;
    setting.values = values;
    for (const StudyPoint* point : points) {
      setting.seconds.push_back(point->runtime);
      setting.joules.push_back(point->energy);
    }
    setting.time = positive_mean_interval(setting.seconds, kConfidence);
    setting.energy = positive_mean_interval(setting.joules, kConfidence);
    out.push_back(std::move(setting));
  }
  return out;
}

Table summary_table(const Manifest& manifest) {
  const auto settings = summarise(manifest);
  Table table;
  for (std::size_t a = 0; a < manifest.plan.axes.size(); ++a) {
    auto& column = table.add_numbers(manifest.plan.axes[a].control, manifest.plan.axes[a].unit);
    for (const auto& s : settings) column.push_back(s.values[a]);
  }
  auto& runs = table.add_numbers("runs", "");
  for (const auto& s : settings) runs.push_back(static_cast<double>(s.seconds.size()));
  add_interval(table, "runtime", "s", settings, &SettingSummary::time);
  add_interval(table, "energy", "J", settings, &SettingSummary::energy);
  return table;
}

bool DriftFigure::hides_effect() const {
  // With one setting there is no effect to hide; unknown drift hides nothing that is known.
  return effect > 0 && std::max(std::abs(change.estimate), spread) > effect;
}

Drift drift_of(const Manifest& manifest) {
  std::vector<const StudyPoint*> references;
  for (const StudyPoint& point : manifest.points) {
    if (point.plan.reference && point.status == PointStatus::done) references.push_back(&point);
  }
  std::sort(references.begin(), references.end(),
            [](const auto* a, const auto* b) { return a->sequence < b->sequence; });
  std::vector<double> order;
  std::vector<double> seconds;
  std::vector<double> joules;
  for (const StudyPoint* point : references) {
    order.push_back(static_cast<double>(point->sequence));
    seconds.push_back(point->runtime);
    joules.push_back(point->energy);
  }
  std::vector<double> setting_seconds;
  std::vector<double> setting_joules;
  for (const SettingSummary& s : summarise(manifest)) {
    setting_seconds.push_back(s.time.estimate);
    setting_joules.push_back(s.energy.estimate);
  }
  return {references.size(), figure(order, seconds, setting_seconds),
          figure(order, joules, setting_joules)};
}

std::vector<std::string> drift_lines(const Drift& drift) {
  if (drift.references < kLeastReferences) {
    return {fmt::format("drift: not known ({} reference points; at least {} are needed)",
                        drift.references, kLeastReferences)};
  }
  std::vector<std::string> out{figure_line("drift of time", drift.time)};
  if (std::isfinite(drift.energy.spread)) {
    out.push_back(figure_line("drift of energy", drift.energy));
  }
  const auto warn = [&](std::string_view what, const DriftFigure& figure) {
    if (!figure.hides_effect()) return;
    out.push_back(
        fmt::format("warning: {} drifted more at the same setting than it differs "
                    "between settings; let the machine settle (--pause), quiet it, or "
                    "take more --trials",
                    what));
  };
  warn("time", drift.time);
  warn("energy", drift.energy);
  return out;
}

Json interval_to_json(const Interval& interval) {
  return Json::object({{"estimate", interval.estimate},
                       {"low", interval.low},
                       {"high", interval.high},
                       {"n", interval.n}});
}

Json drift_to_json(const Drift& drift) {
  return Json::object({{"references", drift.references},
                       {"time", figure_to_json(drift.time)},
                       {"energy", figure_to_json(drift.energy)}});
}

}  // namespace mete
