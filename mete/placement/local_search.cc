// Repair and local search.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/local_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mete {
namespace {

constexpr double kWhole = 1e-6;  // the linear program's own tolerance is 1e-7
constexpr int kRepairPasses = 4;
constexpr std::size_t kLargestGroup = 16;
constexpr double kSlack = 0.1;  // of the gap, at the start

bool whole(double x) { return x < kWhole || x > 1 - kWhole; }

/// Tensors whose fractions are all whole, as the path they make; others are left clear.
std::vector<std::uint32_t> put_whole_ones(SearchState& state, const UseIndex& index,
                                          const Relaxation& relaxation) {
  std::vector<std::uint32_t> rest;
  std::vector<std::uint8_t> in;
  std::vector<std::uint8_t> kept;
  for (std::uint32_t t = 0; t + 1 < index.first.size(); ++t) {
    in.clear();
    kept.clear();
    bool all_whole = true;
    for (auto u = index.first[t]; u < index.first[t + 1]; ++u) {
      all_whole = all_whole && whole(relaxation.in_fast[u]) && whole(relaxation.kept_fast[u]);
      in.push_back(relaxation.in_fast[u] > 0.5 ? 1 : 0);
      kept.push_back(u + 1 < index.first[t + 1] && relaxation.kept_fast[u] > 0.5 ? 1 : 0);
    }
    if (!all_whole || !state.put(t, in, kept)) rest.push_back(t);
  }
  return rest;
}

/// Groups of tensors that live together, drawn at random from those worth moving.
class Neighbourhoods {
 public:
  Neighbourhoods(const UseIndex& index, const Relaxation& relaxation) {
    std::int64_t largest = 0;
    for (const auto bytes : index.bytes) largest = std::max(largest, bytes);
    for (std::uint32_t t = 0; t + 1 < index.first.size(); ++t) {
      const auto from = index.kernel[index.first[t]];
      const auto to = index.kernel[index.first[t + 1] - 1];
      bool crowded = false;  // where memory has no price nothing is to be gained
      for (auto k = from; k <= to && !crowded; ++k) crowded = relaxation.memory_price[k] > 0;
      if (!crowded || index.bytes[t] == 0) continue;
      const Life life{.tensor = t, .from = from, .to = to};
      all_.push_back(life);
      if (index.bytes[t] >= largest / kSmall) large_.push_back(life);
    }
  }

  [[nodiscard]] bool empty() const { return all_.empty(); }

  void draw(Rng& rng, std::size_t most, std::vector<std::uint32_t>& out) const {
    out.clear();
    // Small tensors are many and matter little.
    const auto& from = large_.size() > 1 && rng.uniform() < 0.8 ? large_ : all_;
    const Life& seed = from[rng.below(from.size())];
    // A kernel of the seed's life; the others must live there too, or nearly.
    const auto length = std::size_t{seed.to} - seed.from + 1;
    const auto centre = seed.from + static_cast<std::uint32_t>(rng.below(length));
    const auto reach = static_cast<std::uint32_t>(rng.below(8));
    out.push_back(seed.tensor);
    for (std::size_t tries = 0; tries < kTries * most && out.size() < most; ++tries) {
      const Life& life = from[rng.below(from.size())];
      if (life.from > centre + reach || life.to + reach < centre) continue;
      if (std::find(out.begin(), out.end(), life.tensor) == out.end()) out.push_back(life.tensor);
    }
  }

 private:
  struct Life {
    std::uint32_t tensor = 0;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
  };
  static constexpr std::int64_t kSmall = 500;
  static constexpr std::size_t kTries = 24;
  std::vector<Life> all_, large_;
};

/// The paths of a group, to go back to.
class SavedPaths {
 public:
  void save(const SearchState& state, const std::vector<std::uint32_t>& group) {
    in_.clear();
    kept_.clear();
    for (const auto t : group) {
      const auto in = state.in_fast(t);
      const auto kept = state.kept_fast(t);
      in_.insert(in_.end(), in.begin(), in.end());
      kept_.insert(kept_.end(), kept.begin(), kept.end());
    }
  }
  void restore(SearchState& state, const std::vector<std::uint32_t>& group) const {
    for (const auto t : group) state.clear(t);
    std::size_t at = 0;
    for (const auto t : group) {
      const std::size_t n = state.in_fast(t).size();
      state.put(t, {in_.data() + at, n}, {kept_.data() + at, n});
      at += n;
    }
  }

