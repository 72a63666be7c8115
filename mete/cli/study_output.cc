// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/study_output.h"

#include <cmath>
#include <map>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

// Enough for one type at all clocks and sizes of the notebook's square study would be too many to
// read.
constexpr std::size_t kMostLines = 64;

std::string clock_text(double hertz) {
  return hertz > 0 ? fmt::format("{:.2f}", hertz / 1e6) : "as it was";
}

std::string within_text(const Interval& interval, double scale, int decimals) {
  if (std::isnan(interval.estimate)) return "-";
  if (!interval.bounded()) return fmt::format("{:.{}f}", interval.estimate * scale, decimals);
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", interval.estimate * scale, decimals,
                     interval.low * scale, decimals, interval.high * scale, decimals);
}

std::string percent_text(const Interval& interval) {
  const auto one = [](double v) { return fmt::format("{:.1f}", v * 100); };
  if (!interval.bounded()) return one(interval.estimate) + " %";
  return fmt::format("{} % [{}, {}]", one(interval.estimate), one(interval.low),
                     one(interval.high));
}

std::string_view rule_words(PowerRule rule) {
  return rule == PowerRule::notebook ? "power: the mean of every sample (rule notebook); `--rule "
                                       "settled` leaves the meter's lag out"
                                     : "power: rule settled (the last ten good samples); `--rule "
                                       "notebook` is the mean of all";
}

Json size_json(const GemmPoint& point) {
  if (point.square()) return Json(static_cast<std::int64_t>(point.rows));
  return {point.size_text()};
}

Json point_json(const GemmPoint& point) {
  return Json::object({{"device", point.device},
                       {"dtype", point.dtype},
                       {"tensor", point.tensor},
                       {"size", size_json(point)},
                       {"frequency", point.frequency}});
}

Json figure_json(const Interval& interval) {
  return Json::object({{"estimate", interval.estimate}, {"interval", interval_json(interval)}});
}

Json gain_json(const ClockGain& gain) {
  return Json::object({{"frequency", gain.frequency},
                       {"flops_per_watt_gain", gain.flops_per_watt_gain},
                       {"energy_saved", gain.energy_saved.estimate},
                       {"energy_saved_interval", interval_json(gain.energy_saved)},
                       {"slowdown", gain.slowdown}});
}

/// What people call the verdict of an interval.
std::string_view verdict(const RatioRow& row) {
  if (!row.ratio.bounded()) return "one run: no interval";
  if (row.noise()) return "noise";
  return row.ratio.estimate > 1 ? "higher" : "lower";
}

std::string settings_text(const GemmPoint& point, GemmDimension over) {
  std::vector<std::string> parts;
  for (const auto d : {GemmDimension::device, GemmDimension::dtype, GemmDimension::tensor,
                       GemmDimension::frequency}) {
    if (d == over) continue;
    parts.push_back(d == GemmDimension::frequency ? clock_text(point.frequency) + " MHz"
                                                  : value_text(point, d));
  }
  return join(parts, " ");
}

}  // namespace

Json interval_json(const Interval& interval) {
  return interval.bounded() ? Json::array_of(std::vector<double>{interval.low, interval.high})
                            : Json();
}

Json summary_json(const std::vector<EfficiencyRow>& rows, PowerRule rule) {
  Json list = Json::array();
  for (const auto& row : rows) {
    Json item = point_json(row.point);
    item.set("trials", row.trials);
    item.set("watts", figure_json(row.watts));
    item.set("flops", figure_json(row.flops));
    item.set("flops_per_watt", figure_json(row.flops_per_watt));
    item.set("interval_from", row.interval_from);
    item.set("still_moving_watts", row.still_moving);
    item.set("oddities", Json::array_of(row.oddities));
    list.push(std::move(item));
  }
  return Json::object({{"rule", power_rule_name(rule)}, {"configurations", std::move(list)}});
}

