// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/profile_graph.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "mete/base/stats.h"
#include "mete/base/text.h"
#include "mete/memory/copy.h"
#include "mete/profile/kernel_key.h"
#include "mete/profile/machine.h"

namespace mete {
namespace {

// For the progress bar alone: what a kernel takes before it has been measured.
constexpr double kGuessedFlops = 5e10;
constexpr double kGuessedBytes = 3e9;

// A spell of a few seconds in which a neighbour has the machine would be all that is known of a
// kernel that was measured within it. So repeats are divided among sittings, of which each goes
// through the whole graph: the median outlives a spell that meets one of three.
constexpr std::size_t kSittings = 3;

// Copies take several pieces in turn, so that no copy finds its source in the cache.
constexpr std::size_t kCopyPieces = 4;

std::string where_of(const Graph& graph, NodeId node) {
  return fmt::format("{} ({})", graph.layers[graph.nodes[node].layer].name,
                     graph.nodes[node].op->name);
}

TimedKernel timed_kernel(const Graph& graph, const Liveness& liveness, NodeId node,
                         const NodeSlots& slots, KernelJob job) {
  TimedKernel timed;
  timed.job = std::move(job);
  timed.slots = slots;
  timed.traffic = slot_traffic(graph, node, slots);
  double bytes = 0;
  for (const auto group : slots.groups) {
    timed.slot_bytes.push_back(liveness.groups[group].bytes);
    bytes += static_cast<double>(liveness.groups[group].bytes);
  }
  timed.weight = static_cast<double>(slots.groups.size() + 2) *
                 (static_cast<double>(graph.nodes[node].work.flops()) / kGuessedFlops +
                  bytes / kGuessedBytes + 1e-4);
  return timed;
}

/// A profile of what is measured already; kernels that are not have no timings.
GraphProfile profile_of(const GraphKernels& kernels, std::vector<KernelProfile> known) {
  std::unordered_map<std::string, std::size_t> by_key;
  for (std::size_t i = 0; i < known.size(); ++i) by_key.emplace(known[i].key, i);
  GraphProfile profile;
  profile.of_node = kernels.of_node;
  for (const auto& kernel : kernels.kernels) {
    const auto found = by_key.find(kernel.key);
    if (found != by_key.end() && known[found->second].slots == kernel.slots.groups.size()) {
      profile.kernels.push_back(std::move(known[found->second]));
    } else {
      profile.kernels.emplace_back().key = kernel.key;
    }
  }
  return profile;
}

/// Repeats of the placement that has fewest.
std::size_t repeats_of(const KernelProfile& kernel) {
  std::size_t least = kernel.timings.empty() ? 0 : kernel.timings.front().repeats;
  for (const auto& timing : kernel.timings) least = std::min(least, timing.repeats);
  return least;
}

double median_rate(const std::vector<double>& seconds, std::size_t bytes) {
  const double median = median_of(seconds);
  return median > 0 ? static_cast<double>(bytes) / median : 0;
}

class Profiler {
 public:
  Profiler(const Graph& graph, const GraphKernels& kernels, const ProfileRequest& request,
           std::uint64_t cache_bytes, ProfileStore& store)
      : graph_(graph),
        kernels_(kernels),
        request_(request),
        cache_bytes_(cache_bytes),
        store_(store) {}

  Result<GraphProfile> run() {
    const Nanoseconds began = request_.clock->now();
    const ProfileEnvironment environment = environment_of(request_);
    METE_TRY(environment_id_, store_.enter(environment, request_.any_machine));
    METE_TRY(auto known, store_.kernels(environment_id_));
    GraphProfile profile = profile_of(kernels_, std::move(known));
    profile.environment = environment;
    METE_TRY(const auto copies, store_.copies(environment_id_));
    for (std::uint32_t i = 0; i < profile.kernels.size(); ++i) {
      if (repeats_of(profile.kernels[i]) < request_.repeats) missing_.push_back(i);
    }
    if (!missing_.empty() || !copies) {
      METE_TRY_VOID(check_kernels());
      METE_TRY_VOID(make_pools(!copies));
    }
    if (copies) {
      profile.copies = *copies;
    } else {
      METE_TRY(profile.copies, measure_copies(profile));
      METE_TRY_VOID(store_.put_copies(environment_id_, profile.copies));
    }
    METE_TRY_VOID(measure_missing(profile));
    profile.effort.seconds = to_seconds(request_.clock->now() - began);
    return profile;
  }

 private:
  [[nodiscard]] OperandPlan plan_of(std::uint32_t index) const {
    return {kernels_.kernels[index].slot_bytes, cache_bytes_, Rng(request_.seed).fork(index)};
  }

  [[nodiscard]] Result<ChosenKernel> choose(std::uint32_t index) const {
    auto chosen = choose_kernel(request_.libraries, kernels_.kernels[index].job);
    if (!chosen) return chosen.error().within(where_of(graph_, kernels_.first_node[index]));
    return chosen;
  }

