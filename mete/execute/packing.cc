// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/packing.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "mete/base/rng.h"

namespace mete {
namespace {

constexpr double kStepsOfEffort = 4e8;  // looks at a placed item: about a second
constexpr std::size_t kStarts = 6;

std::uint64_t rounded(std::uint64_t bytes) {
  return (bytes + kPackAlignment - 1) / kPackAlignment * kPackAlignment;
}

std::uint64_t lifetime(const PackItem& item) {
  std::uint64_t sum = 0;
  for (const auto& span : item.spans) sum += span.end - span.begin;
  return sum;
}

struct Change {
  std::uint64_t at = 0;
  std::int64_t bytes = 0;
};

std::uint64_t peak_of(std::span<const PackItem> items) {
  std::vector<Change> changes;
  for (const auto& item : items) {
    const auto bytes = static_cast<std::int64_t>(rounded(item.bytes));
    for (const auto& span : item.spans) {
      changes.push_back({span.begin, bytes});
      changes.push_back({span.end, -bytes});
    }
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return a.at != b.at ? a.at < b.at : a.bytes < b.bytes;  // what ends makes room first
  });
  std::int64_t now = 0;
  std::int64_t peak = 0;
  for (const auto& change : changes) peak = std::max(peak, now += change.bytes);
  return static_cast<std::uint64_t>(peak);
}

using Order = std::vector<std::uint32_t>;

/// Places items one by one, each at the lowest or the tightest gap among those that live with it.
class Placer {
 public:
  explicit Placer(std::span<const PackItem> items) : items_(items), offset_(items.size(), 0) {
    for (const auto& item : items) {
      size_.push_back(rounded(item.bytes));
      first_.push_back(item.spans.front().begin);
      last_.push_back(item.spans.back().end);
    }
  }

  /// The height reached; stops early once it is `hopeless` or more.
  std::uint64_t place(const Order& order, bool tightest, std::uint64_t hopeless) {
    placed_.clear();
    height_ = 0;
    for (const auto i : order) {
      offset_[i] = tightest ? tightest_gap(i) : lowest_gap(i);
      height_ = std::max(height_, offset_[i] + size_[i]);
      if (height_ >= hopeless) return height_;
      const auto at = std::upper_bound(
          placed_.begin(), placed_.end(), offset_[i],
          [this](std::uint64_t offset, std::uint32_t p) { return offset < offset_[p]; });
      placed_.insert(at, i);
    }
    return height_;
  }

  [[nodiscard]] const std::vector<std::uint64_t>& offsets() const { return offset_; }
  [[nodiscard]] double steps() const { return steps_; }

 private:
  [[nodiscard]] bool together(std::uint32_t a, std::uint32_t b) const {
    if (first_[a] >= last_[b] || first_[b] >= last_[a]) return false;
    const auto& one = items_[a].spans;
    const auto& other = items_[b].spans;
    if (one.size() == 1 && other.size() == 1) return true;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < one.size() && j < other.size()) {
      if (one[i].begin < other[j].end && other[j].begin < one[i].end) return true;
      (one[i].end < other[j].end ? i : j)++;
    }
    return false;
  }

  std::uint64_t lowest_gap(std::uint32_t i) {
    std::uint64_t at = 0;
    for (const auto p : placed_) {
      ++steps_;
      if (offset_[p] + size_[p] <= at || !together(i, p)) continue;
      if (offset_[p] >= at + size_[i]) break;
      at = offset_[p] + size_[p];
    }
    return at;
  }

  std::uint64_t tightest_gap(std::uint32_t i) {
    std::uint64_t at = 0;
    std::uint64_t best = 0;
    std::uint64_t best_room = std::numeric_limits<std::uint64_t>::max();
    for (const auto p : placed_) {
      ++steps_;
      if (offset_[p] + size_[p] <= at || !together(i, p)) continue;
      if (offset_[p] >= at + size_[i] && offset_[p] - at < best_room) {
        best_room = offset_[p] - at;
        best = at;
      }
      at = offset_[p] + size_[p];
    }
    return best_room == std::numeric_limits<std::uint64_t>::max() ? at : best;
  }

  std::span<const PackItem> items_;
  std::vector<std::uint64_t> size_;
  std::vector<std::uint64_t> first_, last_;
  std::vector<std::uint64_t> offset_;
  std::vector<std::uint32_t> placed_;  ///< by offset
  std::uint64_t height_ = 0;
  double steps_ = 0;
};

