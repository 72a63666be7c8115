// A placement problem: the kernels of one step in the order in which they run, the tensors they
// touch, and how long each kernel takes for every choice of fast and slow memory.
//
//   use       the j-th kernel that touches a tensor; use 0 produces it, the last one ends its life
//   gap       between use j and use j+1, when the tensor must lie somewhere but nothing touches it
//   slow mask bit b set: the kernel's tensors[b] lies in slow memory while it runs
//
// A tensor never changes after its first use: one copy in slow memory stays valid. Tensors that
// share memory (in-place operations) are one tensor here. A parameter that lives from step to step
// is a tensor whose first use is a kernel of 0 seconds at the start of the step.
//
// To build one in memory: add_tensor, then add_kernel in the order of execution, then check().
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"

namespace mete {

/// A kernel's time where a placement is impossible (its device cannot reach slow memory).
inline constexpr double kCannotRun = std::numeric_limits<double>::infinity();

struct ProblemTensor {
  std::uint64_t id = 0;  ///< the file's own number
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> uses;  ///< kernels, ascending
  /// It must lie at its last use where it lay at its first: only for relax_returning(), no solver
  /// looks at it, and not in files.
  bool returns = false;
  /// With `returns`: indices into `uses` of those that change it. What comes back to fast memory is
  /// changed there; what was changed in fast memory and comes back to slow is written back.
  std::vector<std::uint32_t> changes = {};
};

struct ProblemKernel {
  std::string op;
  std::vector<std::uint32_t> tensors;  ///< indices into Problem::tensors, each once
  /// 2^n times, by slow mask; kCannotRun where impossible. Empty: the kernel is additive, and takes
  /// fast_seconds plus slow_seconds[b] for each tensors[b] in slow memory.
  std::vector<double> seconds;
  double fast_seconds = 0;
  std::vector<double> slow_seconds;
  /// Fast memory that something else holds while it runs: what packing cannot use, say. Only in
  /// memory, not in files; `all_fast_peak` does not count it. First touch and `autotm` ignore it.
  std::uint64_t reserved_bytes = 0;

  [[nodiscard]] bool additive() const { return seconds.empty(); }
};

struct MoveRates {
  double fast_to_slow = 0;  ///< bytes/s of an explicit move
  double slow_to_fast = 0;
};

struct Problem {
  std::string name;
  std::string source;  ///< where the times come from: shown beside every figure made of them
  MoveRates rates;
  std::vector<ProblemTensor> tensors;
  std::vector<ProblemKernel> kernels;

  /// The new tensor's index; its id is the same.
  std::uint32_t add_tensor(std::uint64_t bytes);
  /// Appends a kernel with a full table of 2^n times; fills the tensors' uses.
  void add_kernel(std::string op, std::vector<std::uint32_t> touched, std::vector<double> seconds);
  /// Appends an additive kernel.
  void add_additive_kernel(std::string op, std::vector<std::uint32_t> touched, double fast_seconds,
                           std::vector<double> slow_seconds);
};

inline constexpr std::size_t kMostTableSlots = 16;  ///< 65,536 times; beyond this: additive
inline constexpr std::size_t kMostProblemTensors = 4'000'000;
inline constexpr std::size_t kMostProblemKernels = 1'000'000;
inline constexpr std::uint64_t kMostTensorBytes = std::uint64_t{1} << 46U;
inline constexpr std::uint64_t kMostProblemBytes = std::uint64_t{1} << 60U;

/// `invalid`, naming the tensor or kernel, unless uses and kernels agree, every number makes sense,
/// and what cannot run is said tensor by tensor: a mask is impossible exactly if it holds a tensor
/// that is impossible in slow memory. Solvers rely on it.
Result<void> check(const Problem& problem);

/// `mete.placement-problem/1` (docs/formats/placement-problem.md), checked. Errors start with
/// `where`.
Result<Problem> parse_problem(std::string_view text, const std::string& where);
/// The same from a file, which may be gzipped.
Result<Problem> read_problem(const std::string& path);
Json to_json(const Problem& problem);

/// Per use of each tensor, in order: true if that kernel cannot run with the tensor in slow memory.
/// For a checked problem.
std::vector<std::vector<bool>> forced_fast(const Problem& problem);

/// The fast memory that all tensors at once need: the most bytes alive at any kernel.
std::uint64_t all_fast_peak(const Problem& problem);
/// The least fast memory with which every kernel can run; 0 where slow memory always does.
struct LeastMemory {
  std::uint64_t bytes = 0;
  std::size_t kernel = 0;  ///< the one that needs it
};
LeastMemory least_memory(const Problem& problem);
/// Seconds with everything in fast memory, and with everything in slow memory.
double all_fast_seconds(const Problem& problem);
double all_slow_seconds(const Problem& problem);

}  // namespace mete
