// Board: what others measured on a real device, kernel by kernel and clock by clock, to be
// replayed.
//
//   kernel     a piece of work that was measured: "vectorAdd", "gemm-float-1024"
//   clock      a core clock at which it was measured
//   point      its time, power and activities at one clock
//
// The CSV form is described in docs/formats/board.md.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// The activity columns a board may have, in the order of OperatingPoint::activities.
inline constexpr std::size_t kActivityCount = 7;
inline constexpr std::array<std::string_view, kActivityCount> kActivityColumns{
    "sm_active",   "sm_occupancy", "dram_active",  "fp16_active",
    "fp32_active", "fp64_active",  "tensor_active"};

/// One kernel at one clock.
struct OperatingPoint {
  double seconds = 0;  ///< of one run of the kernel
  double watts = 0;    ///< mean power while it runs
  std::array<double, kActivityCount>
      activities{};  ///< fractions 0..1; 0 where the board has no such column
};

struct BoardKernel {
  std::string name;                    ///< unique on its board
  std::string set;                     ///< the group it was published in; may be empty
  std::vector<OperatingPoint> points;  ///< one for each of the board's clocks
};

struct Board {
  std::string name;
  std::string source;  ///< the comment lines at the head of its file: where the figures come from
  std::vector<double> clocks;        ///< Hz, ascending, at least two
  std::vector<BoardKernel> kernels;  ///< in the order of the file
  std::array<bool, kActivityCount> has_activity{};
  std::vector<std::string> notes;  ///< what was filled in or left out on reading, one line each

  [[nodiscard]] std::vector<std::string> kernel_names() const;
  /// The kernel's place in `kernels`; the error offers the nearest names.
  [[nodiscard]] Result<std::size_t> find_kernel(std::string_view kernel) const;
  /// The kernel at any clock, clamped to the measured range. At a measured clock: the measured
  /// values themselves.
  [[nodiscard]] OperatingPoint at(std::size_t kernel, double hertz) const noexcept;
  /// The lowest power of any kernel at any clock, W.
  [[nodiscard]] double lowest_watts() const noexcept;
};

/// Between two measured points. Time is linear in the clock's period, because a kernel's time is a
/// part that does not depend on the core clock (memory, launch) and a part that is a number of
/// cycles: t = a + b/f. Power and activities are linear in the clock: between neighbours a few per
/// cent apart, voltage hardly bends the line.
OperatingPoint interpolate(double low_hertz, const OperatingPoint& low, double high_hertz,
                           const OperatingPoint& high, double hertz) noexcept;

/// A board from the text of a CSV file. `file` names it in errors ("FILE:LINE: ..").
Result<Board> parse_board(std::string_view csv, std::string name, const std::string& file);
/// A built-in board by its name, or a CSV file by its path.
Result<Board> load_board(const std::string& name_or_path);
std::vector<std::string> builtin_board_names();

}  // namespace mete