/// Orders that experience favours; ties by birth, then by number.
std::vector<Order> greedy_orders(std::span<const PackItem> items) {
  const auto order_by = [&](auto key) {
    Order order(items.size());
    std::iota(order.begin(), order.end(), 0U);
    std::vector<double> keys;
    for (const auto& item : items) keys.push_back(key(item));
    std::erase_if(order, [&](std::uint32_t i) { return items[i].bytes == 0; });
    std::stable_sort(order.begin(), order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return keys[a] > keys[b]; });
    return order;
  };
  const auto size = [](const PackItem& item) { return static_cast<double>(item.bytes); };
  const auto life = [](const PackItem& item) { return static_cast<double>(lifetime(item)); };
  return {
      order_by([&](const PackItem& item) { return size(item) * life(item); }),
      order_by(size),
      order_by(life),
      order_by([](const PackItem& item) { return -static_cast<double>(item.spans.front().begin); }),
      order_by([](const PackItem& item) { return static_cast<double>(item.spans.back().end); }),
  };
}

/// One order, where it puts things, and how high that is.
struct Packed {
  Order order;
  bool tightest = false;
  std::vector<std::uint64_t> offsets;
  std::uint64_t height = std::numeric_limits<std::uint64_t>::max();
};

/// From the best few of the greedy orders: changes that are no worse are kept, so that it wanders.
class PackSearch {
 public:
  PackSearch(std::span<const PackItem> items, const PackRequest& request)
      : items_(items),
        placer_(items),
        rng_(request.seed),
        steps_(request.effort * kStepsOfEffort),
        peak_(peak_of(items)),
        enough_(
            std::max(static_cast<std::uint64_t>(static_cast<double>(peak_) * (1 + request.slack)),
                     request.goal_bytes)) {}

  Packing run() {
    for (auto& order : greedy_orders(items_)) {
      for (const bool tightest : {false, true}) {
        if (best_.height <= enough_) break;
        attempt(order, tightest, std::numeric_limits<std::uint64_t>::max());
        starts_.push_back(now_);
      }
    }
    std::stable_sort(starts_.begin(), starts_.end(),
                     [](const Packed& a, const Packed& b) { return a.height < b.height; });
    if (starts_.size() > kStarts) starts_.resize(kStarts);
    const auto starts = starts_;
    for (std::size_t i = 0; i < starts.size() && best_.height > enough_; ++i) {
      now_ = starts[i];
      const double until = steps_ * static_cast<double>(i + 1) / static_cast<double>(starts.size());
      while (now_.height > enough_ && placer_.steps() < until) {
        rng_.below(2) == 0 ? clear_the_way() : raise_top();
      }
    }
    return {.offsets = std::move(best_.offsets), .bytes = best_.height, .peak_bytes = peak_};
  }

 private:
  void attempt(const Order& order, bool tightest, std::uint64_t hopeless) {
    const auto height = placer_.place(order, tightest, hopeless);
    if (height >= hopeless) return;
    now_ = {order, tightest, placer_.offsets(), height};
    if (height <= best_.height) best_ = now_;
  }

  void attempt_near(const Order& order) {
    attempt(order, rng_.below(8) == 0 ? !now_.tightest : now_.tightest, now_.height + 1);
  }

  /// What ends above the line: its places in the order.
  [[nodiscard]] std::vector<std::size_t> above(std::uint64_t line) const {
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at < now_.order.size(); ++at) {
      const auto i = now_.order[at];
      if (now_.offsets[i] + rounded(items_[i].bytes) > line) out.push_back(at);
    }
    return out;
  }

  /// Places what reaches the top earlier, and swaps some others.
  void raise_top() {
    Order order = now_.order;
    for (const auto at : above(now_.height - 1)) shift(order, at, rng_.below(at + 1));
    for (std::size_t s = rng_.below(4); s > 0; --s) {
      std::swap(order[rng_.below(order.size())], order[rng_.below(order.size())]);
    }
    attempt_near(order);
  }

  /// Places something that sticks out earlier, and what may lie in its way somewhere else.
  void clear_the_way() {
    Order order = now_.order;
    const auto out = above(enough_);
    const std::size_t at = out[rng_.below(out.size())];
    const auto& top = items_[order[at]].spans;
    shift(order, at, rng_.below(at + 1));
    for (std::size_t s = rng_.below(4); s > 0; --s) {
      const std::size_t other = rng_.below(order.size());
      const auto& spans = items_[order[other]].spans;
      const bool near =
          spans.front().begin < top.back().end && top.front().begin < spans.back().end;
      if (near) shift(order, other, rng_.below(order.size()));
    }
    attempt_near(order);
  }

  static void shift(Order& order, std::size_t from, std::size_t to) {
    const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    if (to < from) std::rotate(at(to), at(from), at(from + 1));
    if (to > from) std::rotate(at(from), at(from + 1), at(to + 1));
  }

  std::span<const PackItem> items_;
  Placer placer_;
  Rng rng_;
  double steps_;
  std::uint64_t peak_;
  std::uint64_t enough_;
  Packed now_;
  Packed best_;
  std::vector<Packed> starts_;
};

}  // namespace

Packing pack(std::span<const PackItem> items, const PackRequest& request) {
  if (items.empty()) return {};
  return PackSearch(items, request).run();
}

}  // namespace mete