  /// Before hours of measuring, not after them.
  [[nodiscard]] Result<void> check_kernels() const {
    for (const auto index : missing_) METE_TRY_VOID(choose(index));
    return {};
  }

  Result<void> make_pools(bool for_copies) {
    std::uint64_t bytes = for_copies ? kCopyPieces * request_.copy_bytes : 0;
    std::string largest = "copies between the tiers";
    for (const auto index : missing_) {
      const std::uint64_t needed = plan_of(index).pool_bytes();
      if (needed <= bytes) continue;
      bytes = needed;
      largest = where_of(graph_, kernels_.first_node[index]);
    }
    auto fast = request_.fast->make_pool(bytes);
    if (!fast) return fast.error().within(fmt::format("to measure {}", largest));
    auto slow = request_.slow->make_pool(bytes);
    if (!slow) return slow.error().within(fmt::format("to measure {}", largest));
    fast_ = std::move(*fast);
    slow_ = std::move(*slow);
    return {};
  }

  Result<CopyRates> measure_copies(const GraphProfile& profile) {
    const std::size_t bytes = request_.copy_bytes;
    std::vector<double> to_slow;
    std::vector<double> to_fast;
    for (std::size_t i = 0; i < std::max<std::size_t>(request_.repeats, 1); ++i) {
      if (interrupted()) return stopped(profile);
      auto* const fast = fast_->data() + i % kCopyPieces * bytes;
      auto* const slow = slow_->data() + (i + 1) % kCopyPieces * bytes;
      to_slow.push_back(charged_copy(slow, *request_.slow, fast, *request_.fast, bytes,
                                     request_.threads, *request_.clock));
      auto* const back = fast_->data() + (i + 2) % kCopyPieces * bytes;
      to_fast.push_back(charged_copy(back, *request_.fast, slow, *request_.slow, bytes,
                                     request_.threads, *request_.clock));
    }
    return CopyRates{median_rate(to_slow, bytes), median_rate(to_fast, bytes)};
  }

  /// Repeats that a kernel has after a sitting.
  [[nodiscard]] std::size_t goal_of(std::size_t sitting) const {
    return (request_.repeats * (sitting + 1) + kSittings - 1) / kSittings;
  }

  Result<void> measure_missing(GraphProfile& profile) {
    if (missing_.empty()) return {};
    KernelTimer timer(request_, fast_->data(), slow_->data());
    double left = 0;
    for (const auto index : missing_) left += kernels_.kernels[index].weight;
    const double total = left * kSittings;
    double done = 0;
    for (std::size_t sitting = 0; sitting < kSittings; ++sitting) {
      for (const auto index : missing_) {
        const std::string where = where_of(graph_, kernels_.first_node[index]);
        if (request_.progress) request_.progress(done, total, where);
        METE_TRY_VOID(sit(index, goal_of(sitting), where, timer, profile));
        done += kernels_.kernels[index].weight;
        if (request_.progress) request_.progress(done, total, where);
      }
    }
    profile.effort = timer.effort();
    profile.effort.measured = missing_.size();
    return {};
  }

  /// Brings one kernel to so many repeats.
  Result<void> sit(std::uint32_t index, std::size_t goal, const std::string& where,
                   KernelTimer& timer, GraphProfile& profile) {
    KernelMeasurement earlier;
    earlier.profile = profile.kernels[index];
    if (repeats_of(earlier.profile) >= goal) return {};
    for (const auto& timing : earlier.profile.timings) {
      METE_TRY(auto seconds,
               store_.repeats(environment_id_, earlier.profile.key, timing.slow_mask));
      earlier.seconds.push_back(std::move(seconds));
    }
    METE_TRY(auto chosen, choose(index));
    auto measured = timer.measure(kernels_.kernels[index], *chosen.kernel, plan_of(index),
                                  Rng(request_.seed).fork(index), goal, earlier);
    if (!measured && interrupted()) return stopped(profile);
    if (!measured) return measured.error().within(where);
    METE_TRY_VOID(store_.put(environment_id_, *measured));
    profile.kernels[index] = std::move(measured->profile);
    return {};
  }

  [[nodiscard]] bool interrupted() const {
    return request_.interrupt != nullptr && request_.interrupt->signal() != 0;
  }

  [[nodiscard]] Error stopped(const GraphProfile& profile) const {
    std::size_t begun = 0;
    std::size_t whole = 0;
    for (const auto& kernel : profile.kernels) {
      begun += kernel.timings.empty() ? 0U : 1U;
      whole += repeats_of(kernel) >= request_.repeats ? 1U : 0U;
    }
    return fail(Errc::failed,
                "interrupted; of {} kernels {} are measured and {} begun, all kept in {}; run the "
                "same command again to go on",
                profile.kernels.size(), whole, begun - whole, store_.path());
  }

