// mete profile: how long each kernel of a training step takes for each placement of its tensors in
// fast and slow memory. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/graph_arg.h"
#include "mete/cli/look.h"
#include "mete/cli/memory_arms.h"
#include "mete/cli/options.h"
#include "mete/cli/target.h"

namespace mete {
namespace {

struct Options {
  std::string graph;
  MemoryOptions memory;
  int repeats = 10;
  std::uint64_t seed = 1;
  int top = 10;
  bool json = false;
};

constexpr int kMostShown = 1'000'000;

/// A kernel with what it comes to in the whole step.
struct KernelShare {
  const KernelProfile* kernel = nullptr;
  NodeId first = 0;
  std::size_t nodes = 0;
  [[nodiscard]] double fast() const { return static_cast<double>(nodes) * kernel->seconds(0); }
  [[nodiscard]] double slow() const {
    return static_cast<double>(nodes) * kernel->seconds(kernel->all_slow());
  }
};

struct Report {
  const PlannedGraph& planned;
  const MemorySetup& setup;
  const GraphProfile& profile;
  std::vector<KernelShare> shares;  ///< the slowest first, all-fast
  std::size_t additive = 0;
  std::size_t incomplete = 0;  ///< not additive, and too many placements to measure all
  double worst_error = 0;      ///< of the additive model, on placements held out
  double typical_error = 0;    ///< their mean, weighted with time
  double spread = 0;           ///< of the step, from the kernels' spreads
  double joules = 0;           ///< of the step all-fast; NaN without a counter
};

Report report_of(const PlannedGraph& planned, const MemorySetup& setup,
                 const GraphProfile& profile) {
  Report report{planned, setup, profile, std::vector<KernelShare>(profile.kernels.size())};
  for (NodeId n = 0; n < profile.of_node.size(); ++n) {
    if (profile.of_node[n] == kNoProfile) continue;
    KernelShare& share = report.shares[profile.of_node[n]];
    if (share.nodes++ == 0) share.first = n;
  }
  double variance = 0;
  double weighted_error = 0;
  for (std::size_t i = 0; i < report.shares.size(); ++i) {
    const KernelProfile& kernel = profile.kernels[i];
    KernelShare& share = report.shares[i];
    share.kernel = &kernel;
    if (kernel.additive) ++report.additive;
    if (!kernel.additive && !kernel.complete()) ++report.incomplete;
    report.worst_error = std::max(report.worst_error, kernel.held_out_error);
    weighted_error += share.slow() * kernel.held_out_error;
    const double spread = kernel.timings.front().spread_seconds;
    variance += static_cast<double>(share.nodes) * spread * spread;
    report.joules += static_cast<double>(share.nodes) * kernel.timings.front().joules;
  }
  const double slow = profile.all_slow_seconds();
  report.typical_error = slow > 0 ? weighted_error / slow : 0;
  report.spread = std::sqrt(variance);
  std::stable_sort(report.shares.begin(), report.shares.end(),
                   [](const KernelShare& a, const KernelShare& b) { return a.fast() > b.fast(); });
  return report;
}

std::string layer_of(const Graph& graph, NodeId node) {
  return graph.layers[graph.nodes[node].layer].name;
}

Json json_of(const KernelShare& share, const Graph& graph) {
  const KernelProfile& kernel = *share.kernel;
  Json timings = Json::array();
  for (const auto& timing : kernel.timings) {
    timings.push(Json::object({{"slow_mask", std::int64_t{timing.slow_mask}},
                               {"repeats", timing.repeats},
                               {"median_seconds", timing.median_seconds},
                               {"spread_seconds", timing.spread_seconds},
                               {"joules", timing.joules}}));
  }
  return Json::object({{"key", kernel.key},
                       {"implementation", kernel.implementation},
                       {"first_layer", layer_of(graph, share.first)},
                       {"nodes", share.nodes},
                       {"slots", kernel.slots},
                       {"additive", kernel.additive},
                       {"complete", kernel.complete()},
                       {"held_out_error", kernel.held_out_error},
                       {"all_fast_seconds", kernel.seconds(0)},
                       {"all_slow_seconds", kernel.seconds(kernel.all_slow())},
                       {"timings", std::move(timings)}});
}

Json json_of(const Report& report, const Options& options) {
  const GraphProfile& profile = report.profile;
  const ProfileEnvironment& environment = profile.environment;
  Json kernels = Json::array();
  for (const auto& share : report.shares) kernels.push(json_of(share, report.planned.graph));
  return Json::object({{"graph", report.planned.graph.name},
                       {"batch", options.memory.batch},
                       {"store", options.memory.store},
                       {"source", environment.emulated ? "emulated" : "measured"},
                       {"machine", environment.machine},
                       {"libraries", environment.libraries},
                       {"threads", environment.threads},
                       {"fast_tier", environment.fast_tier},
                       {"slow_tier", environment.slow_tier},
                       {"dram_read_bandwidth", report.setup.dram.read},
                       {"dram_write_bandwidth", report.setup.dram.write},
                       {"fast_to_slow_bandwidth", profile.copies.fast_to_slow},
                       {"slow_to_fast_bandwidth", profile.copies.slow_to_fast},
                       {"all_fast_seconds", profile.all_fast_seconds()},
                       {"all_fast_spread_seconds", report.spread},
                       {"all_slow_seconds", profile.all_slow_seconds()},
                       {"all_fast_joules", report.joules},
                       {"nodes", report.planned.graph.nodes.size()},
                       {"kernel_count", report.shares.size()},
                       {"additive_count", report.additive},
                       {"incomplete_count", report.incomplete},
                       {"worst_held_out_error", report.worst_error},
                       {"mean_held_out_error", report.typical_error},
                       {"measured_now", profile.effort.measured},
                       {"runs_now", profile.effort.runs},
                       {"kernel_seconds_now", profile.effort.kernel_seconds},
                       {"seconds_now", profile.effort.seconds},
                       {"kernels", std::move(kernels)}});
}

std::string seconds_text(double seconds) { return format_quantity(seconds, "s"); }

void print_kernels(const Report& report, int top) {
  std::vector<std::vector<std::string>> rows = {
      {"kernel", "first in", "result", "times", "fast", "spread", "all slow", "of step", "by"}};
  const double total = report.profile.all_fast_seconds();
  const Graph& graph = report.planned.graph;
  for (const auto& share : report.shares) {
    if (rows.size() > static_cast<std::size_t>(top)) break;
    const GraphNode& node = graph.nodes[share.first];
    const KernelProfile& kernel = *share.kernel;
    rows.push_back({std::string(node.op->name), layer_of(graph, share.first),
                    graph.tensors[node.outputs[0]].type.shape.text(),
                    fmt::format("{}", share.nodes), seconds_text(kernel.seconds(0)),
                    seconds_text(kernel.timings.front().spread_seconds),
                    fmt::format("{}{}", seconds_text(kernel.seconds(kernel.all_slow())),
                                kernel.additive ? "" : " (not additive)"),
                    format_percent(total > 0 ? share.fast() / total : 0), kernel.implementation});
  }
  fmt::print("{}\n", align(rows));
}

void print_effort(const Report& report, const Options& options) {
  const ProfileEffort& effort = report.profile.effort;
  if (effort.measured == 0) {
    fmt::print("store         {}: all kernels were there\n", options.memory.store);
    return;
  }
  fmt::print("store         {}: {} kernels measured now, in {} ({} of it in {} timed runs)\n",
             options.memory.store, effort.measured, format_duration(effort.seconds),
             format_percent(effort.seconds > 0 ? effort.kernel_seconds / effort.seconds : 0, 0),
             effort.runs);
}

void print_for_people(const Report& report, const Options& options) {
  const GraphProfile& profile = report.profile;
  const ProfileEnvironment& environment = profile.environment;
  const char* const emulated = environment.emulated ? " (emulated)" : "";
  if (options.top > 0) print_kernels(report, options.top);
  fmt::print("{}, batch {}, training step: {} nodes, {} different kernels\n",
             report.planned.graph.name, options.memory.batch, report.planned.graph.nodes.size(),
             report.shares.size());
  fmt::print("machine       {}; {} thread{}; {}\n", environment.machine, environment.threads,
             environment.threads == 1 ? "" : "s", environment.libraries);
  fmt::print("fast memory   {}\nslow memory   {}\n", environment.fast_tier, environment.slow_tier);
  fmt::print("copies        {} to slow, {} to fast{}\n",
             format_quantity(profile.copies.fast_to_slow, "B/s"),
             format_quantity(profile.copies.slow_to_fast, "B/s"), emulated);
  const double fast = profile.all_fast_seconds();
  const double slow = profile.all_slow_seconds();
  fmt::print(
      "step          {} all-fast (spread {}), {} all-slow{}: {:.2f} times; predicted from "
      "kernels\n",
      format_quantity(fast, "s", 4), seconds_text(report.spread), format_quantity(slow, "s", 4),
      emulated, fast > 0 ? slow / fast : 0);
  if (!std::isnan(report.joules)) {
    fmt::print("energy        {} all-fast, by the counters of CPU and DRAM\n",
               format_quantity(report.joules, "J"));
  }
  fmt::print(
      "placements    {} of {} kernels are additive; held out, the model misses by {} "
      "(mean over time), {} at worst\n",
      report.additive, report.shares.size(), format_percent(report.typical_error),
      format_percent(report.worst_error));
  if (report.incomplete > 0) {
    fmt::print(
        "              {} that are not have too many tensors to measure every placement: "
        "theirs are estimates\n",
        report.incomplete);
  }
  print_effort(report, options);
}

Result<void> check_options(const Options& options) {
  METE_TRY_VOID(parse_tier(options.memory.fast));
  METE_TRY_VOID(parse_tier(options.memory.slow));
  return {};
}

Result<ExitCode> profile(const Options& options, const Context& context) {
  METE_TRY_VOID(check_options(options));
  METE_TRY(auto graph, load_training_step(options.graph, options.memory.batch));
  METE_TRY(auto store, ProfileStore::open(options.memory.store, ProfileStore::Mode::create));
  std::vector<std::string> notices;
  METE_TRY(const auto setup, open_memory(options.memory, store, context, notices));
  for (const auto& notice : notices) say(fmt::format("note: {}", notice));
  const PlannedGraph planned = plan_memory(std::move(graph), setup.libraries.list);

  const auto measured = profile_with_progress(planned, setup, options.memory, options.repeats,
                                              options.seed, store, context);
  if (!measured) return measured.error();
  const Report report = report_of(planned, setup, *measured);
  if (options.json) {
    fmt::print("{}\n", json_of(report, options).dump());
  } else {
    print_for_people(report, options);
  }
  return 0;
}

}  // namespace

Runner add_profile(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("GRAPH", options->graph, "A model: zoo:resnet50, or an ONNX file")->required();
  add_memory_options(app, options->memory);
  app.add_option("--repeats", options->repeats, "How often each placement is measured")
      ->range(1, kMostRepeats)
      ->capture_default_str();
  app.add_option("-o,--output", options->memory.store, "The store of profiles; one holds many")
      ->capture_default_str();
  app.add_option("--seed", options->seed, "Of the data, and of the order of measuring")
      ->capture_default_str();
  app.add_option("--top", options->top, "So many of the slowest kernels are shown")
      ->range(0, kMostShown)
      ->capture_default_str();
  app.add_flag("--json", options->json, "All kernels and placements as JSON");
  return [options](const Context& context) { return profile(*options, context); };
}

}  // namespace mete
