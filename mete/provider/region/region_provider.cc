// A few loads from shared memory per reading: the program does the counting.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/region/region_provider.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "mete/provider/request_check.h"

namespace mete {
namespace {

struct Count {
  const char* name;
  const char* description;
  const char* absence;
  const char* next;
  std::uint64_t (ProgramCounts::*value)() const noexcept;
};

constexpr std::array<Count, 2> kCounts{{
    {"EPOCH_COUNT", "Epochs that the program has counted with mete::progress()",
     "a program counts its epochs itself, and only `mete run` listens to it",
     "call mete.progress() in the program (docs/regions.md) and run it with "
     "`mete run --signals EPOCH_COUNT`",
     &ProgramCounts::epochs},
    {"REGION_COUNT", "Regions that the program has left: of all threads, nested ones too",
     "a program marks its regions itself, and only `mete run` listens to it",
     "mark regions in the program (docs/regions.md) and run it with "
     "`mete run --signals REGION_COUNT`",
     &ProgramCounts::regions},
}};

ProviderInfo describe_regions(bool listening) {
  ProviderInfo info;
  info.name = "region";
  info.description = "What a program tells of itself";
  info.available = listening;
  for (const Count& count : kCounts) {
    if (!listening) {
      info.absences.push_back({count.name, count.absence, count.next});
      continue;
    }
    info.signals.push_back({.name = count.name,
                            .description = count.description,
                            .unit = "",
                            .domain = Domain::board,
                            .aggregation = Aggregation::select_first,
                            .behavior = Behavior::monotone,
                            .source = Source::counter,
                            .format = Format::integer});
  }
  return info;
}

class RegionProvider final : public Provider {
 public:
  explicit RegionProvider(const ProgramCounts* counts)
      : counts_(counts), info_(describe_regions(counts != nullptr)) {}

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}

  Result<int> push_signal(const Request& request) override {
    METE_TRY(const std::size_t row, find_signal(info_, request, 1));
    pushed_.push_back(row);
    return static_cast<int>(pushed_.size()) - 1;
  }

  void read_batch(std::span<Reading> out) noexcept override {
    for (std::size_t i = 0; i < std::min(out.size(), pushed_.size()); ++i) {
      out[i] = {static_cast<double>((counts_->*kCounts[pushed_[i]].value)()), std::nullopt};
    }
  }

 private:
  const ProgramCounts* counts_;
  ProviderInfo info_;
  std::vector<std::size_t> pushed_;
};

}  // namespace

std::unique_ptr<Provider> make_region_provider(const ProgramCounts* counts) {
  return std::make_unique<RegionProvider>(counts);
}

}  // namespace mete
