// A placement: for each tensor, whether it lies in fast memory at each use and between uses, and
// which of its moves run beside kernels; its figures; and the judge of all of them.
//
// Moves follow from the placement (docs/formats/placement.md). A tensor that begins in fast memory
// is written to slow memory once, in the first gap over which it is not kept; a use in fast memory
// after a gap over which it was not kept is preceded by a read. A move stops the step for bytes /
// rate, less the part of it that is listed in `chunks`: a chunk travels while a kernel runs, and
// costs time only if it takes longer than the kernel. Each direction has an engine of its own.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/placement/problem.h"

namespace mete {

struct TensorPlacement {
  std::vector<std::uint8_t> in_fast;    ///< 0 or 1, per use
  std::vector<std::uint8_t> kept_fast;  ///< 0 or 1, per gap: one fewer than uses
};

/// A part of a move that travels while kernel `kernel` runs.
struct MoveChunk {
  std::uint32_t tensor = 0;  ///< index
  std::uint32_t gap = 0;     ///< the gap over which it is not kept
  bool to_fast = false;      ///< a read (to fast memory) or the write (to slow memory)
  std::uint32_t kernel = 0;
  std::uint64_t bytes = 0;
};

struct Placement {
  std::vector<TensorPlacement> tensors;
  std::vector<MoveChunk> chunks;
};

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// What a placement costs, as the judge finds it.
struct Verdict {
  double seconds = 0;            ///< the whole step
  double kernel_seconds = 0;     ///< of it: kernels
  double stall_seconds = 0;      ///< of it: waiting for moves
  std::uint64_t peak_bytes = 0;  ///< most fast memory at any kernel
  std::size_t peak_kernel = 0;
  std::uint64_t bytes_to_slow = 0;
  std::uint64_t bytes_to_fast = 0;
  std::size_t moves_to_slow = 0;
  std::size_t moves_to_fast = 0;
};

/// The judge: time and memory computed afresh from the problem, kernel by kernel, by code that no
/// solver uses. `invalid`, naming the tensor or kernel, if the placement breaks a rule or needs
/// more fast memory than `limit_bytes`. The problem must be a checked one.
Result<Verdict> validate(const Problem& problem, const Placement& placement,
                         std::uint64_t limit_bytes = kNoLimit);

/// What a plan says of itself, beside the placement.
struct PlanFigures {
  std::string problem;  ///< its name
  std::string source;   ///< where the problem's times come from
  std::string solver;
  std::uint64_t seed = 0;
  std::uint64_t limit_bytes = 0;
  std::uint64_t peak_bytes = 0;
  double seconds = 0;
  double all_fast_seconds = 0;
  double lower_bound_seconds = 0;  ///< no plan of this kind can be faster
  double gap = 0;                  ///< seconds / lower_bound_seconds - 1
};

struct StoredPlan {
  PlanFigures figures;
  Placement placement;
};

/// `mete.placement/1` as one JSON text.
std::string placement_text(const Problem& problem, const StoredPlan& plan);
/// Reads it back against its problem, and judges it by the limit that it names: what is returned is
/// a legal placement whose seconds and peak are as the file says. Errors start with `where`.
Result<StoredPlan> parse_placement(std::string_view text, const Problem& problem,
                                   const std::string& where);

}  // namespace mete
