// Matrix multiplies that a board measured, replayed in virtual time, for a GemmBench.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/base/clock.h"
#include "mete/provider/board/machine.h"
#include "mete/study/efficiency/gemm_bench.h"

namespace mete {

/// The board's kernels named gemm-TYPE-SIZE. The machine and its clock must outlive it.
class BoardBench final : public BenchDevice {
 public:
  explicit BoardBench(Machine& machine) : machine_(machine) {}
  Result<void> check(const GemmPoint& point) override;
  /// Virtual seconds pass, so a run is as long as the Jetson study's: 30 s, a sample a second.
  Result<GemmRun> measure(const GemmPoint& point, const BenchPlan& plan,
                          std::uint64_t seed) override;

 private:
  Machine& machine_;
};

/// The grid that a board has: its types and sizes at every clock that can be set.
std::vector<GemmPoint> board_gemm_points(const Board& board, const std::vector<double>& clocks);

}  // namespace mete
