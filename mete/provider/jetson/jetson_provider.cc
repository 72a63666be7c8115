// Offers what a Jetson's rails and GPU tell, and reads them.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/jetson/jetson_provider.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/provider/hwmon/sensor.h"
#include "mete/provider/jetson/gpu_clock.h"
#include "mete/provider/jetson/jetson_board.h"
#include "mete/provider/jetson/rail_integral.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

constexpr double kMilli = 1e-3;

SensorFiles files_of(const JetsonRail& rail) {
  if (!rail.milliwatts.empty()) return {rail.milliwatts, "", kMilli};
  return {rail.volts, rail.amperes, kMilli * kMilli};
}

class JetsonProvider final : public Provider {
 public:
  JetsonProvider(SysRoot root, const Clock& clock);

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& topology) const override {
    for (const Domain domain : {Domain::gpu, Domain::package}) {
      const bool here = std::any_of(info_.signals.begin(), info_.signals.end(),
                                    [&](const SignalInfo& s) { return s.domain == domain; });
      if (here && topology.count(domain) < 1) topology.set_count(domain, 1);
    }
  }
  Result<int> push_signal(const Request& request) override;
  void read_batch(std::span<Reading> out) noexcept override;
  Controls* controls() override { return controls_ ? &*controls_ : nullptr; }

 private:
  struct Offer {
    std::vector<std::size_t> rails;  // of rails_, added up
    SensorFiles file;                // or one file
    double constant = 0;             // or a value that does not change, with no file to read
    bool is_energy = false;
    bool is_share = false;
  };
  struct Slot {
    std::size_t offer = 0;
    std::vector<Sensor> sensors;
    RailIntegral integral;
  };

  void find_rails(const JetsonBoard& board);
  void find_gpu();
  void find_gpu_range(const std::vector<double>& clocks);
  void offer(SignalInfo info, Offer offer) {
    info_.signals.push_back(std::move(info));
    offers_.push_back(std::move(offer));
  }
  /// Power of the rails named, and its integral, if all are there.
  bool offer_sum(std::string_view rails, const char* power, const char* energy, Domain domain,
                 const char* of);
  Reading reading_of(Slot& slot) noexcept;

  SysRoot root_;
  const Clock& clock_;
  ProviderInfo info_;
  std::vector<JetsonRail> rails_;
  std::string gpu_;
  std::vector<Offer> offers_;  // beside info_.signals
  std::vector<Slot> slots_;
  std::optional<GpuClockControls> controls_;
};

JetsonProvider::JetsonProvider(SysRoot root, const Clock& clock)
    : root_(std::move(root)), clock_(clock) {
  info_.name = "jetson";
  info_.description = "Power rails and GPU clock of NVIDIA Jetson modules";
  const JetsonBoard* board = find_jetson_board(root_);
  if (board != nullptr) {
    info_.description = fmt::format("Power rails and GPU clock of a {}", board->name);
    find_rails(*board);
    find_gpu();
  } else {
    info_.absences.push_back({"Jetson's power rails and GPU clock",
                              "this is no Jetson that mete knows (by /proc/device-tree)",
                              "nothing, unless it is one: then say what "
                              "/proc/device-tree/compatible holds in a report"});
  }
  info_.available = !info_.signals.empty();
}

bool JetsonProvider::offer_sum(std::string_view names, const char* power, const char* energy,
                               Domain domain, const char* of) {
  Offer one;
  for (const auto name : split(names, ' ')) {
    const auto rail = std::find_if(rails_.begin(), rails_.end(),
                                   [&](const JetsonRail& r) { return r.name == name; });
    if (name.empty() || rail == rails_.end()) return false;
    one.rails.push_back(static_cast<std::size_t>(rail - rails_.begin()));
  }
  SignalInfo info;
  info.name = power;
  info.description =
      fmt::format("Power of {}: rail{} {}", of, one.rails.size() == 1 ? "" : "s", names);
  info.unit = "W";
  info.domain = domain;
  info.aggregation = Aggregation::sum;
  offer(info, one);
  one.is_energy = true;
  info.name = energy;
  info.description = fmt::format("{} integrated over its readings", power);
  info.unit = "J";
  info.behavior = Behavior::monotone;
  info.source = Source::integrated;
  offer(std::move(info), std::move(one));
  return true;
}

