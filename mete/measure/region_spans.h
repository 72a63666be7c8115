// RegionSpans: when regions were entered, for a time line. Holds a bounded number of spans however
// long a run is: where more come, the nearest of one region become one. Used from the session's
// thread; allocates at its construction only. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mete/base/clock.h"
#include "mete/measure/session.h"
#include "mete/region/layout.h"

namespace mete {

/// Of all regions together: 200 KiB.
inline constexpr std::size_t kMostRegionSpans = 4096;

class RegionSpans {
 public:
  RegionSpans();

  /// What lies outside is cut off: writers may put any time there.
  void set_window(Nanoseconds first, Nanoseconds last) noexcept;
  /// `name` below kRegionNames, `thread` below kRegionThreads; `level`: how many regions it was
  /// within.
  void add(std::uint32_t name, std::size_t thread, std::size_t level, Nanoseconds begin,
           Nanoseconds end) noexcept;

  /// Adds those of one name to `out`, by their beginning, in seconds since the window's first.
  void append_to(std::vector<RegionSpan>& out, std::uint32_t name) const;
  /// The least level at which a name was entered.
  [[nodiscard]] std::size_t level(std::uint32_t name) const { return levels_[name]; }
  [[nodiscard]] std::size_t size() const { return spans_.size(); }

 private:
  struct Span {
    Nanoseconds begin{0};
    Nanoseconds end{0};
    Nanoseconds busy{0};
    std::uint64_t count = 0;
    std::uint64_t threads = 0;  // a bit each
    std::uint32_t name = 0;
  };
  [[nodiscard]] bool touch(const Span& a, const Span& b) const;
  static void join(Span& into, const Span& from);
  void merge_near();
  void halve();

  std::vector<Span> spans_;
  std::array<std::uint32_t, kRegionNames> latest_{};  // place of a name's last span, plus 1
  std::array<std::uint16_t, kRegionNames> levels_{};
  Nanoseconds first_{0};
  Nanoseconds last_{0};
  Nanoseconds gap_{0};  // spans of one name no farther apart than this become one
};

}  // namespace mete
