// Response model: how time and power of a piece of work answer to the core clock, learned from
// measured kernels. It knows no clock to choose: that is for whoever knows the goal.
//
//   share      clock over the device's highest clock, 0..1
//   curve      log time and log power of one measured kernel at every share, against share 1
//   hint       what an activity says of the rate of progress. At a fixed memory clock, memory
//              activity is proportional to it, and so is any pipe's activity times the clock.
//   bias       by how much a hint errs at a share, in log time (a device may run slower than the
//              clock that it tells); spread: by how much it scatters around that
//
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"

namespace mete {

/// The activities, in this order: multiprocessors busy, memory, and the pipes.
inline constexpr std::size_t kResponseActivities = 6;
inline constexpr std::array<std::string_view, kResponseActivities> kResponseActivityNames{
    "core", "memory", "fp16", "fp32", "fp64", "tensor"};
inline constexpr std::size_t kMemoryActivity = 1;
/// Activities from here on are pipes; "core" gives no hint, because waiting counts as activity.
inline constexpr std::size_t kFirstPipe = 2;
/// An activity below this says nothing: it is as small as the counter's own noise.
inline constexpr double kLeastActivity = 0.003;

/// NaN: not known.
using ResponseActivity = std::array<double, kResponseActivities>;

/// Training data: kernels that were measured at every clock.
struct ResponsePoint {
  double seconds = 0;
  double watts = 0;
  ResponseActivity activity{};
};
struct ResponseCase {
  std::string name;
  std::vector<ResponsePoint> points;  ///< one per clock
};
struct ResponseData {
  std::string source;          ///< for provenance: "board v100, set=micro"
  std::vector<double> clocks;  ///< Hz, ascending, at least two
  std::vector<ResponseCase> cases;
};

struct ResponseCurve {
  std::string name;
  std::vector<double> log_time;   ///< one per share; 0 at the last
  std::vector<double> log_power;  ///< likewise
  ResponseActivity activity{};    ///< at the highest clock
};

/// The two kinds of hint.
enum class HintKind : std::size_t { memory = 0, pipe = 1 };
inline constexpr std::size_t kHintKinds = 2;
/// Spread depends on how large the activity is: upper ends of the levels; above, the last one.
inline constexpr std::array<double, 4> kActivityLevels{0.01, 0.03, 0.1, 0.3};
inline constexpr std::size_t kLevels = kActivityLevels.size() + 1;
std::size_t activity_level(double activity) noexcept;

struct HintNoise {
  std::vector<double> bias;  ///< one per share
  std::array<double, kLevels> spread{};
};

class ResponseModel {
 public:
  static constexpr std::size_t kMostCurves = 256;
  static constexpr std::size_t kMostShares = 512;

  /// What is known of any device: curves of work that is bound by the clock in part, by smooth and
  /// by sharp transitions; power by a textbook voltage curve; hints without bias. Learned from
  /// nothing.
  static ResponseModel generic();
  /// Invalid for data without two clocks, or with a time or power that is not above 0. Of more than
  /// kMostCurves kernels every n-th is kept as a curve; the hints learn from all. Fewer than 30
  /// kernels are joined by the generic curves.
  static Result<ResponseModel> learn(const ResponseData& data);
  /// Invalid with the place of the fault. `where` names the file.
  static Result<ResponseModel> from_json(const Json& json, std::string_view where);
  [[nodiscard]] Json to_json() const;

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const std::vector<double>& shares() const { return shares_; }
  [[nodiscard]] const std::vector<ResponseCurve>& curves() const { return curves_; }
  [[nodiscard]] const HintNoise& noise(HintKind kind) const {
    return noise_[static_cast<std::size_t>(kind)];
  }

 private:
  ResponseModel() = default;
  std::string source_;
  std::vector<double> shares_;  ///< ascending, the last is 1
  std::vector<ResponseCurve> curves_;
  std::array<HintNoise, kHintKinds> noise_;
};

/// Reads a model that `mete evaluate --save-model` wrote.
Result<ResponseModel> load_response_model(const std::string& path);

/// The log of time against share 1 that one activity hints at, without the bias. NaN where either
/// activity is unknown or too small. `activity` is its place in kResponseActivityNames, not core.
double hinted_log_time(std::size_t activity, double at_top, double now, double share) noexcept;

}  // namespace mete
