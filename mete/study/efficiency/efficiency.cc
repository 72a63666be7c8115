// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/efficiency.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct DimensionName {
  std::string_view name;
  GemmDimension dimension;
};
// The first name of each is ours.
constexpr std::array kDimensions{
    DimensionName{"device", GemmDimension::device},
    DimensionName{"dtype", GemmDimension::dtype},
    DimensionName{"tensor", GemmDimension::tensor},
    DimensionName{"size", GemmDimension::size},
    DimensionName{"frequency", GemmDimension::frequency},
    DimensionName{"datatype", GemmDimension::dtype},
    DimensionName{"type", GemmDimension::dtype},
    DimensionName{"matrix_size", GemmDimension::size},
    DimensionName{"gpu_frequency", GemmDimension::frequency},
};

struct TrialFigures {
  std::vector<double> watts;
  std::vector<double> flops;
  std::vector<double> efficiency;
};

Interval over_trials(const std::vector<double>& values) {
  return values.empty() ? Interval{kNaN, kNaN, kNaN, 0} : positive_mean_interval(values);
}

EfficiencyRow one_row(const GemmPoint& point, std::span<const GemmRun* const> runs,
                      PowerRule rule) {
  EfficiencyRow row;
  row.point = point;
  row.trials = runs.size();
  TrialFigures figures;
  Interval of_samples;
  std::set<std::string> kinds;
  for (const auto* run : runs) {
    const auto power = power_of(run->power, rule);
    of_samples = power.watts;
    if (std::abs(power.still_moving) > std::abs(row.still_moving))
      row.still_moving = power.still_moving;
    if (std::isfinite(power.watts.estimate)) figures.watts.push_back(power.watts.estimate);
    if (std::isfinite(run->flops)) figures.flops.push_back(run->flops);
    if (std::isfinite(run->flops) && power.watts.estimate > 0) {
      figures.efficiency.push_back(run->flops / power.watts.estimate);
    }
    for (const auto& oddity : run->oddities) {
      if (!is_plain_fact(oddity)) kinds.insert(oddity.kind);
    }
  }
  row.watts = over_trials(figures.watts);
  row.flops = over_trials(figures.flops);
  row.flops_per_watt = over_trials(figures.efficiency);
  row.oddities.assign(kinds.begin(), kinds.end());
  if (runs.size() > 1) {
    row.interval_from = "trials";
  } else if (of_samples.bounded() && of_samples.low > 0) {
    row.interval_from = "samples";
    row.watts = of_samples;
    row.flops_per_watt.low = row.flops.estimate / of_samples.high;
    row.flops_per_watt.high = row.flops.estimate / of_samples.low;
  }
  return row;
}

GemmPoint without(GemmPoint point, GemmDimension dimension) {
  switch (dimension) {
    case GemmDimension::device:
      point.device.clear();
      break;
    case GemmDimension::dtype:
      point.dtype.clear();
      break;
    case GemmDimension::tensor:
      point.tensor.clear();
      break;
    case GemmDimension::size:
      point.rows = point.depth = 0;
      break;
    case GemmDimension::frequency:
      point.frequency = 0;
      break;
  }
  return point;
}

/// The values of a dimension, in the order of the points.
std::vector<std::string> values_of(const std::vector<EfficiencyRow>& rows,
                                   GemmDimension dimension) {
  std::vector<GemmPoint> points;
  for (const auto& row : rows) points.push_back(row.point);
  std::stable_sort(points.begin(), points.end(), [&](const GemmPoint& a, const GemmPoint& b) {
    if (dimension == GemmDimension::frequency) return a.frequency < b.frequency;
    if (dimension == GemmDimension::size)
      return std::pair(a.rows, a.depth) < std::pair(b.rows, b.depth);
    return value_text(a, dimension) < value_text(b, dimension);
  });
  std::vector<std::string> values;
  for (const auto& point : points) {
    auto text = value_text(point, dimension);
    if (values.empty() || values.back() != text) values.push_back(std::move(text));
  }
  return values;
}

std::string usual_reference(GemmDimension dimension, const std::vector<std::string>& values) {
  const auto has = [&](std::string_view v) {
    return std::find(values.begin(), values.end(), v) != values.end();
  };
  if (dimension == GemmDimension::tensor && has("nontensor")) return "nontensor";
  if (dimension == GemmDimension::dtype && has("float")) return "float";
  return dimension == GemmDimension::frequency || dimension == GemmDimension::size ? values.back()
                                                                                   : values.front();
}

