// How long each kernel of a graph takes for each placement of its tensors in fast and slow memory.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/graph/graph.h"
#include "mete/graph/liveness.h"
#include "mete/kernel/kernel.h"
#include "mete/memory/tier.h"

namespace mete {

/// The pieces of memory that a node touches, each once: what a placement decides about. Bit b of a
/// slow mask stands for groups[b].
struct NodeSlots {
  std::vector<std::uint32_t> groups;     ///< indices into Liveness::groups
  std::vector<std::uint32_t> of_input;   ///< per input: index into groups
  std::vector<std::uint32_t> of_output;  ///< per output
};
NodeSlots slots_of(const Graph& graph, const Liveness& liveness, NodeId node);

/// Repeats of one kernel with its tensors in one placement.
struct PlacementTiming {
  std::uint32_t slow_mask = 0;
  std::size_t repeats = 0;
  double median_seconds = 0;
  double spread_seconds = 0;                                 ///< median absolute deviation × 1.4826
  double joules = std::numeric_limits<double>::quiet_NaN();  ///< per run, where there is a counter
};

/// All that is known of one kernel. Nodes that differ in nothing that matters share one.
struct KernelProfile {
  std::string key;             ///< op, attributes, shapes, types, layouts, which operands are one
  std::string implementation;  ///< what ran
  std::size_t slots = 0;
  std::vector<PlacementTiming> timings;  ///< by mask, ascending; holds mask 0 and each single slot
  /// Other masks: fast time plus what each slow slot adds. False where masks held out of the model
  /// said otherwise: then all were measured, unless there are too many (see complete()).
  bool additive = true;
  double held_out_error = 0;  ///< worst relative error of the additive model on masks held out

  /// Measured if it was, else by the additive model.
  [[nodiscard]] double seconds(std::uint32_t slow_mask) const;
  [[nodiscard]] std::uint32_t all_slow() const { return (std::uint32_t{1} << slots) - 1; }
  /// Every mask was measured.
  [[nodiscard]] bool complete() const { return timings.size() == std::size_t{1} << slots; }
};

/// Kernels with more slots are not profiled: a mask has no more bits than that.
inline constexpr std::size_t kMostSlots = 31;

/// What the times were measured with: profiles of different environments are never mixed.
struct ProfileEnvironment {
  std::string machine;    ///< CPU model, cores
  std::string libraries;  ///< kernel libraries' versions
  std::string fast_tier;  ///< descriptions
  std::string slow_tier;
  bool emulated = false;
  int threads = 1;

  bool operator==(const ProfileEnvironment&) const = default;
};

/// bytes/s of a plain copy between the tiers, `threads` as the executor copies.
struct CopyRates {
  double fast_to_slow = 0;
  double slow_to_fast = 0;
};

/// What measuring took.
struct ProfileEffort {
  std::size_t measured = 0;   ///< kernels measured now; the others were stored already
  std::size_t runs = 0;       ///< timed ones
  double kernel_seconds = 0;  ///< spent in timed runs
  double seconds = 0;         ///< in all
};

struct GraphProfile {
  ProfileEnvironment environment;
  CopyRates copies;
  std::vector<KernelProfile> kernels;
  /// Per node of the graph: index into kernels; kNoProfile for free views.
  std::vector<std::uint32_t> of_node;
  ProfileEffort effort;

  /// The step with all its tensors in fast memory, and in slow memory.
  [[nodiscard]] double all_fast_seconds() const;
  [[nodiscard]] double all_slow_seconds() const;
};
inline constexpr std::uint32_t kNoProfile = std::numeric_limits<std::uint32_t>::max();

class ProfileStore;  // mete/profile/profile_store.h

struct ProfileRequest {
  std::span<KernelLibrary* const> libraries;  ///< in order of preference
  Tier* fast = nullptr;
  Tier* slow = nullptr;
  int threads = 1;
  std::size_t repeats = 10;
  std::uint64_t seed = 1;  ///< of the data and of the order of measuring
  const Clock* clock = nullptr;
  const Interrupt* interrupt = nullptr;
  std::string machine = {};  ///< empty: this one, by machine_name()
  bool any_machine = false;  ///< measure into a store that holds another machine's times
  /// What the caches hold: operands used within half as many bytes before are warm, others cold.
  /// 0: this machine's last level.
  std::uint64_t cache_bytes = 0;
  std::size_t copy_bytes = std::size_t{32} << 20U;  ///< that copies are timed with
  /// All joules used so far, by a counter that moves once in `joule_seconds` at the latest.
  std::function<double()> joules = {};
  double joule_seconds = 0.001;
  /// Called around each kernel: done, total, what goes on.
  std::function<void(double done, double total, const std::string& note)> progress;
};

/// What a request measures with.
ProfileEnvironment environment_of(const ProfileRequest& request);

/// Measures what the store does not hold yet, in several sittings, each of which goes through the
/// whole graph; each kernel is stored after each sitting, so that an interrupted profile resumes
/// (`failed`, saying how far it came). `layouts`: one per tensor.
/// How: docs/formats/profile.md.
Result<GraphProfile> profile_graph(const Graph& graph, const Liveness& liveness,
                                   std::span<const Layout> layouts, const ProfileRequest& request,
                                   ProfileStore& store);

}  // namespace mete
