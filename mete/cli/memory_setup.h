// What the verbs of the memory loop share: kernels, tiers and the store of profiles, opened as the
// command line asks. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mete/cli/command.h"
#include "mete/profile/profile_store.h"
#include "mete/signal/platform.h"

namespace mete {

class OptionSet;

/// Of the options of these verbs.
inline constexpr int kMostSteps = 100'000;
inline constexpr int kMostRepeats = 10'000;

struct MemoryOptions {
  std::int64_t batch = 16;
  std::string fast = "dram";
  std::string slow = "throttled";
  int threads = 0;  ///< 0: one for each CPU
  std::string store = "mete.profile.db";
  bool plain_kernels = false;
  bool any_machine = false;
};
/// --batch, --fast, --slow, --threads, --plain-kernels, --any-machine.
void add_memory_options(OptionSet& app, MemoryOptions& options);

/// Libraries in order of preference; those that are ours to delete are in `owned`.
struct KernelLibraries {
  std::vector<KernelLibrary*> list;
  std::vector<std::unique_ptr<KernelLibrary>> owned;
};
/// With a notice where only the plain loops are here.
KernelLibraries open_libraries(bool plain, std::vector<std::string>& notices);

/// A training step, where its tensors share memory, and how they lie. No result overwrites an
/// input: a placement takes a tensor to be what it was as long as it lives.
struct PlannedGraph {
  Graph graph;
  std::vector<Layout> layouts;
  Liveness liveness;
};
PlannedGraph plan_memory(Graph graph, std::span<KernelLibrary* const> libraries);

struct MemorySetup {
  KernelLibraries libraries;
  std::unique_ptr<Tier> fast;
  std::unique_ptr<Tier> slow;
  Bandwidth dram;  ///< zero where no tier needs it
  int threads = 1;
  std::string machine;
};
/// DRAM's bandwidth is measured if a tier needs it and the store does not know it.
Result<MemorySetup> open_memory(const MemoryOptions& options, ProfileStore& store,
                                const Context& context, std::vector<std::string>& notices);

/// Measuring with this setup; everything else is as usual. Refers to the setup.
ProfileRequest request_of(const MemorySetup& setup);

/// What share of this machine's CPUs is in use now: looks for a fifth of a second. 0 where the
/// system does not tell.
double cpus_in_use(const SysRoot& sys, Clock& clock);

/// Joules of CPU and DRAM so far by the machine's counters; empty where there are none. Refers to
/// the platform.
std::function<double()> joule_counter(Platform& platform);

}  // namespace mete
