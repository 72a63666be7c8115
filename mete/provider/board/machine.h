// Machine: a node of N GPUs of one board, running programs in virtual time.
//
// The machine follows its clock: whoever moves the clock need not tell it; every reading first
// brings it up to the present. One thread. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/provider/board/board.h"
#include "mete/provider/board/gpu.h"
#include "mete/provider/board/machine_options.h"
#include "mete/provider/board/program.h"

namespace mete {

class Machine {
 public:
  static constexpr int kMaxGpus = 1024;

  /// The clock must outlive the machine. The same seed gives the same runs. Refuses gpus
  /// outside 1..kMaxGpus and a clock_step that makes more than 100,000 clocks.
  static Result<std::unique_ptr<Machine>> make(Board board, MachineOptions options, int gpus,
                                               VirtualClock& clock, std::uint64_t seed);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] const Board& board() const noexcept { return board_; }
  [[nodiscard]] const MachineOptions& options() const noexcept { return options_; }
  [[nodiscard]] VirtualClock& clock() const noexcept { return clock_; }
  [[nodiscard]] int gpu_count() const noexcept { return static_cast<int>(gpus_.size()); }
  /// Power while no kernel runs, W: the option's, or the lowest of the board's table.
  [[nodiscard]] double idle_watts() const noexcept { return idle_watts_; }
  /// The clocks that can be set, Hz, ascending.
  [[nodiscard]] const std::vector<double>& clocks() const noexcept { return clocks_; }

  /// Starts the program on every GPU now, ending what ran there. Its kernels must be this board's.
  /// Each start draws its own run-to-run factors.
  void start(Program program);
  /// Ends it on every GPU now.
  void stop() noexcept;
  /// True when no GPU runs a program at the present time.
  bool finished() noexcept;
  /// The first moment at which all GPUs have finished, if it lies at or before `deadline`, else
  /// `deadline`. Controls written before then change the answer.
  Nanoseconds next_stop(Nanoseconds deadline) noexcept;

  /// The clock range of one GPU, Hz. The GPU runs at its upper end, with or without a kernel, as
  /// devices do that are held in their performance state; where the lower end lies above the upper,
  /// the upper is obeyed.
  struct Range {
    double min = 0;
    double max = 0;
  };
  [[nodiscard]] Range range(int gpu) const noexcept {
    return ranges_[static_cast<std::size_t>(gpu)];
  }
  void set_range(int gpu, Range range) noexcept;

  /// The GPU at the present time.
  const Gpu& gpu(int index) noexcept;
  /// The GPU at the time of the last sync().
  [[nodiscard]] const Gpu& gpu_as_synced(int index) const noexcept {
    return gpus_[static_cast<std::size_t>(index)];
  }
  /// Brings all GPUs up to the present time. Allocates nothing.
  void sync() noexcept;

 private:
  Machine(Board board, MachineOptions options, VirtualClock& clock, std::uint64_t seed);

  Board board_;
  MachineOptions options_;
  VirtualClock& clock_;
  std::uint64_t seed_;
  std::uint64_t runs_ = 0;
  double idle_watts_;
  std::vector<double> clocks_;
  Program program_;
  std::vector<Gpu> gpus_;
  std::vector<Range> ranges_;
};

}  // namespace mete
