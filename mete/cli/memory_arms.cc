// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/memory_arms.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/graph_arg.h"
#include "mete/cli/target.h"
#include "mete/execute/step_problem.h"
#include "mete/placement/solver.h"

namespace mete {

Result<std::vector<ArmOutcome>> run_arms(const std::vector<MemoryArm>& arms,
                                         const PlannedGraph& planned, const MemorySetup& setup,
                                         int steps, std::uint64_t seed, const Context& context) {
  METE_TRY(const auto kernels,
           NodeKernels::make(planned.graph, planned.layouts, setup.libraries.list, setup.threads));
  const ExecutorSetup in{planned.graph, planned.liveness, planned.layouts,
                         kernels,       *setup.fast,      *setup.slow,
                         setup.threads, context.clock,    context.interrupt};
  std::vector<Executor> executors;
  std::vector<ArmOutcome> out;
  for (const auto& arm : arms) {
    auto executor = Executor::make(arm.plan, in);
    if (!executor) return executor.error().within(arm.name);
    executor->fill(seed);
    executors.push_back(std::move(*executor));
    out.push_back({.name = arm.name, .seconds = {}, .step_seconds = {}});
  }
  std::vector<std::vector<std::vector<double>>> of_step(arms.size());
  const auto rounds = static_cast<std::size_t>(steps) + 1;
  Progress bar("run", static_cast<double>(rounds * arms.size()), context.clock);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < arms.size(); ++turn) {
      const std::size_t a = (turn + round) % arms.size();
      bar.update(static_cast<double>(round * arms.size() + turn), arms[a].name);
      auto times = executors[a].step();
      if (!times) return times.error().within(arms[a].name);
      if (round == 0) continue;  // to warm up
      out[a].seconds.push_back(times->seconds);
      of_step[a].resize(times->of_step.size());
      for (std::size_t s = 0; s < times->of_step.size(); ++s) {
        of_step[a][s].push_back(times->of_step[s]);
      }
    }
  }
  bar.finish();
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const auto& seconds : of_step[a]) out[a].step_seconds.push_back(median_of(seconds));
    out[a].digest = executors[a].digest();
    out[a].loss = executors[a].loss();
  }
  return out;
}

namespace {

// Used by others, as a share of all CPUs: more of it shows in the times.
constexpr double kQuiet = 0.1;

/// Said before anything is measured: the times would be believed.
void note_if_busy(const Context& context) {
  const double used = cpus_in_use(context.sys, context.clock);
  if (used <= kQuiet) return;
  say(fmt::format(
      "note: other programs use {} of this machine's CPUs: times will be too long; measure "
      "when it is quiet, into another store",
      format_percent(used, 0)));
}

}  // namespace

Result<GraphProfile> profile_with_progress(const PlannedGraph& planned, const MemorySetup& setup,
                                           const MemoryOptions& options, int repeats,
                                           std::uint64_t seed, ProfileStore& store,
                                           const Context& context) {
  Platform platform(builtin_providers(provider_context(context)));
  std::unique_ptr<Progress> bar;
  ProfileRequest request = request_of(setup);
  request.repeats = static_cast<std::size_t>(repeats);
  request.seed = seed;
  request.clock = &context.clock;
  request.interrupt = &context.interrupt;
  request.any_machine = options.any_machine;
  request.joules = joule_counter(platform);
  request.progress = [&](double done, double total, const std::string& note) {
    if (!bar) note_if_busy(context);
    if (!bar) bar = std::make_unique<Progress>("profile", total, context.clock);
    bar->update(done, note);
  };
  return profile_graph(planned.graph, planned.liveness, planned.layouts, request, store);
}

Result<ProfiledStep> profile_step(const std::string& graph, const MemoryOptions& options,
                                  int repeats, std::uint64_t seed, const Context& context) {
  METE_TRY(auto step, load_training_step(graph, options.batch));
  METE_TRY(auto store, ProfileStore::open(options.store, ProfileStore::Mode::create));
  std::vector<std::string> notices;
  METE_TRY(auto setup, open_memory(options, store, context, notices));
  for (const auto& notice : notices) say(fmt::format("note: {}", notice));
  auto planned = plan_memory(std::move(step), setup.libraries.list);
  METE_TRY(auto profile,
           profile_with_progress(planned, setup, options, repeats, seed, store, context));
  METE_TRY(auto still, problem_of(planned.graph, planned.liveness, profile,
                                  homes_of(planned.graph, planned.liveness, Home::still)));
  return ProfiledStep{std::move(planned), std::move(setup), std::move(profile),
                      std::move(still.problem)};
}

Result<std::uint64_t> parse_fast_memory(const std::string& size) {
  const auto bytes = parse_quantity(size, "B");
  if (!bytes || !(*bytes >= 0) || *bytes > static_cast<double>(kMostProblemBytes)) {
    return fail(Errc::invalid, "--fast-memory {}: expected a size, as in 512MiB", size);
  }
  return static_cast<std::uint64_t>(*bytes);
}

Result<void> check_fast_memory(const std::string& ratio, const std::string& fast_memory) {
  if (!ratio.empty() && !fast_memory.empty()) {
    return fail(Errc::invalid, "--ratio and --fast-memory say the same thing; give one of them");
  }
  if (ratio.empty() && fast_memory.empty()) {
    return fail(Errc::invalid,
                "how much fast memory? give --ratio 4:1 (slow to fast) or --fast-memory 512MiB");
  }
  if (!ratio.empty()) {
    METE_TRY_VOID(fast_share_of(ratio));
  } else {
    METE_TRY_VOID(parse_fast_memory(fast_memory));
  }
  return {};
}

Result<std::uint64_t> fast_limit(const std::string& ratio, const std::string& fast_memory,
                                 const Problem& problem) {
  METE_TRY_VOID(check_fast_memory(ratio, fast_memory));
  return ratio.empty() ? parse_fast_memory(fast_memory) : limit_of_ratio(ratio, problem);
}

Interval times_as_long(const ArmOutcome& first, const ArmOutcome& second) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(first.seconds.size(), second.seconds.size()); ++i) {
    ratios.push_back(first.seconds[i] / second.seconds[i]);
  }
  return median_interval(ratios);
}

Interval placement_error(double added_seconds, const ArmOutcome& plan, const ArmOutcome& all_fast) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < std::min(plan.seconds.size(), all_fast.seconds.size()); ++i) {
    errors.push_back((all_fast.seconds[i] + added_seconds) / plan.seconds[i] - 1);
  }
  return median_interval(errors);
}

std::string interval_text(const Interval& interval, bool emulated) {
  std::string text = format_quantity(interval.estimate, "s", 4);
  if (interval.bounded()) {
    text += fmt::format(" [{}, {}]", format_quantity(interval.low, "s", 4),
                        format_quantity(interval.high, "s", 4));
  }
  if (emulated) text += " (emulated)";
  return text;
}

}  // namespace mete
