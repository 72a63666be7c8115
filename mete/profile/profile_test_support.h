// Kernels, tiers and a clock whose times are known exactly: for tests.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mete/base/files.h"
#include "mete/memory/mapping.h"
#include "mete/profile/profile_store.h"

namespace mete::profile_test {

/// 20 ns at each look, and what kernels add.
class KnownClock final : public Clock {
 public:
  Nanoseconds now() const noexcept override { return Nanoseconds(time_ += 20); }
  void sleep_until(Nanoseconds) noexcept override {}
  double wall_seconds() const noexcept override { return 0; }
  void add(double seconds) { time_ += from_seconds(seconds).count(); }
  [[nodiscard]] double seconds() const { return static_cast<double>(time_) * 1e-9; }

 private:
  mutable std::int64_t time_ = 0;
};

/// Asks to stop after so many looks; never if negative.
class KnownInterrupt final : public Interrupt {
 public:
  int after = -1;
  int signal() const noexcept override {
    if (after > 0) --after_looks();
    return after == 0 ? 2 : 0;
  }

 private:
  int& after_looks() const noexcept { return const_cast<KnownInterrupt*>(this)->after; }
};

/// Remembers where its pool lies.
class KnownTier final : public Tier {
 public:
  KnownTier(std::string name, double charge, std::size_t room) : charge_(charge), room_(room) {
    spec_.kind = TierKind::file;
    spec_.path = std::move(name);
  }
  [[nodiscard]] const TierSpec& spec() const override { return spec_; }
  [[nodiscard]] std::string description() const override { return "known"; }
  [[nodiscard]] bool emulated() const override { return charge_ > 0; }
  Result<std::unique_ptr<Pool>> make_pool(std::size_t bytes) override {
    if (bytes > room_) return fail(Errc::unavailable, "no room");
    METE_TRY(auto pool, map_anonymous(bytes, "known"));
    begin_ = pool->data();
    end_ = begin_ + bytes;
    return std::unique_ptr<Pool>(std::move(pool));
  }
  [[nodiscard]] double charge_seconds(double read, double written) const override {
    return charge_ * (read + written);
  }
  [[nodiscard]] bool holds(const void* data) const {
    return begin_ <= data && static_cast<const std::byte*>(data) < end_;
  }

 private:
  TierSpec spec_;
  double charge_;
  std::size_t room_;
  const std::byte* begin_ = nullptr;
  const std::byte* end_ = nullptr;
};

/// 1 for each operand in slow memory, 0 for the others: inputs, then outputs.
using SlowOperands = std::vector<double>;

/// Profiles graphs with kernels that take `time`.
class KnownBench final : public KernelLibrary {
 public:
  std::function<double(const SlowOperands&)> time = {};
  double charge = 0;
  double watts = 0;
  bool plain = false;
  std::string refuses = {};
  std::size_t room = std::size_t{1} << 40U;
  KnownInterrupt interrupt = {};
  std::string machine = "test machine";
  bool any_machine = false;
  int runs = 0;
  std::size_t repeats = 10;

  KnownBench() {
    char name[] = "/tmp/mete-profile-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  KnownBench(const KnownBench&) = delete;
  KnownBench& operator=(const KnownBench&) = delete;
  ~KnownBench() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string store_path() const { return path_join(folder_, "store.db"); }

  [[nodiscard]] std::string_view name() const override { return "known"; }
  [[nodiscard]] std::string version() const override { return "known 1"; }
  Result<std::unique_ptr<Kernel>> make(const KernelJob& job) override {
    if (job.op->name == refuses) return fail(Errc::unsupported, "not today");
    return std::unique_ptr<Kernel>(std::make_unique<Known>(*this));
  }

  Result<GraphProfile> run(const Graph& graph) {
    METE_TRY(auto store, ProfileStore::open(store_path(), ProfileStore::Mode::create));
    fast_ = std::make_unique<KnownTier>("fast", 0, room);
    slow_ = std::make_unique<KnownTier>("slow", charge, room);
    const auto reference = make_reference_library();
    KernelLibrary* const libraries[] = {plain ? reference.get() : this};
    ProfileRequest request;
    request.libraries = libraries;
    request.fast = fast_.get();
    request.repeats = repeats;
    request.slow = slow_.get();
    const SteadyClock steady;
    request.clock = &clock_;
    if (plain) request.clock = &steady;
    request.interrupt = &interrupt;
    request.machine = machine;
    request.any_machine = any_machine;
    request.cache_bytes = 1;
    request.copy_bytes = 1U << 16U;
    if (watts > 0) request.joules = [this] { return watts * clock_.seconds(); };
    const std::vector<Layout> layouts(graph.tensors.size(), Layout::plain);
    return profile_graph(graph, liveness_of(graph, graph.nodes.size(), false), layouts, request,
                         store);
  }

 private:
  class Known final : public Kernel {
   public:
    explicit Known(KnownBench& bench) : bench_(bench) {}
    Result<void> run(std::span<const void* const> inputs, std::span<void* const> outputs) override {
      SlowOperands slow;
      for (const auto* input : inputs) slow.push_back(bench_.slow_->holds(input) ? 1 : 0);
      for (const auto* output : outputs) slow.push_back(bench_.slow_->holds(output) ? 1 : 0);
      bench_.clock_.add(bench_.time(slow));
      ++bench_.runs;
      return {};
    }
    [[nodiscard]] std::string implementation() const override { return "known"; }

   private:
    KnownBench& bench_;
  };

  std::string folder_;
  KnownClock clock_;
  std::unique_ptr<KnownTier> fast_;
  std::unique_ptr<KnownTier> slow_;
};

}  // namespace mete::profile_test
