// What a placement means along the step: from when until when each tensor lies in fast and in slow
// memory, and when it moves. Between two kernels writes to slow memory come first, then reads, so
// that what leaves makes room for what comes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mete/execute/packing.h"
#include "mete/placement/placement.h"
#include "mete/placement/problem.h"

namespace mete {

// Points of time, three for each kernel.
constexpr std::uint64_t write_time(std::uint64_t kernel) { return 3 * kernel; }
constexpr std::uint64_t read_time(std::uint64_t kernel) { return 3 * kernel + 1; }
constexpr std::uint64_t run_time(std::uint64_t kernel) { return 3 * kernel + 2; }

/// A tensor in one memory, without a break. In slow memory a tensor has at most one.
struct Stay {
  std::uint32_t tensor = 0;
  bool fast = false;
  std::uint32_t first_use = 0;  ///< in fast memory: the uses it serves, both included
  std::uint32_t last_use = 0;
  LifeSpan span = {};
};

/// One move of a tensor: chunks beside kernels, and what they do not carry at once.
struct TensorMove {
  std::uint32_t tensor = 0;
  std::uint32_t gap = 0;
  bool to_fast = false;
  std::vector<MoveChunk> chunks;  ///< by kernel
  std::uint64_t rest_bytes = 0;   ///< what the step waits for
  std::uint64_t rest_time = 0;    ///< write_time or read_time of a kernel
};

struct Residence {
  std::vector<Stay> stays;
  std::vector<TensorMove> moves;
};

/// Of a placement that validate() accepts.
Residence residence_of(const Problem& problem, const Placement& placement);

/// Of the stays in one of the two memories, in order, for pack(). Where `index` is given, it takes
/// each item's place in `stays`.
std::vector<PackItem> items_of(const Problem& problem, std::span<const Stay> stays, bool fast,
                               std::vector<std::uint32_t>* index = nullptr);

}  // namespace mete
