// The placement problem as a linear program that is small and nearly integral:
//
//   d_u     in fast memory at use u                 h_u   kept there over the gap after use u
//   w_t     written to slow memory once             z_kc  kernel k runs in configuration c
//
//   h_u ≤ d_u, h_u ≤ d_{u+1};  w_t ≥ d_first - h_u;  Σ_c z_kc = 1;  Σ_{c: slot s fast} z_kc = d_u
//   bytes of used and kept tensors ≤ limit, at every kernel where all tensors together exceed it
//   min Σ time z + read (d_{u+1} - h_u) + write w
//
// The z are the convex hull of the kernel's table: n + 1 rows where a row per configuration would
// need n 2^n, and configurations whose fast tensors exceed the limit are left out, which is what
// makes the bound tight under small limits. Kernels that are additive need no z. Kept bytes are
// summed along the step, so that a gap costs two entries however long it is. For static placements
// all d and h of a tensor are one column. A tensor that returns has d_first = d_last, d_last ≤ d_u
// for each use u that changes it, and pays a write b ≥ d_u - d_last. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mete/base/interrupt.h"
#include "mete/placement/lp.h"
#include "mete/placement/search_state.h"
#include "mete/placement/use_index.h"

namespace mete {

/// What the linear program says.
struct Relaxation {
  double bound_seconds = 0;          ///< proven: no placement of this kind is faster
  std::vector<double> in_fast;       ///< per use, 0..1
  std::vector<double> kept_fast;     ///< per use: the gap after it
  std::vector<double> memory_price;  ///< per kernel: seconds that one more byte there would save
  std::int64_t iterations = 0;       ///< of the simplex method: what the answer cost
};

class CompactLp {
 public:
  /// `largest_limit`: the largest that solve() will be asked for; smaller ones reuse the basis, but
  /// have the configurations of the largest.
  static Result<CompactLp> start(const Problem& problem, const UseIndex& index, MoveKind moves,
                                 std::uint64_t largest_limit, LpRuntime& runtime);
  Result<Relaxation> solve(std::uint64_t limit, const Interrupt& interrupt);

  /// A decision: one whether the tensor is fast at use u, or kept over the gap after it.
  struct Decision {
    std::uint32_t use = 0;
    bool gap = false;
  };
  /// The undecided decisions of a relaxation.
  [[nodiscard]] static std::vector<Decision> open_decisions(const Relaxation& relaxation);
  /// Holds it at 0 or 1 from the next solve() on.
  void decide(Decision decision, bool fast);
  void undecide(Decision decision);

 private:
  friend class CompactLpBuilder;
  CompactLp() = default;

  struct CapacityRow {
    int row = 0;
    std::uint32_t kernel = 0;
    std::uint64_t reserved_bytes = 0;
  };
  LpModel model_;
  std::unique_ptr<LpSession> session_;
  std::vector<int> in_column_;    ///< per use
  std::vector<int> kept_column_;  ///< per use; -1 where there is no gap
  std::vector<CapacityRow> capacity_;
  [[nodiscard]] int column_of(Decision decision) const;
  void set_bounds(Decision decision, double lower, double upper);

  std::size_t kernels_ = 0;
  std::vector<double> first_lower_;  ///< per column, before any decision
  double fixed_seconds_ = 0;
};

}  // namespace mete