std::string summary_text(const std::vector<EfficiencyRow>& rows, PowerRule rule) {
  std::string out =
      fmt::format("{:<13}{:<8}{:<11}{:<11}{:>10}  {:<24}{:>10}  {}\n", "device", "type", "tensor",
                  "size", "MHz", "W [95 %]", "GFLOP/s", "GFLOP/s per W [95 %]");
  std::map<std::string, std::size_t> oddities;
  std::size_t shown = 0;
  double left = 0;
  for (const auto& row : rows) {
    for (const auto& kind : row.oddities) ++oddities[kind];
    if (row.watts.estimate > 0)
      left = std::max(left, std::abs(row.still_moving) / row.watts.estimate);
    if (++shown > kMostLines) continue;
    out += fmt::format("{:<13}{:<8}{:<11}{:<11}{:>10}  {:<24}{:>10.4g}  {}\n", row.point.device,
                       row.point.dtype, row.point.tensor, row.point.size_text(),
                       clock_text(row.point.frequency), within_text(row.watts, 1, 2),
                       row.flops.estimate / 1e9, within_text(row.flops_per_watt, 1e-9, 2));
  }
  if (shown > kMostLines) {
    out += fmt::format(
        ".. and {} more configurations: narrow them with --at dtype=.., or write all with --csv "
        "FILE\n",
        shown - kMostLines);
  }
  out += fmt::format("{} configurations; {}\n", rows.size(), rule_words(rule));
  if (rule == PowerRule::settled) {
    out += fmt::format("lag left: at most {:.1f} % of a power, were the meter's lag {} s\n",
                       left * 100, kMeterLag);
  }
  for (const auto& [kind, count] : oddities)
    out += fmt::format("  {:<16}{} configurations\n", kind, count);
  return out;
}

Table summary_table(const std::vector<EfficiencyRow>& rows) {
  struct NumberColumn {
    const char* name;
    const char* unit;
    double (*get)(const EfficiencyRow&);
  };
  static constexpr NumberColumn kNumbers[] = {
      {"rows", "", [](const EfficiencyRow& r) { return static_cast<double>(r.point.rows); }},
      {"depth", "", [](const EfficiencyRow& r) { return static_cast<double>(r.point.depth); }},
      {"frequency", "Hz", [](const EfficiencyRow& r) { return r.point.frequency; }},
      {"trials", "", [](const EfficiencyRow& r) { return static_cast<double>(r.trials); }},
      {"watts", "W", [](const EfficiencyRow& r) { return r.watts.estimate; }},
      {"watts_low", "W", [](const EfficiencyRow& r) { return r.watts.low; }},
      {"watts_high", "W", [](const EfficiencyRow& r) { return r.watts.high; }},
      {"flops", "FLOP/s", [](const EfficiencyRow& r) { return r.flops.estimate; }},
      {"flops_per_watt", "FLOP/J",
       [](const EfficiencyRow& r) { return r.flops_per_watt.estimate; }},
      {"flops_per_watt_low", "FLOP/J", [](const EfficiencyRow& r) { return r.flops_per_watt.low; }},
      {"flops_per_watt_high", "FLOP/J",
       [](const EfficiencyRow& r) { return r.flops_per_watt.high; }},
      {"still_moving", "W", [](const EfficiencyRow& r) { return r.still_moving; }},
  };
  Table table;
  const auto add_text = [&](const char* name, auto get) {
    auto& column = table.add_texts(name);
    for (const auto& row : rows) column.push_back(get(row));
  };
  add_text("device", [](const EfficiencyRow& r) { return r.point.device; });
  add_text("dtype", [](const EfficiencyRow& r) { return r.point.dtype; });
  add_text("tensor", [](const EfficiencyRow& r) { return r.point.tensor; });
  for (const auto& column : kNumbers) {
    auto& values = table.add_numbers(column.name, column.unit);
    for (const auto& row : rows) values.push_back(column.get(row));
  }
  add_text("oddities", [](const EfficiencyRow& r) { return join(r.oddities, " "); });
  return table;
}

