// What a run's file name says: the application, the GPU clock it was held to, and the trial.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mete/base/result.h"

namespace mete {

struct RunName {
  std::string app;
  std::string options;   ///< "-<memratio>-<precision>" as far as the name has them
  double frequency = 0;  ///< Hz
  std::int64_t trial = 0;
};

/// "agent_monitor.stream.gpufreq_1230.memratio_0.25.precision_double.trial_1" (gpufreq in MHz; with
/// a decimal point or a unit, as written; a plain number from 10,000,000 on is Hz), or the
/// experiments' names "stream_monitor_2.1e+09c_2.4e+09u_1.23e+09g_0". The extension is already off.
/// Errors say what the name lacks.
Result<RunName> parse_run_name(std::string_view stem);

/// The same as the tutorial's script reads it: the value ends at the next dot, and gpufreq is MHz
/// whatever it says.
Result<RunName> parse_run_name_as_tutorial(std::string_view stem);

/// "a.trial_1.report" → "a.trial_1", "" ; "a.trial_1.trace-node1.example.org" → "a.trial_1",
/// "node1.example.org".
struct RunFile {
  enum class Kind { report, trace };
  Kind kind = Kind::report;
  std::string stem;
  std::string host;
};
/// Nothing if the file is neither a report nor a trace.
std::optional<RunFile> parse_run_file(std::string_view file_name);

}  // namespace mete
