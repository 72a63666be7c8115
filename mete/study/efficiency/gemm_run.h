// GemmRun: one measured matrix multiply of an efficiency study: what was asked for, what was
// observed, the raw power samples and every oddity found in them. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mete {

/// What was asked for. Two runs of equal points are trials of one another.
struct GemmPoint {
  std::string device;       ///< "AGX", "cpu", "cuda:0"
  std::string dtype;        ///< "half", "float", "double", "bf16", ..
  std::string tensor;       ///< "tensor" or "nontensor": requested, not observed
  std::uint64_t rows = 0;   ///< M, and N: the product is rows × rows
  std::uint64_t depth = 0;  ///< K
  double frequency = 0;     ///< Hz; 0 if the clock was left as it was

  [[nodiscard]] bool square() const { return rows == depth; }
  /// "1024", or "1024x96" (rows x depth).
  [[nodiscard]] std::string size_text() const;
  /// Floating-point operations of one multiply: M·N·(2K-1), as the Jetson study counts.
  [[nodiscard]] double operations() const;
  auto operator<=>(const GemmPoint&) const = default;
};

struct PowerSample {
  double time = 0;   ///< s, of any origin
  double watts = 0;  ///< as the meter told it, zeros and spikes included
};

/// Something about a run that a reader of its figures should know.
struct Oddity {
  std::string kind;    ///< "zero-reading": stable, for machines
  std::string detail;  ///< one line for people
};

/// Facts that every measured run states in this list, and which are nothing odd.
inline bool is_plain_fact(const Oddity& oddity) {
  return oddity.kind == "implementation" || oddity.kind == "fill" || oddity.kind == "pages";
}

struct GemmRun {
  GemmPoint point;
  std::vector<PowerSample> power;  ///< ascending in time; empty if there was no meter
  double flops = std::numeric_limits<double>::quiet_NaN();       ///< FLOP/s; NaN if not told
  double iterations = std::numeric_limits<double>::quiet_NaN();  ///< NaN if not told
  double seconds =
      std::numeric_limits<double>::quiet_NaN();  ///< of all iterations; NaN if not told
  std::string tensor_observed;                   ///< "" if nobody looked
  std::string power_source;  ///< "wall meter", "GPU_POWER sampled", ..; "" if none
  std::string origin;        ///< the file it was read from, or the session that measured it
  std::vector<Oddity> oddities;
};

}  // namespace mete
