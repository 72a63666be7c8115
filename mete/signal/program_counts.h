// ProgramCounts: what a program under observation counts of its own work, as the session hears it
// and a provider tells it. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mete {

/// Read at every sample: a few loads, never a call into the kernel.
class ProgramCounts {
 public:
  virtual ~ProgramCounts() = default;
  /// The sum of all mete::progress(n).
  [[nodiscard]] virtual std::uint64_t epochs() const noexcept = 0;
  /// Regions that have been left, of all threads, nested ones too.
  [[nodiscard]] virtual std::uint64_t regions() const noexcept = 0;
};

}  // namespace mete