/// Noise of a single ratio, from how much neighbours in size differ: the standard deviation of the
/// differences of logarithms over √2. `rows` are of one series, ascending in size.
void judge_by_neighbours(std::span<RatioRow> rows) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    steps.push_back(std::log(rows[i].ratio.estimate / rows[i - 1].ratio.estimate));
  }
  if (steps.size() < 3) return;
  double squares = 0;
  for (const double s : steps) squares += s * s;
  const auto n = static_cast<double>(steps.size());
  const double half = student_t(0.95, n) * std::sqrt(squares / n / 2);
  for (auto& row : rows) {
    if (!row.interval_from.empty()) continue;
    row.ratio.low = row.ratio.estimate * std::exp(-half);
    row.ratio.high = row.ratio.estimate * std::exp(half);
    row.interval_from = "neighbours";
  }
}

bool same_series(const RatioRow& a, const RatioRow& b) {
  return a.value == b.value &&
         without(a.point, GemmDimension::size) == without(b.point, GemmDimension::size);
}

RatioRow one_ratio(const EfficiencyRow& above, const EfficiencyRow& below,
                   const RatioRequest& request) {
  const auto& a = above.value(request.quantity);
  const auto& b = below.value(request.quantity);
  RatioRow row;
  row.point = above.point;
  row.value = value_text(above.point, request.over);
  row.against = value_text(below.point, request.over);
  row.ratio = {a.estimate / b.estimate, kNaN, kNaN, std::min(above.trials, below.trials)};
  if (above.trials > 1 && below.trials > 1 && a.bounded() && b.bounded()) {
    // Independent means: their relative half-widths add in squares.
    const double half =
        std::hypot((a.high - a.estimate) / a.estimate, (b.high - b.estimate) / b.estimate);
    row.ratio.low = row.ratio.estimate * std::exp(-half);
    row.ratio.high = row.ratio.estimate * std::exp(half);
    row.interval_from = "trials";
  }
  return row;
}

}  // namespace

Result<GemmDimension> gemm_dimension_named(std::string_view name) {
  for (const auto& entry : kDimensions) {
    if (entry.name == name) return entry.dimension;
  }
  return fail(Errc::invalid,
              "no dimension '{}': there are device, dtype, tensor, size and frequency", name);
}

std::string_view gemm_dimension_name(GemmDimension dimension) {
  for (const auto& entry : kDimensions) {
    if (entry.dimension == dimension) return entry.name;
  }
  return "";
}

std::string value_text(const GemmPoint& point, GemmDimension dimension) {
  switch (dimension) {
    case GemmDimension::device:
      return point.device;
    case GemmDimension::dtype:
      return point.dtype;
    case GemmDimension::tensor:
      return point.tensor;
    case GemmDimension::size:
      return point.size_text();
    case GemmDimension::frequency:
      return fmt::format("{:.0f}", point.frequency);
  }
  return {};
}

Result<Fixed> parse_fixed(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals + 1 == text.size()) {
    return fail(Errc::invalid,
                "'{}': expected DIMENSION=VALUE, such as dtype=float or frequency=1377MHz", text);
  }
  METE_TRY(const auto dimension, gemm_dimension_named(text.substr(0, equals)));
  Fixed fixed{dimension, std::string(text.substr(equals + 1))};
  if (dimension == GemmDimension::frequency) {
    METE_TRY(const double hertz, parse_quantity(fixed.value, "Hz"));
    fixed.value = fmt::format("{:.0f}", hertz);
  }
  if (dimension == GemmDimension::tensor) {
    if (fixed.value == "true" || fixed.value == "on") fixed.value = "tensor";
    if (fixed.value == "false" || fixed.value == "off") fixed.value = "nontensor";
  }
  return fixed;
}

Result<GemmQuantity> gemm_quantity_named(std::string_view name) {
  if (name == "flops_per_watt") return GemmQuantity::flops_per_watt;
  if (name == "flops") return GemmQuantity::flops;
  if (name == "watts" || name == "power" || name == "avg_power") return GemmQuantity::watts;
  return fail(Errc::invalid, "no quantity '{}': there are flops_per_watt, flops and watts", name);
}

const Interval& EfficiencyRow::value(GemmQuantity quantity) const {
  switch (quantity) {
    case GemmQuantity::watts:
      return watts;
    case GemmQuantity::flops:
      return flops;
    case GemmQuantity::flops_per_watt:
      break;
  }
  return flops_per_watt;
}

std::vector<EfficiencyRow> summarise_gemm(std::span<const GemmRun> runs, PowerRule rule) {
  std::map<GemmPoint, std::vector<const GemmRun*>> by_point;
  for (const auto& run : runs) by_point[run.point].push_back(&run);
  std::vector<EfficiencyRow> rows;
  rows.reserve(by_point.size());
  for (const auto& [point, trials] : by_point) rows.push_back(one_row(point, trials, rule));
  return rows;
}

