// The judge of packings: a sweep through time that holds what lies in the pool.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>
#include <tuple>

#include "mete/execute/packing.h"

namespace mete {
namespace {

struct Event {
  std::uint64_t at = 0;
  bool begins = false;  // what ends goes first
  std::size_t item = 0;
};

std::vector<Event> events_of(std::span<const PackItem> items) {
  std::vector<Event> events;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].bytes == 0) continue;
    for (const auto& span : items[i].spans) {
      events.push_back({span.begin, true, i});
      events.push_back({span.end, false, i});
    }
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.at, a.begins, a.item) < std::tie(b.at, b.begins, b.item);
  });
  return events;
}

}  // namespace

Result<void> check_packing(std::span<const PackItem> items, const Packing& packing) {
  if (packing.offsets.size() != items.size()) {
    return fail(Errc::internal, "{} offsets for {} items", packing.offsets.size(), items.size());
  }
  std::map<std::uint64_t, std::size_t> lying;  // by offset
  for (const auto& event : events_of(items)) {
    const std::uint64_t from = packing.offsets[event.item];
    const std::uint64_t bytes = items[event.item].bytes;
    if (!event.begins) {
      lying.erase(from);
      continue;
    }
    if (from % kPackAlignment != 0 || bytes > packing.bytes || from > packing.bytes - bytes) {
      return fail(Errc::internal, "item {}: {} bytes at {} in a pool of {}", event.item, bytes,
                  from, packing.bytes);
    }
    const auto next = lying.lower_bound(from);
    if (next != lying.end() && next->first < from + bytes) {
      return fail(Errc::internal, "items {} and {} lie on each other at time {}", event.item,
                  next->second, event.at);
    }
    if (next != lying.begin()) {
      const auto before = std::prev(next);
      if (before->first + items[before->second].bytes > from) {
        return fail(Errc::internal, "items {} and {} lie on each other at time {}", event.item,
                    before->second, event.at);
      }
    }
    lying.emplace(from, event.item);
  }
  return {};
}

}  // namespace mete
