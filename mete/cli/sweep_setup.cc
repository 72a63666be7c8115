// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/sweep_setup.h"

#include <algorithm>

#include <fmt/format.h>

#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/run_options.h"
#include "mete/control/controller.h"
#include "mete/dataset/training_kind.h"

namespace mete {
namespace {

class TargetSite final : public PointSite {
 public:
  TargetSite(std::unique_ptr<Target> target, std::unique_ptr<Workload> workload,
             std::unique_ptr<Steering> steering)
      : target_(std::move(target)),
        workload_(std::move(workload)),
        steering_(std::move(steering)) {}
  Platform& platform() override { return target_->platform(); }
  Clock& clock() override { return target_->clock(); }
  Workload& workload() override { return *workload_; }
  Steering* steering() override { return steering_.get(); }
  std::string state_directory() const override { return target_->state_directory(); }
  bool replayed() const override { return target_->replayed(); }

 private:
  std::unique_ptr<Target> target_;
  std::unique_ptr<Workload> workload_;
  std::unique_ptr<Steering> steering_;
};

TargetOptions listening(TargetOptions target) {
  target.listens = true;
  return target;
}

/// The monitor only watches, which a session does without help.
Result<std::unique_ptr<Steering>> steering_for(const std::string& agent, const std::string& policy,
                                               const std::string& model) {
  if (agent == "monitor" && policy.empty()) return std::unique_ptr<Steering>();
  return make_steering(agent, policy, model);
}

Result<std::vector<StudyAxis>> resolve_axes(const SweepOptions& options, const Platform& platform,
                                            std::vector<std::string>& notes) {
  if (options.controls.empty()) {
    return fail(Errc::invalid,
                "nothing to vary: give --control NAME=VALUE,.. or NAME=all; `mete list controls` "
                "shows what can be set here");
  }
  std::vector<StudyAxis> axes;
  for (const std::string& text : options.controls) {
    METE_TRY(const auto parts, split_axis_spec(text));
    auto info = platform.control_info(parts.first);
    if (!info) {
      return Error{Errc::invalid, info.error().within("--control " + parts.first).what};
    }
    METE_TRY(const ControlLimits limits, platform.limits({info->name, info->domain, 0}));
    METE_TRY(StudyAxis axis,
             resolve_axis(*info, limits, parts.second, options.continuous_points, notes));
    if (axis.values.size() == 1) {
      notes.push_back(
          fmt::format("{}: one value only, so nothing can be compared or learned", axis.control));
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

Result<void> check_work(const SweepOptions& options, Target& target) {
  if (options.command.empty()) {
    return fail(Errc::invalid,
                "no command given: put it after --, for instance `-- ./app --size 4096`, or with "
                "--board a kernel or a program file");
  }
  METE_TRY(const auto workload, target.make_workload(options.command));
  METE_TRY(const auto steering, steering_for(options.agent, options.policy, options.model));
  METE_TRY(const auto requests, requests_for(target.platform(), options.signals));
  static_cast<void>(requests);
  return {};
}

/// A sweep of packages' clocks is to be learned from: what a model sees of one package is not among
/// the defaults, which are of the whole board. What this machine lacks, `mete process` tells.
void add_training_signals(const Platform& platform, StudyPlan& plan) {
  const bool packages = std::any_of(plan.axes.begin(), plan.axes.end(), [](const StudyAxis& axis) {
    return axis.control == kPackageTraining.control;
  });
  if (!packages) return;
  for (const auto name : kPackageTraining.features) {
    const auto info = platform.signal_info(name);
    if (!info || !platform.topology().is_nested(info->domain, Domain::package)) continue;
    auto text = fmt::format("{}@{}", name, domain_name(Domain::package));
    if (std::find(plan.signals.begin(), plan.signals.end(), text) == plan.signals.end()) {
      plan.signals.push_back(std::move(text));
    }
  }
}

std::vector<std::string> comma_separated(const std::vector<std::string>& lists) {
  std::vector<std::string> out;
  for (const std::string& list : lists) {
    for (const auto piece : split(list, ',')) {
      if (!trim(piece).empty()) out.emplace_back(trim(piece));
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> choose_energy_signals(const Platform& platform,
                                               const std::vector<StudyAxis>& axes) {
  const bool gpu = platform.has_signal("GPU_ENERGY");
  const bool varies_gpu = std::any_of(axes.begin(), axes.end(), [&](const StudyAxis& axis) {
    const auto info = platform.control_info(axis.control);
    return info && (info->domain == Domain::gpu || info->domain == Domain::gpu_chip);
  });
  if (gpu && varies_gpu) return {"GPU_ENERGY"};
  std::vector<std::string> out;
  for (const char* name : {"CPU_ENERGY", "DRAM_ENERGY"}) {
    if (platform.has_signal(name)) out.emplace_back(name);
  }
  if (out.empty() && gpu) out.emplace_back("GPU_ENERGY");
  return out;
}

Result<StudyPlan> plan_sweep(const SweepOptions& options, const Context& context,
                             std::vector<std::string>& notes) {
  METE_TRY(const auto target, make_target(listening(options.target), context, 0, notes));
  SweepOptions checked = options;
  checked.signals = comma_separated(options.signals);
  METE_TRY_VOID(check_work(checked, *target));
  StudyPlan plan;
  METE_TRY(plan.axes, resolve_axes(options, target->platform(), notes));
  METE_TRY(const Nanoseconds period, parse_period(options.period));
  plan.period = to_seconds(period);
  plan.trials = options.trials;
  plan.seed = options.target.seed;
  plan.reference_every = options.reference_every;
  plan.app = options.app.empty() ? app_name(options.command) : options.app;
  plan.app_config = options.app_config.empty() ? plan.app : options.app_config;
  plan.command = options.command;
  plan.agent = options.agent;
  plan.policy = options.policy;
  plan.model = options.model;
  plan.signals = checked.signals;
  add_training_signals(target->platform(), plan);
  plan.node = context.node;
  plan.target = target->describe();
  plan.target_options = options.target.board_options;
  plan.energy_signals = choose_energy_signals(target->platform(), plan.axes);
  if (plan.energy_signals.empty()) {
    notes.emplace_back(
        "no energy can be measured here, so only time is compared; `mete doctor` says why");
  }
  METE_TRY_VOID(lay_out(plan).map([](const auto&) {}));
  return plan;
}

MakePointSite point_sites(const TargetOptions& target, const Context& context) {
  return [&target, &context](const PointJob& job) -> Result<std::unique_ptr<PointSite>> {
    std::vector<std::string> notices;  // were told when the plan was made
    METE_TRY(auto made, make_target(listening(target), context, job.index, notices));
    METE_TRY(auto workload, made->make_workload(job.command));
    METE_TRY(auto steering, steering_for(job.agent, job.policy, job.model));
    return std::unique_ptr<PointSite>(
        std::make_unique<TargetSite>(std::move(made), std::move(workload), std::move(steering)));
  };
}

Result<SweepDone> run_sweep(const StudyPlan& plan, const SweepOptions& options,
                            const Context& context, const std::string& title) {
  METE_TRY(OpenStudy study,
           open_study(options.out, plan, options.open, context.clock.wall_seconds()));
  for (const std::string& notice : study.notices) say(fmt::format("note: {}", notice));
  if (study.resumed > 0) {
    say(fmt::format("{}: resuming: {} of {} points are finished", options.out, study.resumed,
                    study.manifest.points.size()));
  }
  const std::size_t before = study.resumed;
  const std::size_t left = study.manifest.points.size() - before;
  Progress bar(title, static_cast<double>(left), context.clock);
  LocalEngine engine(point_sites(options.target, context));
  StudyRunner runner(engine, context.clock, context.interrupt);
  METE_TRY(StudyOutcome outcome,
           runner.run(study, options.runner,
                      [&](std::size_t finished, std::size_t total, const std::string& note) {
                        bar.update(static_cast<double>(finished - before),
                                   fmt::format("point {} of {}{}{}", finished, total,
                                               note.empty() ? "" : ": ", note));
                      }));
  bar.finish();
  return SweepDone{std::move(study), std::move(outcome)};
}

Result<void> check_complete(const SweepDone& done) {
  const Manifest& manifest = done.study.manifest;
  const std::string finished =
      fmt::format("{} of {} points are finished and kept in {}", manifest.count(PointStatus::done),
                  manifest.points.size(), done.study.directory);
  if (done.outcome.interrupted) {
    return fail(Errc::failed, "interrupted; {}; the same command resumes", finished);
  }
  if (done.outcome.first_failure) {
    const Error& error = *done.outcome.first_failure;
    return Error{error.code,
                 fmt::format("{}; {}; the same command tries again, --keep-going goes on past "
                             "points that fail",
                             error.what, finished)};
  }
  return {};
}

}  // namespace mete