 private:
  std::vector<std::uint8_t> in_, kept_;
};

/// Each of `rest` on its best path under prices, the largest first; then all tensors, without.
void repair(SearchState& state, const UseIndex& index, std::vector<std::uint32_t> rest,
            std::span<const double> memory_price) {
  const MemoryPrices prices(memory_price);
  std::sort(rest.begin(), rest.end(), [&index](std::uint32_t a, std::uint32_t b) {
    return index.bytes[a] != index.bytes[b] ? index.bytes[a] > index.bytes[b] : a < b;
  });
  for (const auto t : rest) state.place(t, prices, 1);
  for (int pass = 0; pass < kRepairPasses; ++pass) {
    const double before = state.seconds();
    for (std::uint32_t t = 0; t + 1 < index.first.size(); ++t) state.place(t);
    if (state.seconds() >= before * (1 - 1e-7)) break;
  }
}

}  // namespace

void round_and_repair(SearchState& state, const UseIndex& index, const Relaxation& relaxation) {
  repair(state, index, put_whole_ones(state, index, relaxation), relaxation.memory_price);
}

void take_and_repair(SearchState& state, const UseIndex& index, const Placement& placement,
                     std::span<const double> memory_price) {
  std::vector<std::uint32_t> rest;
  std::vector<std::uint8_t> kept;
  for (std::uint32_t t = 0; t + 1 < index.first.size(); ++t) {
    const auto& path = placement.tensors[t];
    kept = path.kept_fast;
    kept.resize(path.in_fast.size(), 0);  // nothing is kept after the last use
    if (!state.put(t, path.in_fast, kept)) rest.push_back(t);
  }
  repair(state, index, std::move(rest), memory_price);
}

void search(SearchState& state, const UseIndex& index, const Relaxation& relaxation, Rng& rng,
            const SearchGoal& goal) {
  const Neighbourhoods neighbourhoods(index, relaxation);
  if (neighbourhoods.empty()) return;
  const MemoryPrices prices(relaxation.memory_price);
  const std::uint64_t begin = state.work();
  const std::uint64_t end = begin + goal.work;
  SearchState best = state;
  std::vector<std::uint32_t> group;
  std::vector<std::uint32_t> order;
  SavedPaths saved;
  while (state.work() < end && best.seconds() > goal.stop_seconds) {
    if (goal.interrupt != nullptr && goal.interrupt->signal() != 0) break;
    neighbourhoods.draw(rng, 2 + rng.below(kLargestGroup - 1), group);
    const double before = state.seconds();
    saved.save(state, group);
    for (const auto t : group) state.clear(t);
    order = group;
    rng.shuffle(order);
    // Prices near the relaxation's leave room for those that come later.
    const bool priced = rng.uniform() < 0.7;
    for (const auto t : order) state.place(t, prices, priced ? 2 * rng.uniform() : 0);
    for (const auto t : order) state.place(t);
    // Worse is accepted too, less and less of it: threshold accepting (Dueck and Scheuer 1990).
    const double left =
        1 - static_cast<double>(state.work() - begin) / static_cast<double>(goal.work);
    const double slack = kSlack * left * (best.seconds() - relaxation.bound_seconds);
    if (state.seconds() > std::max(before, best.seconds() + slack)) {
      saved.restore(state, group);
    } else if (state.seconds() < best.seconds()) {
      best.take(state);
    }
  }
  state.take(best);
}

}  // namespace mete
