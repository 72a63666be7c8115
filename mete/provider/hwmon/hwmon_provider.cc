// Offers hwmon's sensors, and reads them.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/hwmon/hwmon_provider.h"

#include <algorithm>
#include <utility>

#include "mete/provider/hwmon/chips.h"
#include "mete/provider/rapl/energy_count.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

/// Energy registers of hwmon are counted on by their drivers, to 64 bits.
constexpr CounterShape kEnergy{1e-6, 0, 0, 100e3};

SignalInfo describe_sensor(const ChipSensor& sensor) {
  SignalInfo info;
  info.name = sensor.name;
  switch (sensor.kind) {
    case SensorKind::power:
      info.description = "Power told by " + sensor.label;
      if (sensor.averaged) info.description += ", averaged by the chip";
      if (sensor.product) info.description += ": its voltage times its current";
      info.unit = "W";
      info.aggregation = Aggregation::sum;
      break;
    case SensorKind::energy:
      info.description = "Energy counted by " + sensor.label;
      info.unit = "J";
      info.aggregation = Aggregation::sum;
      info.behavior = Behavior::monotone;
      info.source = Source::counter;
      break;
    case SensorKind::temperature:
      info.description = "Temperature told by " + sensor.label;
      info.unit = "°C";
      break;
  }
  return info;
}

class HwmonProvider final : public Provider {
 public:
  HwmonProvider(SysRoot root, const Clock& clock) : root_(std::move(root)), clock_(clock) {}

  const ProviderInfo& info() const override {
    if (!looked_) look();
    return info_;
  }
  void describe(Topology& /*topology*/) const override {}
  Result<int> push_signal(const Request& request) override;
  void read_batch(std::span<Reading> out) noexcept override;

 private:
  struct Slot {
    Sensor sensor;
    bool is_energy = false;
    EnergyCount count{kEnergy};
  };
  void look() const;
  Reading reading_of(Slot& slot) noexcept;

  SysRoot root_;
  const Clock& clock_;
  mutable bool looked_ = false;
  mutable ProviderInfo info_;
  mutable std::vector<ChipSensor> sensors_;  // beside info_.signals
  std::vector<Slot> slots_;
};

void HwmonProvider::look() const {
  looked_ = true;
  info_.name = "hwmon";
  info_.description = "Power, energy and temperature sensors of the kernel's hwmon";
  sensors_ = find_chip_sensors(root_);
  for (const ChipSensor& sensor : sensors_) info_.signals.push_back(describe_sensor(sensor));
  info_.available = !info_.signals.empty();
  if (!info_.available) {
    info_.absences.push_back(
        {"other sensors (HWMON::*)",
         "no chip in " + root_.path("/sys/class/hwmon") + " tells power, energy or temperature",
         "on bare metal, load the drivers of the board's sensors (sudo sensors-detect finds "
         "them)"});
  }
}

Result<int> HwmonProvider::push_signal(const Request& request) {
  METE_TRY(const std::size_t row, find_signal(info(), request, 1));
  auto sensor = Sensor::open(root_, sensors_[row].files);
  if (!sensor) return sensor.error().within(request.name);
  slots_.push_back({std::move(*sensor), sensors_[row].kind == SensorKind::energy});
  if (const Reading trial = reading_of(slots_.back()); trial.fault) {
    slots_.pop_back();
    return fail(*trial.fault, "{}: {}: expected a count of microjoules", request.name,
                root_.path(sensors_[row].files.first));
  }
  return static_cast<int>(slots_.size()) - 1;
}

Reading HwmonProvider::reading_of(Slot& slot) noexcept {
  const Reading raw = slot.sensor.read();
  if (raw.fault || !slot.is_energy) return raw;
  const double counts = raw.value / kEnergy.joules_per_count;
  if (!(counts >= 0 && counts < 0x1.0p63)) return Reading::missing(Errc::failed);
  return slot.count.update(static_cast<std::uint64_t>(counts + 0.5), clock_.now());
}

void HwmonProvider::read_batch(std::span<Reading> out) noexcept {
  for (std::size_t h = 0; h < std::min(out.size(), slots_.size()); ++h)
    out[h] = reading_of(slots_[h]);
}

}  // namespace

std::unique_ptr<Provider> make_hwmon_provider(SysRoot root, const Clock& clock) {
  return std::make_unique<HwmonProvider>(std::move(root), clock);
}

}  // namespace mete
