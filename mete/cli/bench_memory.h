// mete bench memory: models × optimizers × ratios, fitted and run, kept one file a run.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/cli/memory_setup.h"

namespace mete {

class OptionSet;

struct MemoryBenchOptions {
  std::vector<std::string> models = {"vgg19", "resnet50", "densenet264"};
  std::vector<std::string> optimizers = {"numa", "static", "synchronous"};
  std::vector<std::string> ratios = {"1:0", "8:1", "4:1", "1:1", "0:1"};
  std::int64_t batch = 4;
  std::string slow = "throttled";
  std::string store = "mete.profile.db";
  int steps = 7;
  // Those of the verb:
  int threads = 0;
  std::uint64_t seed = 1;
  std::string out;
  bool json = false;
};
/// Under the heading "bench memory".
void add_memory_bench_options(OptionSet& app, MemoryBenchOptions& options);

/// Runs whatever of the grid is not in the folder yet, then writes results.json, results.csv and
/// the page results.html from all that is.
Result<ExitCode> bench_memory(const MemoryBenchOptions& options, const Context& context);

}  // namespace mete
