// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/memory_setup.h"

#include <chrono>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/graph_arg.h"
#include "mete/cli/options.h"
#include "mete/kernel/blocked_layout.h"
#include "mete/profile/machine.h"

namespace mete {
namespace {

constexpr int kMostThreads = 4096;

Result<int> threads_of(const MemoryOptions& options) {
  if (options.threads > 0) return options.threads;
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Result<TierSpec> tier_of(const char* option, const std::string& text) {
  auto spec = parse_tier(text);
  if (!spec) return spec.error().within(option);
  return spec;
}

struct CpuTicks {
  double idle = 0;
  double all = 0;
};

/// Of the line "cpu user nice system idle iowait irq softirq steal" of /proc/stat.
CpuTicks cpu_ticks(const SysRoot& sys) {
  CpuTicks ticks;
  const auto text = sys.read_text("/proc/stat");
  if (!text || !text->starts_with("cpu ")) return ticks;
  std::size_t field = 0;
  for (const auto word : split(std::string_view(*text).substr(4, text->find('\n') - 4), ' ')) {
    const auto value = parse_double(word);
    if (!value) continue;
    if (field == 3 || field == 4) ticks.idle += *value;
    if (field++ < 8) ticks.all += *value;
  }
  return ticks;
}

}  // namespace

void add_memory_options(OptionSet& app, MemoryOptions& options) {
  app.add_option("--batch", options.batch, "How many samples at once")
      ->range(1, kMostBatch)
      ->capture_default_str();
  app.add_option("--fast", options.fast, "Fast memory: dram, or numa:N")->capture_default_str();
  app.add_option("--slow", options.slow,
                 "Slow memory: numa:N, dax:PATH, file:PATH, throttled, or throttled:READ,WRITE "
                 "(DRAM held to so many times less bandwidth: emulated)")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of kernels and copies; 0: one for each CPU")
      ->range(0, kMostThreads)
      ->capture_default_str();
  app.add_flag("--plain-kernels", options.plain_kernels, "Plain loops only, no library: slow");
  app.add_flag("--any-machine", options.any_machine,
               "Also with a store that was measured on another machine");
}

KernelLibraries open_libraries(bool plain, std::vector<std::string>& notices) {
  KernelLibraries libraries;
  if (!plain) {
    const auto dnn = open_dnn_library();
    if (dnn) {
      libraries.list.push_back(*dnn);
    } else {
      notices.push_back(fmt::format("plain loops, which are slow: {}", dnn.error().what));
    }
  }
  libraries.owned.push_back(make_reference_library());
  libraries.list.push_back(libraries.owned.back().get());
  return libraries;
}

PlannedGraph plan_memory(Graph graph, std::span<KernelLibrary* const> libraries) {
  PlannedGraph planned{std::move(graph), {}, {}};
  planned.layouts = layouts_for(planned.graph, libraries);
  std::vector<bool> copied(planned.graph.nodes.size(), false);
  for (NodeId n = 0; n < planned.graph.nodes.size(); ++n) {
    copied[n] = planned.graph.nodes[n].op->reuse == Reuse::view &&
                !is_free_view(planned.graph, n, planned.layouts);
  }
  planned.liveness = liveness_of(planned.graph, planned.graph.nodes.size(), false, copied);
  return planned;
}

Result<MemorySetup> open_memory(const MemoryOptions& options, ProfileStore& store,
                                const Context& context, std::vector<std::string>& notices) {
  METE_TRY(const TierSpec fast, tier_of("--fast", options.fast));
  if (fast.kind != TierKind::dram && fast.kind != TierKind::numa) {
    return fail(Errc::invalid, "--fast {}: expected dram, or numa:N", options.fast);
  }
  METE_TRY(const TierSpec slow, tier_of("--slow", options.slow));
  MemorySetup setup;
  METE_TRY(setup.threads, threads_of(options));
  setup.machine = machine_name(context.sys);
  if (fast.kind == TierKind::throttled || slow.kind == TierKind::throttled) {
    METE_TRY(setup.dram, known_dram(store, setup.machine, setup.threads, context.clock));
  }
  METE_TRY(setup.fast, open_tier(fast, setup.dram, context.sys));
  METE_TRY(setup.slow, open_tier(slow, setup.dram, context.sys));
  setup.libraries = open_libraries(options.plain_kernels, notices);
  return setup;
}

ProfileRequest request_of(const MemorySetup& setup) {
  ProfileRequest request;
  request.libraries = setup.libraries.list;
  request.fast = setup.fast.get();
  request.slow = setup.slow.get();
  request.threads = setup.threads;
  request.machine = setup.machine;
  return request;
}

double cpus_in_use(const SysRoot& sys, Clock& clock) {
  const CpuTicks before = cpu_ticks(sys);
  clock.sleep_until(clock.now() + std::chrono::milliseconds(200));
  const CpuTicks after = cpu_ticks(sys);
  const double all = after.all - before.all;
  return all > 0 ? 1 - (after.idle - before.idle) / all : 0;
}

std::function<double()> joule_counter(Platform& platform) {
  std::vector<int> handles;
  for (const char* name : {"CPU_ENERGY", "DRAM_ENERGY"}) {
    const auto info = platform.signal_info(name);
    if (!info || info->source != Source::counter) continue;
    if (const auto handle = platform.push_signal({info->name, Domain::board, 0})) {
      handles.push_back(*handle);
    }
  }
  if (handles.empty()) return {};
  return [&platform, handles] {
    platform.read_batch();
    double joules = 0;
    for (const int handle : handles) joules += platform.value(handle);
    return joules;
  };
}

}  // namespace mete
