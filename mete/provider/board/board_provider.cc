// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/board_provider.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/text.h"
#include "mete/provider/board/board_signals.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

ControlInfo control_row(std::string_view name, std::string_view description) {
  return {std::string(name), std::string(description), "Hz", Domain::gpu, Aggregation::expect_same};
}

/// Fills `rows` with the table's row of each of the info's signals.
ProviderInfo describe_machine(const Machine& machine, std::vector<const BoardSignal*>& rows) {
  const Board& board = machine.board();
  ProviderInfo info;
  info.name = "board";
  info.description = fmt::format("{} GPU(s) of the measured board {}, replayed in virtual time",
                                 machine.gpu_count(), board.name);
  for (const auto& row : board_signals()) {
    if (row.value == BoardValue::activity && !board.has_activity[row.activity]) {
      info.absences.push_back(
          {std::string(row.name),
           fmt::format("the table of board {} has no column {}", board.name,
                       kActivityColumns[row.activity]),
           "choose a board that has it, or add the column to your board's file"});
      continue;
    }
    rows.push_back(&row);
    info.signals.push_back({std::string(row.name), std::string(row.description),
                            std::string(row.unit), Domain::gpu, row.aggregation, row.behavior,
                            Source::replayed, Format::number});
  }
  info.absences.push_back({"GPU_TEMPERATURE",
                           fmt::format("the table of board {} has no temperatures", board.name),
                           "read it on the hardware itself"});
  info.controls = {control_row(kMinClockControl, "lower end of the core clock range"),
                   control_row(kMaxClockControl,
                               "upper end of the core clock range: the clock the GPU runs at")};
  return info;
}

class BoardControls final : public Controls {
 public:
  BoardControls(Machine& machine, const ProviderInfo& info) : machine_(machine), info_(info) {}

  Result<ControlLimits> limits(const Request& request) const override {
    METE_TRY_VOID(is_max(request));
    const auto& clocks = machine_.clocks();
    return ControlLimits{clocks.front(), clocks.back(), clocks};
  }

  Result<int> push(const Request& request) override {
    METE_TRY(const bool max, is_max(request));
    pushed_.push_back({request.index, max});
    return static_cast<int>(pushed_.size()) - 1;
  }

  Result<void> write_batch(std::span<const double> values) override {
    for (std::size_t i = 0; i < std::min(values.size(), pushed_.size()); ++i) {
      if (!std::isnan(values[i])) set(pushed_[i].gpu, pushed_[i].max, values[i]);
    }
    return {};
  }

  Result<std::string> save(const Request& request) const override {
    METE_TRY(const bool max, is_max(request));
    const auto range = machine_.range(request.index);
    return fmt::format("{}", max ? range.max : range.min);
  }

  Result<void> restore(const Request& request, const std::string& saved) override {
    METE_TRY(const bool max, is_max(request));
    const auto value = parse_double(trim(saved));
    const auto& clocks = machine_.clocks();
    if (!value || !(*value >= clocks.front() && *value <= clocks.back())) {
      return fail(Errc::invalid,
                  "{}: cannot restore '{}': expected a clock of this board, {} to {} Hz",
                  request.name, saved, clocks.front(), clocks.back());
    }
    set(request.index, max, *value);
    return {};
  }

 private:
  struct Pushed {
    int gpu;
    bool max;
  };

  /// Which end of the range the request means.
  Result<bool> is_max(const Request& request) const {
    METE_TRY_VOID(find_control(info_, request, machine_.gpu_count()));
    return request.name == kMaxClockControl;
  }

  void set(int gpu, bool max, double hertz) {
    auto range = machine_.range(gpu);
    (max ? range.max : range.min) = hertz;
    machine_.set_range(gpu, range);
  }

  Machine& machine_;
  const ProviderInfo& info_;
  std::vector<Pushed> pushed_;
};

