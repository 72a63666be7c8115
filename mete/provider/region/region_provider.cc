// One load from shared memory per reading: the program does the counting.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/region/region_provider.h"

#include <algorithm>

#include "mete/provider/request_check.h"

namespace mete {
namespace {

ProviderInfo describe_regions(bool listening) {
  ProviderInfo info;
  info.name = "region";
  info.description = "What a program tells of itself";
  info.available = listening;
  if (!listening) {
    info.absences.push_back(
        {"EPOCH_COUNT", "a program counts its epochs itself, and only `mete run` listens to it",
         "call mete.progress() in the program (docs/regions.md) and run it with "
         "`mete run --signals EPOCH_COUNT`"});
    return info;
  }
  info.signals.push_back(
      {.name = "EPOCH_COUNT",
       .description = "Epochs that the program has counted with mete::progress()",
       .unit = "",
       .domain = Domain::board,
       .aggregation = Aggregation::select_first,
       .behavior = Behavior::monotone,
       .source = Source::counter,
       .format = Format::integer});
  return info;
}

class RegionProvider final : public Provider {
 public:
  explicit RegionProvider(const std::atomic<std::uint64_t>* epochs)
      : epochs_(epochs), info_(describe_regions(epochs != nullptr)) {}

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}

  Result<int> push_signal(const Request& request) override {
    METE_TRY([[maybe_unused]] const std::size_t row, find_signal(info_, request, 1));
    return static_cast<int>(pushed_++);
  }

  void read_batch(std::span<Reading> out) noexcept override {
    if (pushed_ == 0) return;
    const Reading now{static_cast<double>(epochs_->load(std::memory_order_relaxed)), std::nullopt};
    std::fill_n(out.begin(), std::min(out.size(), pushed_), now);
  }

 private:
  const std::atomic<std::uint64_t>* epochs_;
  ProviderInfo info_;
  std::size_t pushed_ = 0;
};

}  // namespace

std::unique_ptr<Provider> make_region_provider(const std::atomic<std::uint64_t>* epochs) {
  return std::make_unique<RegionProvider>(epochs);
}

}  // namespace mete