  const Graph& graph_;
  const GraphKernels& kernels_;
  const ProfileRequest& request_;
  std::uint64_t cache_bytes_;
  ProfileStore& store_;
  std::int64_t environment_id_ = 0;
  std::vector<std::uint32_t> missing_;
  std::unique_ptr<Pool> fast_;
  std::unique_ptr<Pool> slow_;
};

}  // namespace

Result<GraphKernels> kernels_of(const Graph& graph, const Liveness& liveness,
                                std::span<const Layout> layouts, int threads,
                                std::uint64_t cache_bytes) {
  if (cache_bytes == 0) cache_bytes = last_level_cache(SysRoot());
  std::vector<NodeSlots> slots;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    slots.push_back(slots_of(graph, liveness, n));
    if (slots.back().groups.size() <= kMostSlots) continue;
    return fail(Errc::unsupported,
                "{}: touches {} tensors; kernels with more than {} cannot be profiled",
                where_of(graph, n), slots.back().groups.size(), kMostSlots);
  }
  const auto warm = warm_slots(graph, liveness, slots, cache_bytes);
  GraphKernels all;
  std::unordered_map<std::string, std::uint32_t> by_key;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    all.of_node.push_back(kNoProfile);
    if (is_free_view(graph, n, layouts)) continue;
    KernelJob job = job_of(graph, n, layouts, threads);
    std::string key = kernel_key(job, slots[n], warm[n]);
    const auto [at, is_new] = by_key.emplace(key, static_cast<std::uint32_t>(all.kernels.size()));
    all.of_node.back() = at->second;
    if (!is_new) continue;
    all.kernels.push_back(timed_kernel(graph, liveness, n, slots[n], std::move(job)));
    all.kernels.back().key = std::move(key);
    all.kernels.back().warm = warm[n];
    all.first_node.push_back(n);
  }
  return all;
}

ProfileEnvironment environment_of(const ProfileRequest& request) {
  ProfileEnvironment environment;
  environment.machine = request.machine.empty() ? machine_name(SysRoot()) : request.machine;
  for (const auto* library : request.libraries) {
    if (!environment.libraries.empty()) environment.libraries += ", ";
    environment.libraries += library->version();
  }
  environment.fast_tier =
      fmt::format("{}: {}", tier_name(request.fast->spec()), request.fast->description());
  environment.slow_tier =
      fmt::format("{}: {}", tier_name(request.slow->spec()), request.slow->description());
  environment.emulated = request.fast->emulated() || request.slow->emulated();
  environment.threads = request.threads;
  return environment;
}

Result<GraphProfile> profile_graph(const Graph& graph, const Liveness& liveness,
                                   std::span<const Layout> layouts, const ProfileRequest& request,
                                   ProfileStore& store) {
  if (request.repeats < 1) return fail(Errc::invalid, "0 repeats: expected 1 or more");
  const std::uint64_t cache =
      request.cache_bytes != 0 ? request.cache_bytes : last_level_cache(SysRoot());
  METE_TRY(const auto kernels, kernels_of(graph, liveness, layouts, request.threads, cache));
  return Profiler(graph, kernels, request, cache, store).run();
}

Result<GraphProfile> stored_profile(const Graph& graph, const Liveness& liveness,
                                    std::span<const Layout> layouts,
                                    const ProfileEnvironment& environment,
                                    const ProfileStore& store, std::uint64_t cache_bytes) {
  METE_TRY(const auto kernels,
           kernels_of(graph, liveness, layouts, environment.threads, cache_bytes));
  METE_TRY(const auto id, store.find(environment));
  if (!id) {
    return fail(Errc::unavailable, "{}: holds nothing measured with {}, {}, {} threads",
                store.path(), environment.libraries, environment.slow_tier, environment.threads);
  }
  METE_TRY(auto known, store.kernels(*id));
  METE_TRY(const auto copies, store.copies(*id));
  GraphProfile profile = profile_of(kernels, std::move(known));
  profile.environment = environment;
  const auto is_missing = [](const KernelProfile& kernel) { return kernel.timings.empty(); };
  const auto first = std::find_if(profile.kernels.begin(), profile.kernels.end(), is_missing);
  if (first != profile.kernels.end() || !copies) {
    const auto missing = std::count_if(profile.kernels.begin(), profile.kernels.end(), is_missing);
    return fail(Errc::unavailable,
                "{}: {} of {}'s {} kernels were not measured{}; run `mete profile` first",
                store.path(), missing, graph.name, profile.kernels.size(),
                missing == 0
                    ? ", nor were copies between the tiers"
                    : fmt::format(", {} the first",
                                  where_of(graph, kernels.first_node[static_cast<std::size_t>(
                                                      first - profile.kernels.begin())])));
  }
  profile.copies = *copies;
  return profile;
}

}  // namespace mete
