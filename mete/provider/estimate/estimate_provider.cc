// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/estimate/estimate_provider.h"

#include <array>
#include <vector>

#include "mete/base/text.h"
#include "mete/provider/linux/kernel_file.h"

namespace mete {
namespace {

constexpr double kWattsPerCpu = 4;
constexpr double kIdleShare = 0.1;
/// Fewer ticks of 10 ms than this tell no load.
constexpr double kLeastTicks = 5;

class EstimateProvider final : public Provider {
 public:
  EstimateProvider(const SysRoot& root, const Clock& clock, LoadModel model)
      : clock_(clock), model_(model) {
    info_.name = "estimate";
    info_.description = "a load model of the CPUs' power, asked for by --estimate";
    if (auto file = KernelFile::open(root, "/proc/stat")) file_ = std::move(*file);
    if (!read_ticks(busy_, total_)) {
      info_.available = false;
      info_.absences.push_back(
          {"estimates", "/proc/stat cannot be read", "run where /proc is mounted"});
      return;
    }
    last_ = clock_.now();
    SignalInfo power;
    power.name = "CPU_POWER_ESTIMATE";
    power.description = "Power of the CPUs by a load model: a guess, not a measurement";
    power.unit = "W";
    power.aggregation = Aggregation::sum;
    power.source = Source::estimated;
    SignalInfo energy = power;
    energy.name = "CPU_ENERGY_ESTIMATE";
    energy.description = "Energy of the CPUs by a load model: a guess, not a measurement";
    energy.unit = "J";
    energy.behavior = Behavior::monotone;
    info_.signals = {power, energy};
  }

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}
  Result<int> push_signal(const Request& request) override {
    for (const auto& signal : info_.signals) {
      if (signal.name != request.name) continue;
      pushed_.push_back(signal.unit == "J");
      return static_cast<int>(pushed_.size()) - 1;
    }
    return fail(Errc::invalid, "estimate: has no signal {}", request.name);
  }
  void read_batch(std::span<Reading> out) noexcept override {
    update();
    for (std::size_t i = 0; i < pushed_.size(); ++i) {
      out[i] = pushed_[i]   ? Reading{joules_, std::nullopt}
               : watts_ < 0 ? Reading::missing(Errc::retry)
                            : Reading{watts_, std::nullopt};
    }
  }

 private:
  bool read_ticks(double& busy, double& total) noexcept {
    if (!file_.is_open()) return false;
    const auto read = file_.read(buffer_);
    std::string_view text = read.text;
    if (read.fault || !text.starts_with("cpu ")) return false;
    text.remove_prefix(4);
    std::array<double, 7> ticks{};  // user nice system idle iowait irq softirq
    for (double& one : ticks) {
      if (!take_number(text, one)) return false;
    }
    busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
    total = busy + ticks[3] + ticks[4];
    return true;
  }
  void update() noexcept {
    double busy = 0;
    double total = 0;
    if (!read_ticks(busy, total)) return;
    const Nanoseconds now = clock_.now();
    // The time since the last step of the kernel's count is estimated when that count moves.
    if (total - total_ < kLeastTicks || now <= last_) return;
    const double load = std::min(1.0, std::max(0.0, (busy - busy_) / (total - total_)));
    watts_ = model_.idle_watts + (model_.full_watts - model_.idle_watts) * load;
    joules_ += watts_ * to_seconds(now - last_);
    busy_ = busy;
    total_ = total;
    last_ = now;
  }

  const Clock& clock_;
  LoadModel model_;
  ProviderInfo info_;
  KernelFile file_;
  std::array<char, 512> buffer_{};
  std::vector<bool> pushed_;  // true: the energy
  double busy_ = 0;
  double total_ = 0;
  double watts_ = -1;
  double joules_ = 0;
  Nanoseconds last_{0};
};

}  // namespace

Result<LoadModel> parse_load_model(std::string_view text, const SysRoot& root) {
  if (trim(text) == "auto") {
    const auto online = root.read_text("/sys/devices/system/cpu/online");
    const auto cpus = online ? parse_cpu_list(*online) : Result<std::vector<int>>(online.error());
    if (!cpus || cpus->empty()) {
      return fail(Errc::unavailable,
                  "--estimate auto: how many CPUs there are is not known here; give IDLE:FULL, as "
                  "in 12W:95W");
    }
    const double full = kWattsPerCpu * static_cast<double>(cpus->size());
    return LoadModel{kIdleShare * full, full, true};
  }
  const auto parts = split(text, ':');
  if (parts.size() == 2) {
    const auto idle = parse_quantity(trim(parts[0]), "W");
    const auto full = parse_quantity(trim(parts[1]), "W");
    if (idle && full && *idle >= 0 && *full >= *idle && *full <= 1e5) {
      return LoadModel{*idle, *full, false};
    }
  }
  return fail(Errc::invalid,
              "--estimate '{}': expected auto, or the watts when idle and at full load, as in "
              "12W:95W",
              text);
}

Json to_json(const LoadModel& model) {
  return Json::object(
      {{"model", "watts = idle + (full - idle) * busy share of CPU time"},
       {"idle_watts", model.idle_watts},
       {"full_watts", model.full_watts},
       {"constants", model.assumed ? "assumed: 4 W per logical CPU, a tenth of it when idle"
                                   : "given by the user"}});
}

std::unique_ptr<Provider> make_estimate_provider(const SysRoot& root, const Clock& clock,
                                                 LoadModel model) {
  return std::make_unique<EstimateProvider>(root, clock, model);
}

}  // namespace mete
