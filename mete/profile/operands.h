// Where the operands of a kernel lie while it is measured: several copies of each slot in both
// tiers, taken in turn, so that no run finds in the caches what an earlier one left there.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mete/base/rng.h"
#include "mete/kernel/kernel.h"
#include "mete/profile/profile.h"

namespace mete {

class OperandPlan {
 public:
  /// Together all copies are twice what the caches hold, as far as kMostCopies allow.
  OperandPlan(std::vector<std::uint64_t> slot_bytes, std::uint64_t cache_bytes, Rng rng);

  static constexpr std::size_t kMostCopies = 16;
  [[nodiscard]] std::size_t copies() const { return offsets_.size(); }
  /// What each of the two pools must hold.
  [[nodiscard]] std::uint64_t pool_bytes() const { return pool_bytes_; }
  [[nodiscard]] std::uint64_t slot_bytes(std::size_t slot) const { return slot_bytes_[slot]; }
  [[nodiscard]] std::size_t offset(std::size_t copy, std::size_t slot) const {
    return offsets_[copy][slot];
  }

 private:
  std::vector<std::uint64_t> slot_bytes_;
  std::vector<std::vector<std::size_t>> offsets_;
  std::uint64_t pool_bytes_ = 0;
};

/// Puts data into every copy of the inputs in a pool: numbers from -1 to 1, from 0.5 to 1.5 where
/// they are few for each channel (variances must be positive), and valid indices and labels.
void fill_operands(const KernelJob& job, const NodeSlots& slots, const OperandPlan& plan,
                   std::byte* pool, std::uint64_t seed);

/// Reads all bytes, so that they are in the caches.
void warm_up(const std::byte* data, std::size_t bytes) noexcept;

}  // namespace mete
