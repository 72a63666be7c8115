// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/attribution.h"

#include <algorithm>
#include <cmath>

namespace mete {

void Attribution::add(double joules, DeviceUse use, std::span<const double> used,
                      std::span<double> energy) {
  if (!(joules >= 0)) return;
  any_ = true;
  balance_.measured += joules;
  double seen = 0;
  for (const double one : used) seen += one > 0 ? one : 0;
  if (!(use.capacity > 0)) {
    balance_.others += joules;
    return;
  }
  const double busy = std::isnan(use.busy) ? seen : std::max(use.busy, seen);
  const double capacity = std::max(use.capacity, busy);
  if (!(busy > 0)) {
    balance_.idle += joules;
    return;
  }
  const double active = joules * busy / capacity;
  double given = 0;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!(used[i] > 0)) continue;
    const double part = active * used[i] / busy;
    energy[i] += part;
    given += part;
  }
  balance_.attributed += given;
  balance_.idle += joules - active;
  balance_.others += active - given;
}

double balance_error(const EnergyBalance& balance, double measured) {
  const double parts = balance.attributed + balance.idle + balance.others;
  return measured > 0 ? std::abs(parts - measured) / measured : 0;
}

}  // namespace mete
