// TIME, read from the session's clock.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/time/time_provider.h"

#include <algorithm>

#include "mete/provider/request_check.h"

namespace mete {
namespace {

ProviderInfo describe_time() {
  ProviderInfo info;
  info.name = "time";
  info.description = "Elapsed time of the session's clock";
  info.signals.push_back({.name = "TIME",
                          .description = "Time since the start of the session",
                          .unit = "s",
                          .domain = Domain::board,
                          .aggregation = Aggregation::select_first,
                          .behavior = Behavior::monotone,
                          .source = Source::counter,
                          .format = Format::number});
  return info;
}

class TimeProvider final : public Provider {
 public:
  TimeProvider(const Clock& clock, Nanoseconds origin)
      : clock_(clock), origin_(origin), info_(describe_time()) {}

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}

  Result<int> push_signal(const Request& request) override {
    METE_TRY([[maybe_unused]] const std::size_t row, find_signal(info_, request, 1));
    return static_cast<int>(pushed_++);
  }

  void read_batch(std::span<Reading> out) noexcept override {
    const Reading now{to_seconds(clock_.now() - origin_), std::nullopt};
    std::fill_n(out.begin(), std::min(out.size(), pushed_), now);
  }

 private:
  const Clock& clock_;
  Nanoseconds origin_;
  ProviderInfo info_;
  std::size_t pushed_ = 0;
};

}  // namespace

std::unique_ptr<Provider> make_time_provider(const Clock& clock, Nanoseconds origin) {
  return std::make_unique<TimeProvider>(clock, origin);
}

}  // namespace mete
