// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/region_page.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/plot/plots.h"

namespace mete {
namespace {

using Joules = std::vector<std::pair<std::string, double>>;

/// Domains that hold no part of each other; psys holds them all, and stands in for them.
std::vector<std::string> domains_of(const RunResult& result) {
  std::vector<std::string> out;
  for (const char* domain : {"package", "dram", "gpu"}) {
    const auto tells = [domain](const RegionTotal& region) {
      return std::any_of(region.joules.begin(), region.joules.end(),
                         [domain](const auto& one) { return one.first == domain; });
    };
    if (std::any_of(result.regions.begin(), result.regions.end(), tells)) out.emplace_back(domain);
  }
  if (out.empty()) out.emplace_back("psys");
  return out;
}

double sum_over(const std::vector<std::string>& domains, const Joules& joules) {
  double sum = 0;
  bool known = false;
  for (const auto& [domain, value] : joules) {
    if (std::find(domains.begin(), domains.end(), domain) == domains.end()) continue;
    if (std::isnan(value)) continue;
    sum += value;
    known = true;
  }
  return known ? sum : kNoValue;
}

struct Rows {
  std::vector<std::string> name;
  std::vector<double> count, seconds, joules, own;
  void add(std::string region, double n, double s, double all, double mine) {
    name.push_back(std::move(region));
    count.push_back(n);
    seconds.push_back(s);
    joules.push_back(all);
    own.push_back(mine);
  }
};

/// The energy of the time in which no thread was within a region; NaN where that is not known.
double outside_of(const RunResult& result, const std::vector<std::string>& domains, double own) {
  double measured = 0;
  for (const auto& domain : domains) {
    const auto found =
        std::find_if(result.balances.begin(), result.balances.end(),
                     [&domain](const EnergyBalance& one) { return one.domain == domain; });
    if (found == result.balances.end()) return kNoValue;
    measured += found->measured;
  }
  return std::max(0.0, measured - own);
}

Table table_of(Rows rows) {
  Table table;
  table.add_texts("region", std::move(rows.name));
  table.add_numbers("count", "", std::move(rows.count));
  table.add_numbers("time", "s", std::move(rows.seconds));
  table.add_numbers("energy", "J", std::move(rows.joules));
  table.add_numbers("own energy", "J", std::move(rows.own));
  return table;
}

TextBlock epoch_block(const EpochTotals& epochs) {
  TextBlock block;
  block.title = "Epochs";
  std::string text =
      fmt::format("The program counted {:.0f} epoch{}", epochs.count, epochs.count == 1 ? "" : "s");
  if (std::isfinite(epochs.period)) {
    text += fmt::format(", one each {}", format_quantity(epochs.period, "s", 4));
  }
  block.paragraphs.push_back(text + ".");
  return block;
}

}  // namespace

std::vector<RegionLane> region_lanes(const RunResult& result) {
  std::vector<RegionLane> out;
  for (const RegionTotal& region : result.regions) {
    RegionLane lane{region.name, region.level, region.count, region.seconds, {}};
    for (const RegionSpan& span : region.spans) {
      lane.spans.push_back({span.begin, span.end, span.count, span.seconds, span.threads});
    }
    out.push_back(std::move(lane));
  }
  return out;
}

Result<std::vector<Block>> region_blocks(const RunResult& result) {
  std::vector<Block> out;
  if (!result.regions.empty()) {
    const auto domains = domains_of(result);
    Rows rows;
    double own = 0;
    for (const auto& region : result.regions) {
      const double mine = sum_over(domains, region.own_joules);
      rows.add(region.name, static_cast<double>(region.count), region.seconds,
               sum_over(domains, region.joules), mine);
      own += mine;
    }
    METE_TRY(Figure bars, region_bars(table_of(rows)));
    const bool measured = std::isfinite(own);
    if (measured) bars.caption += fmt::format(" Energy of: {}.", join(domains, ", "));
    out.emplace_back(std::move(bars));
    const double outside = outside_of(result, domains, own);
    if (std::isfinite(outside)) {
      rows.add("(outside of all regions)", kNoValue, kNoValue, outside, outside);
    }
    TableBlock block;
    block.title = "Regions";
    block.table = table_of(std::move(rows));
    block.formats = {{"region", "Region", 4, false},
                     {"count", "Times entered", 4, false},
                     {"time", "Time", 4, false},
                     {"energy", "Energy", 4, false},
                     {"own energy", "Own energy", 4, false}};
    block.caption =
        "Time is summed over threads. Energy holds that of inner regions, own energy does not: own "
        "energies and what lies outside of all regions add up to the run's.";
    if (!measured) block.caption += " No energy was measured: nothing here tells it.";
    out.emplace_back(std::move(block));
  }
  if (result.epochs.count > 0) out.emplace_back(epoch_block(result.epochs));
  return out;
}

}  // namespace mete
