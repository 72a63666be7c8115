// The numbered steps are those of README.md.
// SPDX-License-Identifier: BSD-3-Clause
#include "templates/provider/power_meter_provider.h"

#include <algorithm>
#include <utility>

#include "mete/provider/linux/kernel_file.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

constexpr const char* kFile = "/sys/class/power_meter/power_milliwatts";
constexpr double kMilliwatt = 1e-3;

class PowerMeterProvider final : public Provider {
 public:
  // 1. Look for the hardware, and say what is there. Never fail: what is missing is an Absence,
  // with the next step.
  explicit PowerMeterProvider(SysRoot root) : root_(std::move(root)) {
    info_.name = "power_meter";
    info_.description = "A board power meter";
    info_.available = root_.exists(kFile);
    if (!info_.available) {
      info_.absences.push_back(
          {"BOARD_POWER", "no " + root_.path(kFile), "load the driver of the power meter"});
      return;
    }
    info_.signals.push_back({.name = "BOARD_POWER",
                             .description = "Power drawn by the whole board",
                             .unit = "W",
                             .domain = Domain::board,
                             .aggregation = Aggregation::sum,
                             .behavior = Behavior::variable,
                             .source = Source::sampled,
                             .format = Format::number});
  }

  const ProviderInfo& info() const override { return info_; }

  // 2. Add the parts of the node that this provider alone knows of, such as its GPUs. This one adds
  // none.
  void describe(Topology& /*topology*/) const override {}

  // 3. Check the request, read once to see that it works, hand out the next handle.
  Result<int> push_signal(const Request& request) override {
    constexpr int kParts = 1;
    METE_TRY([[maybe_unused]] const std::size_t row, find_signal(info_, request, kParts));
    if (!file_.is_open()) {
      METE_TRY(file_, KernelFile::open(root_, kFile));
    }
    const Reading trial = file_.read_number(kMilliwatt);
    if (trial.fault) return fail(*trial.fault, "{}: expected one number", root_.path(kFile));
    return static_cast<int>(pushed_++);
  }

  // 4. Read. This runs at up to 1 kHz: no memory, no exceptions, no waiting; a failure is a fault,
  // never 0.
  void read_batch(std::span<Reading> out) noexcept override {
    if (pushed_ == 0) return;
    const Reading now = file_.read_number(kMilliwatt);
    std::fill_n(out.begin(), std::min(out.size(), pushed_), now);
  }

 private:
  SysRoot root_;
  ProviderInfo info_;
  KernelFile file_;
  std::size_t pushed_ = 0;
};

}  // namespace

std::unique_ptr<Provider> make_power_meter_provider(SysRoot root) {
  return std::make_unique<PowerMeterProvider>(std::move(root));
}

}  // namespace mete