void JetsonProvider::find_rails(const JetsonBoard& board) {
  rails_ = find_jetson_rails(root_);
  if (rails_.empty()) {
    const bool none = board.total.empty();
    info_.absences.push_back(
        {"BOARD_POWER, BOARD_ENERGY",
         none ? fmt::format("a {} has no power sensors", board.name)
              : fmt::format("no INA3221 monitor in {}", root_.path("/sys/bus/i2c/drivers")),
         none ? "measure at the plug"
              : "in a container, mount the host's /sys; else update JetPack"});
    return;
  }
  const bool total = offer_sum(board.total, "BOARD_POWER", "BOARD_ENERGY", Domain::board,
                               "the module without its carrier board");
  if (!total) {
    info_.absences.push_back(
        {"BOARD_POWER, BOARD_ENERGY",
         fmt::format("on a {} they are the sum of {}, and not all of these rails are told here",
                     board.name, board.total.empty() ? "nothing known" : board.total),
         "use the rails that there are: mete list signals"});
  }
  offer_sum(board.gpu, "GPU_POWER", "GPU_ENERGY", Domain::gpu, "the GPU");
  offer_sum(board.cpu, "CPU_POWER", "CPU_ENERGY", Domain::package, "the CPUs");
  offer_sum(board.dram, "DRAM_POWER", "DRAM_ENERGY", Domain::package, "the memory");
  if (board.gpu.empty()) {
    info_.absences.push_back(
        {"GPU_POWER, GPU_ENERGY, CPU_POWER, CPU_ENERGY",
         fmt::format("no rail of a {} feeds the GPU or the CPUs alone", board.name),
         "use BOARD_POWER, or the rails that they share: mete list signals"});
  }
  for (std::size_t i = 0; i < rails_.size(); ++i) {
    SignalInfo info;
    info.name = fmt::format("JETSON::{}_POWER", name_of_label(rails_[i].name));
    info.description = "Power of the rail " + rails_[i].name;
    info.unit = "W";
    info.aggregation = Aggregation::sum;
    const bool known = std::any_of(info_.signals.begin(), info_.signals.end(),
                                   [&](const SignalInfo& s) { return s.name == info.name; });
    if (known || name_of_label(rails_[i].name).empty()) continue;
    Offer one;
    one.rails = {i};
    offer(std::move(info), std::move(one));
  }
}

void JetsonProvider::find_gpu() {
  gpu_ = find_jetson_gpu(root_);
  if (gpu_.empty()) {
    info_.absences.push_back({"GPU clock (GPU_CORE_FREQUENCY_STATUS)",
                              fmt::format("no GPU in {}", root_.path("/sys/class/devfreq")),
                              "in a container, mount the host's /sys"});
    return;
  }
  const auto add = [&](const char* name, const char* description, const char* unit,
                       const std::string& file, double scale) {
    if (!root_.exists(file)) return;
    SignalInfo info;
    info.name = name;
    info.description = description;
    info.unit = unit;
    info.domain = Domain::gpu;
    Offer one;
    one.file = {file, "", scale};
    one.is_share = info.unit == "1";
    offer(std::move(info), std::move(one));
  };
  add("GPU_CORE_FREQUENCY_STATUS", "Clock of the GPU at this moment", "Hz", gpu_ + "/cur_freq", 1);
  add("GPU_UTILIZATION", "Load of the GPU, as its driver tells it", "1", gpu_ + "/device/load",
      kMilli);
  const auto clocks = devfreq_clocks(root_, gpu_);
  if (clocks.empty()) {
    info_.absences.push_back(
        {"GPU clock control (GPU_CORE_FREQUENCY_MIN_CONTROL, GPU_CORE_FREQUENCY_MAX_CONTROL)",
         fmt::format("{} tells no clocks", root_.path(gpu_ + "/available_frequencies")),
         "update JetPack"});
    return;
  }
  find_gpu_range(clocks);
}