class BoardProvider final : public Provider {
 public:
  explicit BoardProvider(Machine& machine)
      : machine_(machine),
        info_(describe_machine(machine, rows_)),
        controls_(machine, info_),
        windows_(static_cast<std::size_t>(machine.gpu_count())),
        window_start_(machine.clock().now()) {
    for (int g = 0; g < machine.gpu_count(); ++g)
      windows_[static_cast<std::size_t>(g)].before = machine.gpu(g).totals();
    const auto& clocks = machine.clocks();
    clock_step_ = (clocks.back() - clocks.front()) / static_cast<double>(clocks.size() - 1);
  }

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& topology) const override {
    topology.set_count(Domain::gpu, machine_.gpu_count());
  }
  Controls* controls() override { return &controls_; }

  Result<int> push_signal(const Request& request) override {
    for (const auto& absence : info_.absences) {
      if (absence.what == request.name) {
        return fail(Errc::unavailable, "{}: {}", request.name, absence.why);
      }
    }
    METE_TRY(const std::size_t row, find_signal(info_, request, machine_.gpu_count()));
    pushed_.push_back(
        {rows_[row]->value, rows_[row]->activity, static_cast<std::size_t>(request.index)});
    return static_cast<int>(pushed_.size()) - 1;
  }

  void read_batch(std::span<Reading> out) noexcept override {
    machine_.sync();
    close_windows();
    for (std::size_t i = 0; i < std::min(out.size(), pushed_.size()); ++i)
      out[i] = Reading{value(pushed_[i]), {}};
  }

 private:
  struct Pushed {
    BoardValue value;
    std::size_t activity;
    std::size_t gpu;
  };
  /// What one GPU did since the read before.
  struct Window {
    GpuTotals before;
    double utilization = 0;
    std::array<double, kActivityCount> activities{};
  };

  void close_windows() noexcept {
    const Nanoseconds now = machine_.clock().now();
    if (now <= window_start_) return;
    const double seconds = to_seconds(now - window_start_);
    for (std::size_t g = 0; g < windows_.size(); ++g) {
      const GpuTotals& totals = machine_.gpu_as_synced(static_cast<int>(g)).totals();
      Window& window = windows_[g];
      // A sum of many parts may exceed the whole by its rounding.
      const auto share = [seconds](double after, double before) {
        return std::clamp((after - before) / seconds, 0.0, 1.0);
      };
      window.utilization = share(totals.busy_seconds, window.before.busy_seconds);
      for (std::size_t a = 0; a < kActivityCount; ++a) {
        window.activities[a] = share(totals.activity_seconds[a], window.before.activity_seconds[a]);
      }
      window.before = totals;
    }
    window_start_ = now;
  }

  double value(const Pushed& pushed) const noexcept {
    const int index = static_cast<int>(pushed.gpu);
    const Gpu& gpu = machine_.gpu_as_synced(index);
    switch (pushed.value) {
      case BoardValue::clock:
        return gpu.clock_hertz();
      case BoardValue::power:
        return gpu.sensor_watts();
      case BoardValue::energy:
        return gpu.totals().joules;
      case BoardValue::utilization:
        return windows_[pushed.gpu].utilization;
      case BoardValue::activity:
        return windows_[pushed.gpu].activities[pushed.activity];
      case BoardValue::lowest_clock:
        return machine_.clocks().front();
      case BoardValue::highest_clock:
        return machine_.clocks().back();
      case BoardValue::clock_step:
        return clock_step_;
      case BoardValue::min_control:
        return machine_.range(index).min;
      case BoardValue::max_control:
        return machine_.range(index).max;
      case BoardValue::kernels:
        return gpu.totals().kernels;
    }
    return 0;
  }

  Machine& machine_;
  std::vector<const BoardSignal*> rows_;  ///< beside info_.signals
  ProviderInfo info_;
  BoardControls controls_;
  std::vector<Pushed> pushed_;
  std::vector<Window> windows_;
  Nanoseconds window_start_;
  double clock_step_ = 0;
};

}  // namespace

std::unique_ptr<Provider> make_board_provider(Machine& machine) {
  return std::make_unique<BoardProvider>(machine);
}

}  // namespace mete