Json ratios_json(const std::vector<RatioRow>& rows, const RatioRequest& request) {
  Json list = Json::array();
  for (const auto& row : rows) {
    Json item = Json::object({{"size", size_json(row.point)},
                              {"ratio", row.ratio.estimate},
                              {"interval", interval_json(row.ratio)},
                              {"interval_from", row.interval_from},
                              {"noise", row.noise()},
                              {"value", row.value},
                              {"against", row.against}});
    const Json point = point_json(row.point);
    for (const auto& [key, value] : point.members()) {
      if (key != "size" && key != gemm_dimension_name(request.over)) item.set(key, value);
    }
    list.push(std::move(item));
  }
  return list;
}

std::string ratios_text(const std::vector<RatioRow>& rows, const RatioRequest& request,
                        PowerRule rule) {
  std::string out;
  std::string heading;
  std::size_t noise = 0;
  for (const auto& row : rows) {
    auto now = fmt::format("{} {} over {}: {}", gemm_dimension_name(request.over), row.value,
                           row.against, settings_text(row.point, request.over));
    if (now != heading) {
      out += now + "\n";
      heading = std::move(now);
    }
    out += fmt::format("  {:>10}  {:<28}{}\n", row.point.size_text(), within_text(row.ratio, 1, 4),
                       verdict(row));
    if (row.noise()) ++noise;
  }
  out += fmt::format("{} ratios, {} of them noise (the interval holds 1); {}\n", rows.size(), noise,
                     rule_words(rule));
  for (const auto& row : rows) {
    if (row.interval_from != "neighbours") continue;
    out +=
        "intervals: how much the ratio differs from one size to the next; repeat the runs for "
        "intervals of their own\n";
    break;
  }
  return out;
}

Json best_json(const std::vector<BestClock>& clocks, PowerRule rule) {
  Json list = Json::array();
  for (const auto& clock : clocks) {
    Json item = point_json(clock.point);
    item.set("frequency", clock.best.frequency);
    item.set("top_frequency", clock.point.frequency);
    item.set("best", gain_json(clock.best));
    if (clock.within) item.set("within_bound", gain_json(*clock.within));
    list.push(std::move(item));
  }
  return Json::object({{"rule", power_rule_name(rule)}, {"configurations", std::move(list)}});
}

std::string best_text(const std::vector<BestClock>& clocks, PowerRule rule, double max_slowdown) {
  const bool bounded = std::isfinite(max_slowdown);
  std::string out = fmt::format("{:<13}{:<8}{:<11}{:<11}{:>10}  {:<26}{:>8}", "device", "type",
                                "tensor", "size", "best MHz", "energy saved [95 %]", "slower");
  if (bounded) out += fmt::format("   within {}: MHz, saved", format_percent(max_slowdown, 0));
  out += "\n";
  std::map<std::string, std::map<double, std::size_t>> votes;
  for (const auto& clock : clocks) {
    out += fmt::format("{:<13}{:<8}{:<11}{:<11}{:>10}  {:<26}{:>6.1f} %", clock.point.device,
                       clock.point.dtype, clock.point.tensor, clock.point.size_text(),
                       clock_text(clock.best.frequency), percent_text(clock.best.energy_saved),
                       clock.best.slowdown * 100);
    if (clock.within) {
      out += fmt::format("   {:>9}, {:.1f} %", clock_text(clock.within->frequency),
                         clock.within->energy_saved.estimate * 100);
    }
    out += "\n";
    ++votes[clock.point.device + " " + clock.point.dtype][clock.best.frequency];
  }
  for (const auto& [type, counts] : votes) {
    std::vector<std::string> parts;
    for (const auto& [frequency, count] : counts)
      parts.push_back(fmt::format("{} MHz {}x", clock_text(frequency), count));
    out += fmt::format("{}: most efficient at {}\n", type, join(parts, ", "));
  }
  return out + fmt::format("against the highest clock; {}\n", rule_words(rule));
}

}  // namespace mete
