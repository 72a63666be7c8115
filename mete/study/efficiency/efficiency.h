// What an efficiency study says: power, rate and efficiency per configuration with their intervals;
// ratios along one dimension, with a word where they are noise; the most efficient clock.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/stats.h"
#include "mete/study/efficiency/gemm_run.h"
#include "mete/study/efficiency/power_rule.h"

namespace mete {

enum class GemmDimension { device, dtype, tensor, size, frequency };
/// By our names and the notebook's ("datatype", "matrix_size", "gpu_frequency"); the error lists
/// ours.
Result<GemmDimension> gemm_dimension_named(std::string_view name);
std::string_view gemm_dimension_name(GemmDimension dimension);
/// "float", "tensor", "1024", "1377000000".
std::string value_text(const GemmPoint& point, GemmDimension dimension);

/// Values that a selection keeps: `frequency=1377MHz`. Several of one dimension: any of them.
struct Fixed {
  GemmDimension dimension = GemmDimension::dtype;
  std::string value;
};
/// "dtype=float"; a frequency may carry its unit.
Result<Fixed> parse_fixed(std::string_view text);

enum class GemmQuantity { watts, flops, flops_per_watt };
Result<GemmQuantity> gemm_quantity_named(std::string_view name);

/// One configuration, all its trials together.
struct EfficiencyRow {
  GemmPoint point;
  std::size_t trials = 0;
  Interval watts;             ///< NaN where nothing was measured
  Interval flops;             ///< FLOP/s
  Interval flops_per_watt;    ///< FLOP/J
  double still_moving = 0;    ///< W, see PowerFigure; the largest of the trials
  std::string interval_from;  ///< "trials", "samples" (power's only) or "" where there is none
  std::vector<std::string> oddities;  ///< kinds, each once

  [[nodiscard]] const Interval& value(GemmQuantity quantity) const;
};
/// One row per point, ascending.
std::vector<EfficiencyRow> summarise_gemm(std::span<const GemmRun> runs, PowerRule rule);
/// The rows that all of `fixed` keep. An error names the values that there are, if nothing is left.
Result<std::vector<EfficiencyRow>> select_rows(const std::vector<EfficiencyRow>& rows,
                                               std::span<const Fixed> fixed);

/// value(over = value) / value(over = against), all else equal.
struct RatioRow {
  GemmPoint point;  ///< of the numerator
  std::string value;
  std::string against;
  Interval ratio;  ///< estimate = the plain quotient of the two figures
  /// "trials": pairs of trials. "neighbours": how much the ratio differs from one size to the next
  /// at the same settings, which holds the noise of a single run and whatever the size itself
  /// changes, so that it is rather too wide. "" for none.
  std::string interval_from;
  /// The interval holds 1: what is seen may be chance.
  [[nodiscard]] bool noise() const { return ratio.bounded() && ratio.low <= 1 && 1 <= ratio.high; }
};
struct RatioRequest {
  GemmDimension over = GemmDimension::tensor;
  std::string
      against;  ///< "" for the usual one: nontensor, float, the highest clock, the largest size
  GemmQuantity quantity = GemmQuantity::flops_per_watt;
};
/// Ascending in value, then in the other dimensions with size last. `invalid` if there are not two
/// values to compare.
Result<std::vector<RatioRow>> gemm_ratios(const std::vector<EfficiencyRow>& rows,
                                          const RatioRequest& request);

/// A clock, and what it does against the highest.
struct ClockGain {
  double frequency = 0;
  double flops_per_watt_gain = 0;  ///< fraction
  Interval energy_saved;           ///< fraction of the energy per operation
  double slowdown = 0;             ///< fraction
};
struct BestClock {
  GemmPoint point;  ///< its frequency is the highest one
  ClockGain best;
  std::optional<ClockGain>
      within;  ///< the best of those no slower than the bound, if one was given
};
/// One per device, type, tensor setting and size that has two clocks. `max_slowdown`: a fraction;
/// NaN for none.
std::vector<BestClock> best_clocks(const std::vector<EfficiencyRow>& rows, double max_slowdown);

}  // namespace mete