Result<std::vector<EfficiencyRow>> select_rows(const std::vector<EfficiencyRow>& rows,
                                               std::span<const Fixed> fixed) {
  std::map<GemmDimension, std::set<std::string>> wanted;
  for (const auto& f : fixed) wanted[f.dimension].insert(f.value);
  auto left = rows;
  for (const auto& [dimension, values] : wanted) {
    const auto there = values_of(left, dimension);
    for (const auto& value : values) {
      if (std::find(there.begin(), there.end(), value) == there.end()) {
        return fail(Errc::invalid, "nothing has {} {}: there are {}",
                    gemm_dimension_name(dimension), value,
                    there.empty() ? "none" : join(there, ", "));
      }
    }
    std::erase_if(left, [&, d = dimension, &kept = values](const EfficiencyRow& row) {
      return !kept.contains(value_text(row.point, d));
    });
  }
  return left;
}

Result<std::vector<RatioRow>> gemm_ratios(const std::vector<EfficiencyRow>& rows,
                                          const RatioRequest& request) {
  const auto values = values_of(rows, request.over);
  const auto name = gemm_dimension_name(request.over);
  if (values.size() < 2) {
    return fail(Errc::invalid, "a ratio over {} needs two values of it; there {}", name,
                values.empty() ? "are none" : "is only " + values.front());
  }
  const auto against =
      request.against.empty() ? usual_reference(request.over, values) : request.against;
  if (std::find(values.begin(), values.end(), against) == values.end()) {
    return fail(Errc::invalid, "nothing has {} {}: there are {}", name, against,
                join(values, ", "));
  }
  std::map<GemmPoint, const EfficiencyRow*> references;
  for (const auto& row : rows) {
    if (value_text(row.point, request.over) == against)
      references[without(row.point, request.over)] = &row;
  }
  std::vector<RatioRow> out;
  for (const auto& row : rows) {
    if (value_text(row.point, request.over) == against) continue;
    const auto reference = references.find(without(row.point, request.over));
    if (reference == references.end()) continue;
    auto ratio = one_ratio(row, *reference->second, request);
    if (std::isfinite(ratio.ratio.estimate)) out.push_back(std::move(ratio));
  }
  std::sort(out.begin(), out.end(), [](const RatioRow& a, const RatioRow& b) {
    const auto key = [](const RatioRow& r) {
      return std::tuple(r.point.device, r.point.dtype, r.point.tensor, r.point.frequency,
                        r.point.rows, r.point.depth);
    };
    return key(a) < key(b);
  });
  if (request.over == GemmDimension::size) return out;
  for (std::size_t first = 0; first < out.size();) {
    std::size_t last = first + 1;
    while (last < out.size() && same_series(out[first], out[last])) ++last;
    judge_by_neighbours(std::span(out).subspan(first, last - first));
    first = last;
  }
  return out;
}

std::vector<BestClock> best_clocks(const std::vector<EfficiencyRow>& rows, double max_slowdown) {
  std::map<GemmPoint, std::vector<const EfficiencyRow*>> curves;
  for (const auto& row : rows) {
    if (std::isfinite(row.flops_per_watt.estimate))
      curves[without(row.point, GemmDimension::frequency)].push_back(&row);
  }
  // The intervals of all clocks against the highest.
  std::map<GemmPoint, Interval> against_top;
  if (auto ratios =
          gemm_ratios(rows, {GemmDimension::frequency, "", GemmQuantity::flops_per_watt})) {
    for (const auto& ratio : *ratios) against_top[ratio.point] = ratio.ratio;
  }
  std::vector<BestClock> out;
  for (const auto& [key, curve] : curves) {
    if (curve.size() < 2) continue;
    const auto* top = *std::max_element(
        curve.begin(), curve.end(),
        [](const auto* a, const auto* b) { return a->point.frequency < b->point.frequency; });
    const auto gain_of = [&](const EfficiencyRow& row) {
      ClockGain gain;
      gain.frequency = row.point.frequency;
      const double ratio = row.flops_per_watt.estimate / top->flops_per_watt.estimate;
      gain.flops_per_watt_gain = ratio - 1;
      gain.energy_saved = {1 - 1 / ratio, kNaN, kNaN, row.trials};
      if (const auto found = against_top.find(row.point);
          found != against_top.end() && found->second.bounded()) {
        gain.energy_saved.low = 1 - 1 / found->second.low;
        gain.energy_saved.high = 1 - 1 / found->second.high;
      }
      gain.slowdown = top->flops.estimate / row.flops.estimate - 1;
      return gain;
    };
    BestClock best;
    best.point = top->point;
    best.best = gain_of(*top);
    if (std::isfinite(max_slowdown)) best.within = best.best;
    for (const auto* row : curve) {
      const auto gain = gain_of(*row);
      if (gain.flops_per_watt_gain > best.best.flops_per_watt_gain) best.best = gain;
      if (best.within && gain.slowdown <= max_slowdown &&
          gain.flops_per_watt_gain > best.within->flops_per_watt_gain) {
        best.within = gain;
      }
    }
    out.push_back(std::move(best));
  }
  return out;
}

}  // namespace mete
