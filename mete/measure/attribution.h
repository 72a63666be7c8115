// Attribution: who used the energy that a domain measured. docs/attribution.md states the rules.
//
//   measured = attributed to processes + idle + others
//
// Idle is the share of time in which the device did nothing; the rest, the active part, is divided
// by the share of its busy time that each process had. Pure arithmetic: no clock, no I/O.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "mete/measure/session.h"

namespace mete {

/// What a device did in one interval, in units of its own (CPU seconds, share of a GPU's time).
struct DeviceUse {
  double capacity = 0;  ///< all it could have done; 0 or NaN: unknown
  double busy = 0;  ///< what it did, for anybody; NaN: no more than the processes are seen to do
};

class Attribution {
 public:
  explicit Attribution(std::string domain) { balance_.domain = std::move(domain); }

  /// Divides `joules` of one interval: process i did used[i] of the device's busy units and gets
  /// energy[i] added. Where the processes seem to have done more than the device (their clocks tick
  /// at different times), what they did counts. With an unknown capacity all of it is others'. An
  /// energy that is NaN or below 0 is left out.
  void add(double joules, DeviceUse use, std::span<const double> used, std::span<double> energy);

  [[nodiscard]] const EnergyBalance& balance() const { return balance_; }
  /// Something was divided.
  [[nodiscard]] bool any() const { return any_; }

 private:
  EnergyBalance balance_;
  bool any_ = false;
};

/// |attributed + idle + others - measured| over measured; 0 if nothing was measured. `measured` is
/// the caller's own sum, taken another way than the one that was divided.
double balance_error(const EnergyBalance& balance, double measured);

}  // namespace mete
