// A legal placement that changes tensor by tensor. Each tensor can be taken out and put back on its
// cheapest path through its uses, exactly, given where all others are: the step of which repair and
// local search are made. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mete/placement/room_tree.h"
#include "mete/placement/use_index.h"

namespace mete {

/// Which placements a solver may choose.
enum class MoveKind {
  none,         ///< a tensor stays where it was born (static)
  synchronous,  ///< the step waits for every move
  overlapped,   ///< for bounds: a move costs nothing if a kernel runs between the two uses
};

/// What fast memory costs, in seconds per byte and kernel: a linear program's prices, which let a
/// greedy choice leave room for others. Empty: nothing.
class MemoryPrices {
 public:
  MemoryPrices() = default;
  /// One price per kernel, ≥ 0.
  explicit MemoryPrices(std::span<const double> per_kernel);
  [[nodiscard]] double between(std::size_t from, std::size_t to) const {
    return sums_.empty() || from >= to ? 0 : sums_[to] - sums_[from];
  }

 private:
  std::vector<double> sums_;
};

class SearchState {
 public:
  /// Every tensor slow where it can be. The limit must be at least least_memory().
  SearchState(const Problem& problem, const UseIndex& index, std::uint64_t limit, MoveKind moves);

  /// What another state of the same problem holds.
  void take(const SearchState& other);
  /// Slow wherever the kernels allow it.
  void clear(std::size_t t);
  /// On its cheapest path, given the others; memory costs `prices` × scale on top.
  void place(std::size_t t, const MemoryPrices& prices = {}, double scale = 0);
  /// Keeps what a path holds, if there is room for it; false, unchanged, if there is not. Only for
  /// a tensor that is clear. `in` and `kept`: the tensor's uses and gaps.
  bool put(std::size_t t, std::span<const std::uint8_t> in, std::span<const std::uint8_t> kept);

  [[nodiscard]] double seconds() const { return seconds_; }
  [[nodiscard]] std::span<const std::uint8_t> in_fast(std::size_t t) const {
    return {in_.data() + index_.first[t], index_.uses_of(t)};
  }
  [[nodiscard]] std::span<const std::uint8_t> kept_fast(std::size_t t) const {
    return {kept_.data() + index_.first[t], index_.uses_of(t)};
  }
  [[nodiscard]] Placement placement() const;
  /// Steps of dynamic programming so far: how solvers bound their work the same on every machine.
  [[nodiscard]] std::uint64_t work() const { return work_; }

 private:
  struct Cell {
    double cost[3];
    std::uint8_t from[3];
  };

  [[nodiscard]] double kernel_seconds(std::size_t k) const;
  /// What use u costs more in slow memory than in fast, given the others.
  [[nodiscard]] double slow_extra(std::size_t u) const;
  void set_path(std::size_t t, const std::uint8_t* in, const std::uint8_t* kept);
  void occupy(std::size_t t, std::int64_t sign);
  [[nodiscard]] double move_seconds(std::size_t t) const;
  void best_path(std::size_t t, const MemoryPrices& prices, double scale);
  void best_still(std::size_t t, const MemoryPrices& prices, double scale);
  [[nodiscard]] bool fits_fast(std::size_t t, std::size_t from, std::size_t to) const {
    return room_.least(from, to) >= index_.bytes[t];
  }

  const Problem& problem_;
  const UseIndex& index_;
  MoveKind moves_;
  RoomTree room_;
  std::vector<std::uint8_t> in_;     ///< per use
  std::vector<std::uint8_t> kept_;   ///< per use: the gap after it
  std::vector<std::uint32_t> mask_;  ///< per kernel with a table
  std::vector<std::uint8_t> must_;   ///< per tensor: some use cannot be slow
  std::vector<Cell> cells_;
  std::vector<std::uint8_t> new_in_, new_kept_;
  double seconds_ = 0;
  std::uint64_t work_ = 0;
};

}  // namespace mete
