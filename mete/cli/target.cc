// This machine, or a board, behind one type.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/target.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/options.h"
#include "mete/measure/board_workload.h"
#include "mete/measure/child_workload.h"
#include "mete/measure/region_listener.h"
#include "mete/provider/board/board_provider.h"
#include "mete/provider/board/machine.h"
#include "mete/provider/board/program.h"
#include "mete/provider/estimate/estimate_provider.h"
#include "mete/provider/time/time_provider.h"
#include "mete/signal/control_guard.h"

namespace mete {
namespace {

class HostTarget final : public Target {
 public:
  /// The platform's EPOCH_COUNT reads from `regions`, which may be null.
  HostTarget(const Context& context, std::unique_ptr<RegionListener> regions, Platform platform)
      : context_(context), regions_(std::move(regions)), platform_(std::move(platform)) {}
  HostTarget(const HostTarget&) = delete;
  HostTarget& operator=(const HostTarget&) = delete;
  ~HostTarget() override {
    if (!told_) return;
    for (const auto& [name, value] : regions_->environment()) {
      ::unsetenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    }
  }

  Platform& platform() override { return platform_; }
  Clock& clock() override { return context_.clock; }
  bool replayed() const override { return false; }
  std::string state_directory() const override { return context_.state_directory; }
  std::string describe() const override { return context_.node; }
  Result<std::unique_ptr<Workload>> make_workload(const std::vector<std::string>& words) override {
    if (words.empty()) {
      return fail(Errc::invalid, "no command given; put it after --, as in `-- ./app --size 4096`");
    }
    tell_program();
    return std::unique_ptr<Workload>(
        std::make_unique<ChildWorkload>(words, context_.clock, context_.interrupt));
  }

  RegionListener* regions() override { return regions_.get(); }

 private:
  /// Before any thread of ours; the child inherits it.
  void tell_program() {
    if (!regions_) return;
    told_ = true;
    for (const auto& [name, value] : regions_->environment()) {
      ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    }
  }

  Context context_;
  std::unique_ptr<RegionListener> regions_;
  Platform platform_;
  bool told_ = false;
};

class BoardTarget final : public Target {
 public:
  /// `machine` takes its time from `clock`, which is why both are held here.
  BoardTarget(std::unique_ptr<VirtualClock> clock, std::unique_ptr<Machine> machine)
      : clock_(std::move(clock)),
        machine_(std::move(machine)),
        platform_(make_providers(*clock_, *machine_)) {}

  Platform& platform() override { return platform_; }
  Clock& clock() override { return *clock_; }
  bool replayed() const override { return true; }
  std::string state_directory() const override { return ""; }
  std::string describe() const override {
    const int n = machine_->gpu_count();
    return fmt::format("board {} (replayed), {} GPU{}", machine_->board().name, n,
                       n == 1 ? "" : "s");
  }
  Result<std::unique_ptr<Workload>> make_workload(const std::vector<std::string>& words) override {
    if (words.size() != 1) {
      return fail(
          Errc::invalid,
          "a board runs one program: a kernel's name or a program file after --, got {} words; "
          "`mete list kernels --board {}` shows the kernels",
          words.size(), machine_->board().name);
    }
    METE_TRY(Program program, load_program(words.front(), machine_->board()));
    return std::unique_ptr<Workload>(
        std::make_unique<BoardWorkload>(*machine_, std::move(program)));
  }

 private:
  static std::vector<std::unique_ptr<Provider>> make_providers(const Clock& clock,
                                                               Machine& machine) {
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_time_provider(clock, clock.now()));
    providers.push_back(make_board_provider(machine));
    return providers;
  }

  std::unique_ptr<VirtualClock> clock_;
  std::unique_ptr<Machine> machine_;
  Platform platform_;
};

Result<std::unique_ptr<Target>> make_board_target(const TargetOptions& options,
                                                  const Context& context, std::uint64_t run_index) {
  METE_TRY(Board board, load_board(options.board));
  METE_TRY(const MachineOptions machine_options, parse_machine_options(options.board_options));
  auto clock = std::make_unique<VirtualClock>(context.clock.wall_seconds());
  const std::uint64_t seed = Rng(options.seed).fork(run_index).next();
  METE_TRY(auto machine,
           Machine::make(std::move(board), machine_options, options.gpus, *clock, seed));
  return std::unique_ptr<Target>(
      std::make_unique<BoardTarget>(std::move(clock), std::move(machine)));
}

}  // namespace

ProviderContext provider_context(const Context& context) {
  return {.clock = context.clock,
          .root = context.sys,
          .nvml_library = context.nvml_library,
          .dcgm_library = context.dcgm_library,
          .notice = [](std::string_view line) { say(fmt::format("mete: {}", line)); }};
}

void add_target_options(OptionSet& app, TargetOptions& options) {
  app.add_option(
      "--board", options.board,
      "Replay a board in virtual time instead of this machine: v100, jetson-agx, or a CSV file");
  app.add_option("--gpus", options.gpus, "With --board: how many GPUs the node has")
      ->range(1, Machine::kMaxGpus)
      ->capture_default_str();
  app.add_option("--board-option", options.board_options,
                 "With --board: k=v,k=v of " + describe_machine_options());
  app.add_option("--seed", options.seed,
                 "Seed of all that is random; the same seed gives the same answer")
      ->capture_default_str();
}

Result<std::unique_ptr<Target>> make_target(const TargetOptions& options, const Context& context,
                                            std::uint64_t run_index,
                                            std::vector<std::string>& notices) {
  if (!options.board.empty() && !options.estimate.empty()) {
    return fail(Errc::invalid, "--estimate is for this machine; a board tells its energy");
  }
  if (!options.board.empty()) return make_board_target(options, context, run_index);
  if (options.gpus != 1 || !options.board_options.empty()) {
    return fail(Errc::invalid,
                "--gpus and --board-option need --board: this machine has what it has");
  }
  ProviderContext with = provider_context(context);
  std::unique_ptr<RegionListener> regions;
  if (options.listens) {
    // A machine without room for it still runs programs; their marks go unheard.
    if (auto made = RegionListener::create()) regions = std::move(*made);
    if (regions) with.counts = regions.get();
  }
  auto providers = builtin_providers(with);
  if (!options.estimate.empty()) {
    METE_TRY(const LoadModel model, parse_load_model(options.estimate, context.sys));
    providers.push_back(make_estimate_provider(context.sys, context.clock, model));
  }
  Platform platform(std::move(providers));
  const auto restored = restore_abandoned(platform, context.state_directory);
  if (restored.restored > 0) {
    notices.push_back(
        fmt::format("gave back {} control setting{} that a mete which was killed had left",
                    restored.restored, restored.restored == 1 ? "" : "s"));
  }
  for (const auto& problem : restored.problems) notices.push_back(problem);
  return std::unique_ptr<Target>(
      std::make_unique<HostTarget>(context, std::move(regions), std::move(platform)));
}

}  // namespace mete
