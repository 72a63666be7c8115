// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/machine.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mete {
namespace {

constexpr std::size_t kMaxClocks = 100'000;
/// Streams of random numbers that must not meet: one per GPU for its sensor, one per run and GPU
/// for its factors.
constexpr std::uint64_t kSensorStream = 1;
constexpr std::uint64_t kRunStream = 2;

Result<std::vector<double>> settable_clocks(const Board& board, double step) {
  if (step <= 0) return board.clocks;
  const double low = board.clocks.front();
  const double high = board.clocks.back();
  if ((high - low) / step > static_cast<double>(kMaxClocks)) {
    return fail(Errc::invalid,
                "board option clock_step={}: makes more than {} clocks; use a larger step", step,
                kMaxClocks);
  }
  std::vector<double> clocks;
  for (std::size_t i = 0; low + static_cast<double>(i) * step < high; ++i) {
    clocks.push_back(low + static_cast<double>(i) * step);
  }
  clocks.push_back(high);
  return clocks;
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::make(Board board, MachineOptions options, int gpus,
                                               VirtualClock& clock, std::uint64_t seed) {
  if (gpus < 1 || gpus > kMaxGpus) {
    return fail(Errc::invalid, "{} GPUs: a board's node has 1 to {}", gpus, kMaxGpus);
  }
  METE_TRY(auto clocks, settable_clocks(board, options.clock_step));
  std::unique_ptr<Machine> machine(new Machine(std::move(board), options, clock, seed));
  machine->clocks_ = std::move(clocks);
  const Range all{machine->board_.clocks.front(), machine->board_.clocks.back()};
  machine->ranges_.assign(static_cast<std::size_t>(gpus), all);
  const Rng sensors = Rng(seed).fork(kSensorStream);
  for (int g = 0; g < gpus; ++g) {
    machine->gpus_.emplace_back(machine->board_, machine->options_, machine->idle_watts_,
                                sensors.fork(static_cast<std::uint64_t>(g)), clock.now());
  }
  return machine;
}

Machine::Machine(Board board, MachineOptions options, VirtualClock& clock, std::uint64_t seed)
    : board_(std::move(board)),
      options_(options),
      clock_(clock),
      seed_(seed),
      idle_watts_(options_.idle_power.value_or(board_.lowest_watts())) {}

void Machine::start(Program program) {
  stop();
  program_ = std::move(program);
  Rng draw = Rng(seed_).fork(kRunStream).fork(runs_++);
  for (auto& gpu : gpus_) {
    // exp keeps a factor above 0 whatever the spread.
    const double time_factor = std::exp(options_.time_variation * draw.normal());
    const double power_factor = std::exp(options_.power_variation * draw.normal());
    if (!program_.phases.empty()) gpu.start(program_, time_factor, power_factor);
  }
}

void Machine::stop() noexcept {
  sync();
  for (auto& gpu : gpus_) gpu.stop();
}

bool Machine::finished() noexcept {
  sync();
  return std::all_of(gpus_.begin(), gpus_.end(), [](const Gpu& gpu) { return gpu.finished(); });
}

Nanoseconds Machine::next_stop(Nanoseconds deadline) noexcept {
  sync();
  Nanoseconds last = clock_.now();
  for (const auto& gpu : gpus_) {
    if (gpu.finished()) continue;
    Gpu ahead = gpu;
    ahead.advance(deadline);
    if (!ahead.finished()) return deadline;
    last = std::max(last, ahead.finish_time());
  }
  return std::min(last, deadline);
}

void Machine::set_range(int gpu, Range range) noexcept {
  sync();
  ranges_[static_cast<std::size_t>(gpu)] = range;
  gpus_[static_cast<std::size_t>(gpu)].request_clock(range.max);
}

const Gpu& Machine::gpu(int index) noexcept {
  sync();
  return gpus_[static_cast<std::size_t>(index)];
}

void Machine::sync() noexcept {
  const Nanoseconds now = clock_.now();
  for (auto& gpu : gpus_) gpu.advance(now);
}

}  // namespace mete
