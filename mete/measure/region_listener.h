// RegionListener: the session's side of region marks (docs/regions.md). Makes the shared memory
// that marked programs write to, takes their marks out at every sample, and divides the node's
// energy among regions. Used from the session's thread. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/measure/session.h"
#include "mete/signal/program_counts.h"

namespace mete {

class RegionListener final : public ProgramCounts {
 public:
  /// Shared memory in `folder`; "" for /dev/shm, or /tmp where there is none.
  static Result<std::unique_ptr<RegionListener>> create(const std::string& folder = "");
  RegionListener(const RegionListener&) = delete;
  RegionListener& operator=(const RegionListener&) = delete;
  /// Takes the memory away; programs that still mark write where nobody reads.
  ~RegionListener() override;

  /// What the workload must find in its environment: METE_REGION_SHM, and METE_REGION_LIBRARY for
  /// Python, where the library is beside this program.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment() const;

  /// `now` on the clock CLOCK_MONOTONIC; `joules`: gained since the start, one for each domain, NaN
  /// where unknown. Marks since the last call are placed on the straight line between that call's
  /// joules and these.
  void drain(Nanoseconds now, std::span<const double> joules) noexcept;
  /// Regions that are still open are closed now.
  void finish(Nanoseconds now, std::span<const double> joules) noexcept;
  /// In the order in which they were first left. `domains`: names of the joules. Spans cost
  /// milliseconds where names are many: not on the way.
  [[nodiscard]] std::vector<RegionTotal> totals(std::span<const std::string_view> domains,
                                                bool with_spans = true) const;
  /// Marks that found no room.
  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::uint64_t epochs() const noexcept override;
  [[nodiscard]] std::uint64_t regions() const noexcept override;
  [[nodiscard]] const std::string& path() const;

 private:
  RegionListener();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mete
