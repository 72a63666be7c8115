// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/epoch_sums.h"

#include <algorithm>
#include <cmath>

namespace mete {

void EpochSums::begin(std::vector<SignalTotal> totals) {
  const auto found = std::find_if(totals.begin(), totals.end(), [](const SignalTotal& one) {
    return one.request.name == "EPOCH_COUNT" && one.request.domain == Domain::board;
  });
  if (found == totals.end()) return;
  column_ = static_cast<std::size_t>(found - totals.begin());
  for (const auto& one : totals) sums_.emplace_back(one.behavior);
  rows_ = std::move(totals);
}

void EpochSums::add(std::span<const double> values, Nanoseconds now, double seconds) noexcept {
  if (column_ >= values.size()) return;
  const double count = values[column_];
  if (std::isnan(count)) return;
  if (!started_) before_ = count_ = count;
  started_ = true;
  const bool grew = count > count_;
  count_ = count;
  if (grew) last_ = now;
  if (!counting_ && !grew) return;
  // The sample that shows the first epoch is the beginning, so nothing before it counts.
  if (!counting_) {
    counting_ = true;
    first_ = now;
    first_count_ = count;
    seconds = 0;
  }
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i].add(values[i], seconds);
}

EpochTotals EpochSums::totals(Nanoseconds end) const {
  EpochTotals out;
  if (!counting_) return out;
  out.count = count_ - before_;
  out.seconds = to_seconds(end - first_);
  if (count_ > first_count_) out.period = to_seconds(last_ - first_) / (count_ - first_count_);
  out.totals = rows_;
  for (std::size_t i = 0; i < rows_.size(); ++i) out.totals[i].value = sums_[i].figure();
  return out;
}

}  // namespace mete
