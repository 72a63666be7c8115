// Target: where a verb works and what it runs, on this machine or on a board, behind the same
// types.
//
// Options shared by read, list, run, sweep and tune: --board NAME|FILE.csv, --gpus N,
// --board-option k=v,.., --seed N. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/cli/command.h"
#include "mete/measure/workload.h"
#include "mete/provider/builtin.h"
#include "mete/signal/platform.h"

namespace mete {

class OptionSet;
class RegionListener;

struct TargetOptions {
  std::string board;  ///< "" for this machine
  int gpus = 1;
  std::string board_options;  ///< "k=v,k=v"
  std::uint64_t seed = 1;
  std::string estimate;  ///< a load model, as parse_load_model takes it; "" for none
  /// Not typed: the verb runs a program here, whose region marks and epochs are to be heard.
  bool listens = false;
};

/// Adds the shared options to a verb.
void add_target_options(OptionSet& app, TargetOptions& options);

/// This machine's providers, as a verb sees them.
ProviderContext provider_context(const Context& context);

/// A platform with its clock, and the means to make workloads for it. On a board each Target is a
/// fresh machine at virtual time 0.
class Target {
 public:
  virtual ~Target() = default;
  virtual Platform& platform() = 0;
  virtual Clock& clock() = 0;
  [[nodiscard]] virtual bool replayed() const = 0;
  /// Where ControlGuard keeps its state files; "" on a board, whose settings end with the process.
  [[nodiscard]] virtual std::string state_directory() const = 0;
  /// `words` is a command with its arguments, or (board) a kernel name or a program file.
  virtual Result<std::unique_ptr<Workload>> make_workload(
      const std::vector<std::string>& words) = 0;
  /// What hears the marks of the workload's program; null if nothing does. Owned by the target.
  [[nodiscard]] virtual RegionListener* regions() { return nullptr; }
  /// One line for reports: "board v100 (replayed), 1 GPU", or the host.
  [[nodiscard]] virtual std::string describe() const = 0;
};

/// `run_index` varies the board's run-to-run variation and noise from the same seed; it does
/// nothing on hardware. On hardware, controls that a dead owner left are given back first;
/// `notices` gets a line about it.
Result<std::unique_ptr<Target>> make_target(const TargetOptions& options, const Context& context,
                                            std::uint64_t run_index,
                                            std::vector<std::string>& notices);

}  // namespace mete
