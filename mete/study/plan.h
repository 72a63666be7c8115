// StudyPlan: a grid of settings, repeated, in an order that does not confound setting with time.
//
//   point      one run of the command at one setting
//   trial      one pass over the whole grid, in a random order of its own
//   reference  the same setting (the highest of every axis) run again and again between the others:
//              what changes between references changed in the machine, not in the setting
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/study/axis.h"

namespace mete {

struct StudyPlan {
  std::vector<StudyAxis> axes;
  std::int64_t trials = 1;
  std::uint64_t seed = 1;
  /// A reference point before the first point, after every so many, and after the last; 0 for none.
  std::size_t reference_every = 10;

  std::string app;         ///< the name in file names and tables, as the user knows it
  std::string app_config;  ///< one application with one set of inputs; the app if nothing else
  std::vector<std::string> command;
  std::string agent = "monitor";
  std::string policy;                ///< the agent's, as the user gave it
  std::string model;                 ///< the agent's, a path
  std::vector<std::string> signals;  ///< "NAME@domain": besides the defaults
  double period = 0.05;              ///< s between samples
  std::string node;
  std::string target;                       ///< "board v100 (replayed), 1 GPU"
  std::string target_options;               ///< what else makes the target what it is
  std::vector<std::string> energy_signals;  ///< a run's energy is the sum of these

  friend bool operator==(const StudyPlan&, const StudyPlan&) = default;
};

struct PlannedPoint {
  std::string id;              ///< unique in the study; the stem of its files
  std::vector<double> values;  ///< one per axis, in its unit
  std::int64_t trial = 1;      ///< 1.. ; for a reference, its number
  bool reference = false;

  friend bool operator==(const PlannedPoint&, const PlannedPoint&) = default;
};

inline constexpr std::size_t kMaxPoints = 100'000;

/// The points in the order in which they are to be run. The same plan gives the same order.
/// Invalid: no axis, the same control twice, fewer than one trial, more than kMaxPoints points.
Result<std::vector<PlannedPoint>> lay_out(const StudyPlan& plan);

/// What differs between two plans, one line each ("trials: 3 here, 5 asked for"); empty if nothing.
std::vector<std::string> differences(const StudyPlan& here, const StudyPlan& asked);

/// A name as one piece of a file name of GEOPM's tutorial, which splits at '.' and takes each piece
/// with a '_' for key_value: everything but letters, digits, '+' and '-' becomes '-'.
std::string file_piece(std::string_view name);

/// The name under which a command is known: its last path component without .program, .txt, .py,
/// .sh.
std::string app_name(const std::vector<std::string>& command);

}  // namespace mete
