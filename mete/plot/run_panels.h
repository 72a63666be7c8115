// The two panels that show a run over time, its clock above its power. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include "mete/plot/figure.h"

namespace mete {

struct RunPanels {
  Panel clock;
  Panel power;
};

/// Empty panels with their axes; heights in pixels.
inline RunPanels run_panels(double clock_height, double power_height) {
  RunPanels out;
  out.clock.x = {"Time since the start of the run", "s"};
  out.clock.y = {"Clock", "Hz"};
  out.clock.height = clock_height;
  out.clock.empty_note = "No clock was recorded.";
  out.power = out.clock;
  out.power.y = {"Power", "W"};
  out.power.y.from_zero = true;
  out.power.height = power_height;
  out.power.empty_note = "No power was recorded.";
  return out;
}

}  // namespace mete
