// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/region_spans.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace mete {
namespace {

static_assert(kRegionThreads <= 64, "a span knows its threads by a bit each");
// With every name in one span each there is still room: halving always ends.
static_assert(kRegionNames <= kMostRegionSpans / 2);

/// The first gap that is closed; below it a page of any width draws one band.
constexpr Nanoseconds kFirstGap = std::chrono::microseconds(100);

}  // namespace

RegionSpans::RegionSpans() {
  spans_.reserve(kMostRegionSpans);
  levels_.fill(std::numeric_limits<std::uint16_t>::max());
}

void RegionSpans::set_window(Nanoseconds first, Nanoseconds last) noexcept {
  first_ = first;
  last_ = std::max(first, last);
}

bool RegionSpans::touch(const Span& a, const Span& b) const {
  return a.begin - gap_ <= b.end && b.begin - gap_ <= a.end;
}

void RegionSpans::join(Span& into, const Span& from) {
  into.begin = std::min(into.begin, from.begin);
  into.end = std::max(into.end, from.end);
  into.busy += from.busy;
  into.count += from.count;
  into.threads |= from.threads;
}

void RegionSpans::add(std::uint32_t name, std::size_t thread, std::size_t level, Nanoseconds begin,
                      Nanoseconds end) noexcept {
  Span span;
  span.begin = std::clamp(begin, first_, last_);
  span.end = std::clamp(end, span.begin, last_);
  span.busy = span.end - span.begin;
  span.count = 1;
  span.threads = std::uint64_t{1} << (thread % 64);
  span.name = name;
  levels_[name] = static_cast<std::uint16_t>(std::min<std::size_t>(levels_[name], level));
  // Of a loop of short regions the last span takes the next one in: no more work than that.
  if (const auto latest = latest_[name]; latest > 0 && gap_ > Nanoseconds(0)) {
    Span& before = spans_[latest - 1];
    if (touch(before, span)) return join(before, span);
  }
  if (spans_.size() == kMostRegionSpans) halve();
  spans_.push_back(span);
  latest_[name] = static_cast<std::uint32_t>(spans_.size());
}

/// One pass over spans sorted by name and beginning.
void RegionSpans::merge_near() {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < spans_.size(); ++i) {
    if (spans_[kept].name == spans_[i].name && touch(spans_[kept], spans_[i])) {
      join(spans_[kept], spans_[i]);
    } else {
      spans_[++kept] = spans_[i];
    }
  }
  spans_.resize(kept + 1);
}

void RegionSpans::halve() {
  std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
    return a.name != b.name ? a.name < b.name : a.begin < b.begin;
  });
  while (spans_.size() > kMostRegionSpans / 2) {
    gap_ = gap_ == Nanoseconds(0) ? kFirstGap : 2 * gap_;
    merge_near();
  }
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    latest_[spans_[i].name] = static_cast<std::uint32_t>(i + 1);
  }
}

void RegionSpans::append_to(std::vector<RegionSpan>& out, std::uint32_t name) const {
  for (const Span& span : spans_) {
    if (span.name != name) continue;
    out.push_back({to_seconds(span.begin - first_), to_seconds(span.end - first_), span.count,
                   to_seconds(span.busy), static_cast<std::uint32_t>(std::popcount(span.threads))});
  }
  std::sort(out.begin(), out.end(),
            [](const RegionSpan& a, const RegionSpan& b) { return a.begin < b.begin; });
}

}  // namespace mete
