// What any words must do where mete takes them on its command line or from file names: be refused
// in one line, or give values that are finite and in range. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"

#include "mete/base/text.h"
#include "mete/dataset/run_name.h"
#include "mete/provider/board/machine_options.h"
#include "mete/signal/domain.h"
#include "mete/study/axis.h"

namespace mete::fuzz {

template <class T>
bool taken(const Result<T>& result) {
  if (!result) require_fair(result.error(), "");
  return result.has_value();
}

inline void names_target(std::string_view bytes) {
  // Errors quote the word as it was typed.
  if (bytes.find('\n') != std::string_view::npos) return;
  if (const auto run = parse_run_name(bytes); taken(run)) {
    require(std::isfinite(run->frequency) && run->frequency > 0, "a clock above 0");
  }
  static_cast<void>(taken(parse_run_name_as_tutorial(bytes)));
  if (const auto file = parse_run_file(bytes)) require(file->stem.size() <= bytes.size(), "a part");
  if (const auto options = parse_machine_options(bytes); taken(options)) {
    const auto again = parse_machine_options(format_machine_options(*options));
    require(again.has_value(), "what is written reads back");
  }
  static_cast<void>(taken(parse_signal_spec(bytes)));
  static_cast<void>(taken(split_axis_spec(bytes)));
  for (const auto* unit : {"Hz", "s", "W", "J", "B", ""}) {
    static_cast<void>(taken(parse_quantity(bytes, unit)));
  }
  ControlInfo control;
  control.name = "C";
  control.unit = "Hz";
  ControlLimits limits;
  limits.min = 4e8;
  limits.max = 1.4e9;
  std::vector<std::string> notes;
  for (const bool steps : {false, true}) {
    if (steps) limits.supported = {4e8, 6e8, 9e8, 1.4e9};
    if (const auto axis = resolve_axis(control, limits, bytes, 11, notes); taken(axis)) {
      require(!axis->values.empty() && axis->values.size() <= kMaxAxisValues, "a bounded axis");
      for (std::size_t i = 0; i < axis->values.size(); ++i) {
        require(axis->values[i] >= limits.min && axis->values[i] <= limits.max, "in range");
        require(i == 0 || axis->values[i] > axis->values[i - 1], "ascending");
      }
    }
  }
}

}  // namespace mete::fuzz
