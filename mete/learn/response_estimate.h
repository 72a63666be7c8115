// Response estimate: what is believed of one piece of work after it was seen at some clocks. Each
// curve of a model is a hypothesis, weighed by how well it agrees with all that was seen; their
// mean and the hints, each with its own doubt, make the estimate. See docs/agents/frontier.md.
//
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "mete/learn/response_model.h"

namespace mete {

/// A model's curves at the clocks of one device; made once.
class ResponseTable {
 public:
  /// `shares`: ascending, the last is 1. Between a model's shares curves are straight in the log of
  /// the share; below the lowest, time is taken to go with the clock's period.
  ResponseTable(const ResponseModel& model, std::span<const double> shares);

  [[nodiscard]] std::size_t clocks() const { return shares_.size(); }
  [[nodiscard]] std::size_t curves() const { return activity_.size(); }
  [[nodiscard]] double share(std::size_t clock) const { return shares_[clock]; }
  [[nodiscard]] double log_time(std::size_t clock, std::size_t curve) const {
    return log_time_[clock * curves() + curve];
  }
  [[nodiscard]] double log_power(std::size_t clock, std::size_t curve) const {
    return log_power_[clock * curves() + curve];
  }
  [[nodiscard]] const ResponseActivity& activity(std::size_t curve) const {
    return activity_[curve];
  }
  [[nodiscard]] double bias(HintKind kind, std::size_t clock) const {
    return bias_[static_cast<std::size_t>(kind)][clock];
  }
  [[nodiscard]] double spread(HintKind kind, std::size_t level) const {
    return spread_[static_cast<std::size_t>(kind)][level];
  }
  /// The longest time that the curves, or the clock's period, make believable; log.
  [[nodiscard]] double longest(std::size_t clock) const { return longest_[clock]; }

 private:
  std::vector<double> shares_;
  std::vector<double> log_time_;   ///< [clock * curves + curve]
  std::vector<double> log_power_;  ///< likewise
  std::vector<ResponseActivity> activity_;
  std::array<std::vector<double>, kHintKinds> bias_;
  std::array<std::array<double, kLevels>, kHintKinds> spread_{};
  std::vector<double> longest_;
};

/// What was seen while the work ran at one clock. NaN: not known.
struct ResponseSeen {
  double watts = 0;
  double rate = 0;  ///< progress per second, in whatever unit it is told
  ResponseActivity activity{};
  double rate_doubt = 0;  ///< standard deviation of log rate, from counting in whole steps
  int progress = 0;       ///< which source of progress: rates of two sources cannot be compared
};

struct ResponseAnswer {
  bool seen = false;
  double log_time = 0;   ///< against the highest clock
  double doubt = 0;      ///< standard deviation of log_time
  double log_power = 0;  ///< against the highest clock
};

class ResponseEstimate {
 public:
  /// The table must outlive it. All memory is taken here; the rest neither allocates nor throws.
  explicit ResponseEstimate(const ResponseTable& table);

  /// Forgets everything, and begins with the work as seen at the highest clock.
  void start(const ResponseSeen& top) noexcept;
  /// Seen at another clock; a clock that was seen already is left as it was.
  void add(std::size_t clock, const ResponseSeen& seen) noexcept;
  /// Of a clock that was seen: curves and hints. Of others: the curves' opinion.
  [[nodiscard]] const ResponseAnswer& at(std::size_t clock) const noexcept {
    return answers_[clock];
  }
  [[nodiscard]] std::size_t clocks() const noexcept { return answers_.size(); }
  [[nodiscard]] const ResponseTable& table() const noexcept { return *table_; }

 private:
  static constexpr std::size_t kMostHints = kResponseActivities;
  struct Hint {
    double log_time = 0;
    double variance = 0;
  };
  struct Hints {
    std::array<Hint, kMostHints> all{};
    std::size_t count = 0;
    double progress = 0;  ///< log time as progress tells it; NaN if it does not
    double progress_doubt = 0;
    double log_power = 0;
  };

  void collect(std::size_t clock, const ResponseSeen& seen) noexcept;
  void weigh(std::size_t clock) noexcept;
  void answer_all() noexcept;
  void answer(std::size_t clock) noexcept;

  const ResponseTable* table_;
  ResponseSeen top_;
  std::vector<double> log_likelihood_;  ///< per curve
  std::vector<double> weight_;          ///< per curve, sum 1
  std::vector<Hints> hints_;            ///< per clock
  std::vector<ResponseAnswer> answers_;
};

}  // namespace mete
