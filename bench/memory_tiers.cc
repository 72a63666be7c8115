// What this machine's memory does: DRAM's bandwidths, how fast pools are made, copies by size, and
// how much of a profile's time is kernels. Figures of this machine, without a bar of ours.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "mete/graph/training.h"
#include "mete/graph/zoo.h"
#include "mete/memory/copy.h"
#include "mete/profile/profile_store.h"

namespace {

using namespace mete;

constexpr std::size_t kPool = std::size_t{512} << 20U;

struct Pools {
  std::unique_ptr<Tier> tier;
  std::unique_ptr<Pool> a;
  std::unique_ptr<Pool> b;
};

Result<Pools> make_pools(const Clock& clock) {
  Pools pools;
  METE_TRY(pools.tier, open_tier(TierSpec{}, Bandwidth{}));
  const auto begin = clock.now();
  METE_TRY(pools.a, pools.tier->make_pool(kPool));
  METE_TRY(pools.b, pools.tier->make_pool(kPool));
  const double first = to_seconds(clock.now() - begin);
  pools.a.reset();
  const auto again = clock.now();
  METE_TRY(pools.a, pools.tier->make_pool(kPool));
  std::printf("pools made         %7.2f GB/s, %.2f GB/s where the memory was used before\n",
              2e-9 * static_cast<double>(kPool) / first,
              1e-9 * static_cast<double>(kPool) / to_seconds(clock.now() - again));
  return pools;
}

void show_copies(Pools& pools, int threads, const Clock& clock) {
  for (const std::size_t bytes : {std::size_t{64} << 10U, std::size_t{1} << 20U,
                                  std::size_t{8} << 20U, std::size_t{64} << 20U, kPool}) {
    double ours = 1e9;
    double library = 1e9;
    for (std::size_t at = 0, i = 0; i < 16; ++i, at = (at + bytes) % kPool) {
      auto begin = clock.now();
      copy_bytes(pools.a->data() + at, pools.b->data() + at, bytes, threads);
      ours = std::min(ours, to_seconds(clock.now() - begin));
      begin = clock.now();
      std::memcpy(pools.b->data() + at, pools.a->data() + at, bytes);
      library = std::min(library, to_seconds(clock.now() - begin));
    }
    const double size = 1e-9 * static_cast<double>(bytes);
    std::printf("copy %8zu KiB  %7.2f GB/s, memcpy %.2f GB/s\n", bytes >> 10U, size / ours,
                size / library);
  }
}

Result<void> show_profile(const Bandwidth& dram, int threads, const Clock& clock) {
  METE_TRY(const auto* model, find_zoo_model("mlp"));
  METE_TRY(const auto forward, build_zoo_model(*model, 16));
  METE_TRY(const auto graph, training_step(forward, model->learning_rate));
  std::vector<KernelLibrary*> libraries;
  const auto plain = make_reference_library();
  if (const auto dnn = open_dnn_library()) libraries.push_back(*dnn);
  libraries.push_back(plain.get());
  METE_TRY(const auto fast, open_tier(TierSpec{}, dram));
  METE_TRY(const auto slow, open_tier(TierSpec{.kind = TierKind::throttled, .path = {}}, dram));
  const std::string path = std::filesystem::temp_directory_path() / "mete-bench.profile.db";
  std::filesystem::remove(path);
  METE_TRY(auto store, ProfileStore::open(path, ProfileStore::Mode::create));
  ProfileRequest request;
  request.libraries = libraries;
  request.fast = fast.get();
  request.slow = slow.get();
  request.threads = threads;
  request.clock = &clock;
  const std::vector<Layout> layouts(graph.tensors.size(), Layout::plain);
  METE_TRY(const auto profile, profile_graph(graph, liveness_of(graph, graph.nodes.size(), false),
                                             layouts, request, store));
  std::filesystem::remove(path);
  const auto& effort = profile.effort;
  std::printf("profile of the mlp %7.2f s, %.0f %% of it in %zu timed runs of %zu kernels\n",
              effort.seconds, 100 * effort.kernel_seconds / effort.seconds, effort.runs,
              effort.measured);
  return {};
}

Result<void> show(int threads) {
  const SteadyClock clock;
  METE_TRY(const auto one, measure_dram(1, clock));
  METE_TRY(const auto all, measure_dram(threads, clock));
  std::printf("DRAM, 1 thread     %7.2f GB/s read, %.2f GB/s written\n", 1e-9 * one.read,
              1e-9 * one.write);
  std::printf("DRAM, %d threads    %7.2f GB/s read, %.2f GB/s written\n", threads, 1e-9 * all.read,
              1e-9 * all.write);
  {
    METE_TRY(auto pools, make_pools(clock));
    show_copies(pools, threads, clock);
  }
  return show_profile(all, threads, clock);
}

}  // namespace

int main() {
  const auto shown = show(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  if (shown) return 0;
  std::fprintf(stderr, "memory_tiers: %s\n", shown.error().what.c_str());
  return 1;
}
