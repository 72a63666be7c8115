// RecorderSeries: the energies of the node as one list of growing counts, whatever tells them.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/signal/platform.h"

namespace mete {

/// The names of a node's energies, as recordings have them.
inline constexpr std::array<std::string_view, 6> kEnergyDomains{"package", "psys", "core",
                                                                "uncore",  "dram", "gpu"};
inline constexpr std::size_t kNoEnergy = kEnergyDomains.size();
/// The name's place in kEnergyDomains; kNoEnergy if it is none of them.
constexpr std::size_t energy_domain(std::string_view name) {
  std::size_t at = 0;
  while (at < kEnergyDomains.size() && kEnergyDomains[at] != name) ++at;
  return at;
}

struct RecordedSeries {
  Request request;
  SignalInfo info;  ///< of what is written: an integrated power is an energy here
  std::string of;   ///< the signal that is integrated, if it is
  std::size_t domain = kNoEnergy;
  bool estimate = false;
  int handle = 0;
  bool integrate = false;  ///< a power in W, summed up here
  double value = 0;        ///< as written; NaN while unknown
  double last = 0;         ///< energies: the last known value, NaN before the first
  double gained = 0;       ///< energies: J since the first value, resets left out
  std::uint64_t resets = 0;
};

class RecorderSeries {
 public:
  /// Pushes what is there: an energy counter where there is one, else a power to integrate; then
  /// `others`. Estimates (..._ESTIMATE) are kept apart.
  Result<void> begin(Platform& platform, const std::vector<Request>& others,
                     std::vector<std::string>& warnings);
  /// Takes the values of the last read_batch.
  void read(const Platform& platform, Nanoseconds now) noexcept;

  [[nodiscard]] const std::vector<RecordedSeries>& all() const { return series_; }
  /// J gained since the start in a domain, all its parts together; NaN if nothing tells it.
  [[nodiscard]] double gained(std::size_t domain) const noexcept;
  /// The same of one part.
  [[nodiscard]] double gained(std::size_t domain, int index) const noexcept;
  [[nodiscard]] int parts(std::size_t domain) const;

 private:
  bool push(Platform& platform, std::string_view name, std::size_t domain, bool integrate,
            std::vector<std::string>& warnings);
  std::vector<RecordedSeries> series_;
  Nanoseconds last_{0};
  bool first_ = true;
};

}  // namespace mete
