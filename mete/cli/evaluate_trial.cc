// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/evaluate_trial.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mete/base/text.h"
#include "mete/provider/board/board_provider.h"
#include "mete/provider/board/machine.h"
#include "mete/provider/board/program.h"
#include "mete/provider/time/time_provider.h"
#include "mete/signal/control_guard.h"

namespace mete {
namespace {

/// A trial's kernel must outlast it; virtual time costs nothing.
constexpr double kLongerThanAnyTrial = 1e6;
/// A program that an agent slows down without end is given up, s.
constexpr double kProgramPatience = 20;

/// A provider without some of its signals, so that no agent can see them.
class Without final : public Provider {
 public:
  Without(std::unique_ptr<Provider> provider, const std::vector<std::string>& hidden)
      : provider_(std::move(provider)), info_(provider_->info()) {
    std::erase_if(info_.signals, [&](const SignalInfo& signal) {
      return std::find(hidden.begin(), hidden.end(), signal.name) != hidden.end();
    });
  }
  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& topology) const override { provider_->describe(topology); }
  Result<int> push_signal(const Request& request) override {
    const auto known = [&](const SignalInfo& signal) { return signal.name == request.name; };
    if (std::none_of(info_.signals.begin(), info_.signals.end(), known)) {
      return fail(Errc::unavailable, "{}: not shown in this evaluation", request.name);
    }
    return provider_->push_signal(request);
  }
  void read_batch(std::span<Reading> out) noexcept override { provider_->read_batch(out); }
  Controls* controls() override { return provider_->controls(); }

 private:
  std::unique_ptr<Provider> provider_;
  ProviderInfo info_;
};

/// One GPU of the board with its platform, and an agent plugged in.
class Stage {
 public:
  static Result<std::unique_ptr<Stage>> make(const Board& board, const ControllerMaker& make,
                                             const TrialOptions& options) {
    std::unique_ptr<Stage> stage(new Stage);
    METE_TRY(stage->machine_,
             Machine::make(board, options.machine, 1, stage->clock_, options.seed));
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_time_provider(stage->clock_, stage->clock_.now()));
    providers.push_back(
        std::make_unique<Without>(make_board_provider(*stage->machine_), options.hidden));
    stage->platform_ = std::make_unique<Platform>(std::move(providers));
    stage->guard_ = std::make_unique<ControlGuard>(*stage->platform_, "");
    METE_TRY(stage->controller_, make());
    METE_TRY_VOID(stage->controller_->begin(*stage->platform_, *stage->guard_));
    return stage;
  }

  /// As a session does it: one look before the program starts.
  Result<void> start(Program program) {
    METE_TRY_VOID(act());
    machine_->start(std::move(program));
    before_ = machine_->gpu(0).totals();
    return {};
  }
  /// Lets a period pass (or less, to the program's end) and the agent act.
  Result<void> step() {
    const Nanoseconds deadline = begin_ + ++steps_ * from_seconds(kTrialPeriod);
    clock_.advance_to(machine_->next_stop(deadline));
    if (machine_->finished()) return {};
    clock_.advance_to(deadline);
    return act();
  }
  [[nodiscard]] bool finished() { return machine_->finished(); }
  [[nodiscard]] double clock() const { return machine_->range(0).max; }
  [[nodiscard]] Spent spent() {
    const GpuTotals& now = machine_->gpu(0).totals();
    return {to_seconds(clock_.now() - begin_), now.joules - before_.joules,
            now.kernels - before_.kernels};
  }
  [[nodiscard]] const Controller& controller() const { return *controller_; }
  [[nodiscard]] const Board& board() const { return machine_->board(); }

 private:
  Stage() = default;
  Result<void> act() {
    platform_->read_batch();
    controller_->step(*platform_, to_seconds(clock_.now() - begin_));
    if (auto fault = controller_->fault()) return std::move(*fault);
    return platform_->write_batch();
  }

  VirtualClock clock_;
  Nanoseconds begin_{0};
  std::int64_t steps_ = 0;
  GpuTotals before_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<ControlGuard> guard_;
  std::unique_ptr<Controller> controller_;
};

Program endless(const Board& board, std::size_t kernel) {
  Phase phase;
  phase.kind = Phase::Kind::kernel;
  phase.kernel = kernel;
  phase.seconds = kLongerThanAnyTrial;
  phase.count = phase.seconds / board.kernels[kernel].points.back().seconds;
  return {board.kernels[kernel].name, {phase}};
}

}  // namespace

Result<Trial> run_trial(const Board& board, std::size_t kernel, const ControllerMaker& make,
                        const TrialOptions& options) {
  METE_TRY(const auto stage, Stage::make(board, make, options));
  METE_TRY_VOID(stage->start(endless(board, kernel)));
  Trial trial;
  trial.clock = stage->clock();
  for (std::size_t step = 1; step <= kTrialSteps; ++step) {
    METE_TRY_VOID(stage->step());
    if (stage->clock() == trial.clock) continue;
    trial.clock = stage->clock();
    trial.steps = step;
    trial.probing = stage->spent();
  }
  trial.settled = trial.steps + kStillSteps <= kTrialSteps;
  trial.run = stage->spent();
  trial.report = stage->controller().report_lines();
  if (auto fault = stage->controller().fault()) return std::move(*fault);
  return trial;
}

Result<ProgramRun> run_program(const Board& board, const std::string& program,
                               const ControllerMaker& make, const TrialOptions& options) {
  METE_TRY(Program loaded, load_program(program, board));
  const double patience = kProgramPatience * loaded.seconds_at_top_clock() + 1;
  METE_TRY(const auto stage, Stage::make(board, make, options));
  METE_TRY_VOID(stage->start(std::move(loaded)));
  while (!stage->finished()) {
    METE_TRY_VOID(stage->step());
    if (stage->spent().seconds > patience) {
      return fail(Errc::failed, "{}: not done after {} times its time at the top clock", program,
                  kProgramPatience);
    }
  }
  ProgramRun run;
  run.spent = stage->spent();
  run.requests = static_cast<double>(stage->controller().requests());
  run.report = stage->controller().report_lines();
  return run;
}

}  // namespace mete