void JetsonProvider::find_gpu_range(const std::vector<double>& clocks) {
  const auto add = [&](const char* name, const char* description, Aggregation aggregation,
                       Behavior behavior, const std::string& file, double constant) {
    if (!file.empty() && !root_.exists(file)) return;
    Offer one;
    one.file = {file, "", 1};
    one.constant = constant;
    offer({name, description, "Hz", Domain::gpu, aggregation, behavior, Source::sampled,
           Format::number},
          std::move(one));
  };
  const auto same = Aggregation::expect_same;
  const double steps = static_cast<double>(std::max<std::size_t>(2, clocks.size()) - 1);
  add("GPU_CORE_FREQUENCY_MIN_AVAIL", "Lowest clock the GPU can be set to", same,
      Behavior::constant, "", clocks.front());
  add("GPU_CORE_FREQUENCY_MAX_AVAIL", "Highest clock the GPU can be set to", same,
      Behavior::constant, "", clocks.back());
  add("GPU_CORE_FREQUENCY_STEP", "Mean step between the clocks that can be set", same,
      Behavior::constant, "", (clocks.back() - clocks.front()) / steps);
  add(kGpuMinControl, "Lowest clock that devfreq may choose now", same, Behavior::variable,
      gpu_ + "/min_freq", 0);
  add(kGpuMaxControl, "Highest clock that devfreq may choose now", same, Behavior::variable,
      gpu_ + "/max_freq", 0);
  for (const char* file : {"/min_freq", "/max_freq"}) {
    if (root_.writable(gpu_ + file)) continue;
    info_.absences.push_back(
        {"GPU clock control (GPU_CORE_FREQUENCY_MIN_CONTROL, GPU_CORE_FREQUENCY_MAX_CONTROL)",
         fmt::format("{} cannot be written by this user", root_.path(gpu_ + file)),
         fmt::format("run as root, or: sudo chmod a+w {}/{{min,max}}_freq", root_.path(gpu_))});
    return;
  }
  info_.controls = {{kGpuMinControl,
                     "Lowest clock that devfreq may choose. Above the present maximum it takes the "
                     "maximum up too",
                     "Hz", Domain::gpu, Aggregation::expect_same},
                    {kGpuMaxControl,
                     "Highest clock that devfreq may choose. Below the present minimum it takes "
                     "the minimum down too",
                     "Hz", Domain::gpu, Aggregation::expect_same}};
  controls_.emplace(root_, gpu_, clocks, info_);
}

Result<int> JetsonProvider::push_signal(const Request& request) {
  METE_TRY(const std::size_t row, find_signal(info_, request, 1));
  const Offer& offer = offers_[row];
  Slot slot;
  slot.offer = row;
  const auto open = [&](const SensorFiles& files) -> Result<void> {
    auto sensor = Sensor::open(root_, files);
    if (!sensor) return sensor.error().within(request.name);
    slot.sensors.push_back(std::move(*sensor));
    return {};
  };
  for (const std::size_t rail : offer.rails) METE_TRY_VOID(open(files_of(rails_[rail])));
  if (!offer.file.first.empty()) METE_TRY_VOID(open(offer.file));
  if (slot.sensors.empty() && !root_.exists(gpu_)) {
    return fail(Errc::gone, "{}: {} is gone", request.name, root_.path(gpu_));
  }
  slots_.push_back(std::move(slot));
  if (const Reading trial = reading_of(slots_.back()); trial.fault) {
    slots_.pop_back();
    return fail(*trial.fault, "{}: expected a share of 0 to 1000 per mille in {}", request.name,
                root_.path(offer.file.first));
  }
  return static_cast<int>(slots_.size()) - 1;
}

Reading JetsonProvider::reading_of(Slot& slot) noexcept {
  const Offer& offer = offers_[slot.offer];
  if (slot.sensors.empty()) return {offer.constant, std::nullopt};
  Reading sum{0, std::nullopt};
  for (const Sensor& sensor : slot.sensors) {
    const Reading one = sensor.read();
    if (one.fault) {
      sum = one;  // a sum with a rail missing is not the sum
      break;
    }
    sum.value += one.value;
  }
  if (offer.is_share && !sum.fault && !(sum.value >= 0 && sum.value <= 1)) {
    return Reading::missing(Errc::failed);
  }
  return offer.is_energy ? slot.integral.update(sum, clock_.now()) : sum;
}

void JetsonProvider::read_batch(std::span<Reading> out) noexcept {
  for (std::size_t h = 0; h < std::min(out.size(), slots_.size()); ++h)
    out[h] = reading_of(slots_[h]);
}

}  // namespace

std::unique_ptr<Provider> make_jetson_provider(SysRoot root, const Clock& clock) {
  return std::make_unique<JetsonProvider>(std::move(root), clock);
}

}  // namespace mete
