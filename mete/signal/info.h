// Descriptions of signals and controls: rows of tables from which help, headers and docs are made.
//
//   signal       something that can be read: NAME, at a domain, with a unit
//   control      something that can be set
//   native       the finest domain at which it exists; coarser ones are aggregated, finer ones are
//   an error aggregation  how values of several parts make one of a coarser domain behavior     how
//   a value changes with time, which decides how it is summed up over a run source       where a
//   value comes from; the output always shows it
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/signal/domain.h"

namespace mete {

/// GEOPM's Agg.cpp. All but select_first leave NaN out and give NaN only if nothing is left.
enum class Aggregation {
  sum,
  average,
  median,
  integer_bitwise_or,
  logical_and,
  logical_or,
  region_hash,
  region_hint,
  min,
  max,
  stddev,
  select_first,
  expect_same,
};

enum class Behavior {
  constant,  ///< does not change during a run
  monotone,  ///< a count that only grows: a run's figure is last minus first
  variable,  ///< a run's figure is the time-weighted mean
  label,     ///< a code; not summed up
};

/// Where a value comes from. Figures made of several carry the weakest of them (the last in this
/// order).
enum class Source {
  counter,     ///< a device counted it (an energy counter, a cycle count, the clock)
  sampled,     ///< a sensor or the kernel reported an instantaneous or averaged value
  integrated,  ///< we integrated samples
  estimated,   ///< a model computed it
  replayed,    ///< a board replays measurements of other hardware
};

enum class Format { number, integer, hex };

struct SignalInfo {
  std::string name;
  std::string description;
  std::string unit;  ///< SI symbol; "1" for a fraction; "" for a code or count
  Domain domain = Domain::board;
  Aggregation aggregation = Aggregation::average;
  Behavior behavior = Behavior::variable;
  Source source = Source::sampled;
  Format format = Format::number;
};

struct ControlInfo {
  std::string name;
  std::string description;
  std::string unit;
  Domain domain = Domain::board;
  /// sum: a value set at a coarser domain is divided among its parts; otherwise each part gets it.
  Aggregation aggregation = Aggregation::expect_same;
};

/// What a control accepts.
struct ControlLimits {
  double min = 0;
  double max = 0;
  /// The settings the device supports, ascending; empty if any value from min to max is accepted.
  std::vector<double> supported;

  /// The supported value nearest to `value`, clamped to the range; NaN stays NaN.
  [[nodiscard]] double snap(double value) const;
};

std::string_view aggregation_name(Aggregation a);
std::string_view behavior_name(Behavior b);
std::string_view source_name(Source s);
/// The weaker of two sources.
Source weakest(Source a, Source b);

/// NaN for an empty span.
double aggregate(Aggregation how, std::span<const double> values) noexcept;

/// GEOPM's current name of a signal or control, whichever generation's name is given ("NVML::POWER"
/// → "GPU_POWER"); other names come back unchanged.
std::string_view canonical_name(std::string_view name);
struct Alias {
  std::string_view old_name;
  std::string_view name;
};
std::span<const Alias> aliases();

}  // namespace mete
