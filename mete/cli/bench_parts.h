// What the parts of `mete bench` give each other: options, the grid's points, the printed outcome.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/provider/board/machine.h"
#include "mete/study/efficiency/efficiency.h"
#include "mete/study/efficiency/gemm_bench.h"

namespace mete {

struct BenchOptions {
  std::string workload;
  std::string device = "cpu";
  std::string library = "auto";
  std::vector<std::string> types;
  std::vector<std::string> tensor;
  std::vector<std::string> sizes;
  std::vector<std::string> frequencies;
  int trials = 3;
  double seconds = 1;
  int threads = 0;
  std::string power;
  std::uint64_t seed = 1;
  std::string output;
  bool json = false;
};

/// The device as a study names it: "cpu:openblas" where a CPU's library was chosen by hand, so that
/// two libraries' runs are never taken for trials of one another.
std::string device_label(const BenchOptions& options);
/// Who made these runs: "float: oneDNN 2.6.3 sgemm; ..": one entry per type and implementation.
std::vector<std::string> implementations_of(const std::vector<GemmRun>& runs);
/// Refuses a study whose runs of a point were made by another library than it would be now.
Result<void> same_library(const std::vector<GemmRun>& before, const GemmRun& now,
                          const std::string& file);
/// N of "cuda:N" or "cuda" (0).
Result<int> cuda_index(const std::string& device);
/// The grid on this machine's CPU or a GPU, at each of `clocks` (Hz); none: as they are.
Result<std::vector<GemmPoint>> machine_points(const BenchOptions& options,
                                              const std::vector<double>& clocks);
/// The grid on a board: what it measured, as far as the options keep it.
Result<std::vector<GemmPoint>> board_points(const BenchOptions& options, const Machine& machine);

struct BenchSitting {
  std::string device;
  Json environment;
  bool has_power = false;
  bool replayed = false;
};

Json bench_json(const std::vector<EfficiencyRow>& rows, const BenchOutcome& outcome,
                const BenchSitting& sitting, const std::string& output);
/// `runs`: all that `rows` were made of.
void print_bench(const std::vector<EfficiencyRow>& rows, const std::vector<GemmRun>& runs,
                 const BenchOutcome& outcome, const BenchSitting& sitting,
                 const std::string& output);

}  // namespace mete
