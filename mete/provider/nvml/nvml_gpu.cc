// Calls of NVML for one GPU.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_gpu.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace mete {
namespace {

constexpr double kMilli = 1e-3;
constexpr double kMicro = 1e-6;
constexpr double kMega = 1e6;
constexpr double kPerCent = 1e-2;
constexpr unsigned kMostClocks = 4096;
constexpr unsigned kMostSamples = 16384;

/// NVML's samples carry no fixed type.
double number_of(nvml::ValueType type, const nvml::Value& value) noexcept {
  switch (type) {
    case nvml::kDouble:
      return value.real;
    case nvml::kUnsignedInt:
      return value.unsigned_int;
    case nvml::kUnsignedLong:
      return static_cast<double>(value.unsigned_long);
    case nvml::kUnsignedLongLong:
      return static_cast<double>(value.unsigned_long_long);
    case nvml::kSignedLongLong:
      return static_cast<double>(value.signed_long_long);
    case nvml::kSignedInt:
      return value.signed_int;
    case nvml::kUnsignedShort:
      return value.unsigned_short;
  }
  return std::nan("");
}

double seconds_now() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// `value` by reference: it stands beside the call that fills it in, and may be evaluated before.
template <class Number>
NvmlAnswer scaled(nvml::Return status, const Number& value, double unit) noexcept {
  return {status, status == nvml::kSuccess ? static_cast<double>(value) * unit : 0};
}

/// Per cent; more than the whole is nonsense, which some drivers tell while a GPU wakes up.
NvmlAnswer share(nvml::Return status, const unsigned& per_cent) noexcept {
  if (status == nvml::kSuccess && per_cent > 100) return {nvml::kNoData, 0};
  return scaled(status, per_cent, kPerCent);
}

constexpr NvmlAnswer kLacking{nvml::kNotSupported, 0};

}  // namespace

NvmlGpu::NvmlGpu(std::shared_ptr<const NvmlLibrary> library, unsigned index)
    : library_(std::move(library)) {
  status_ = library_->handle(index, &device_);
  if (status_ != nvml::kSuccess) return;
  std::array<char, 96> text{};
  if (library_->name(device_, text.data(), text.size() - 1) == nvml::kSuccess) name_ = text.data();
  unsigned current = 0;
  unsigned pending = 0;
  divided_ = library_->mig_mode != nullptr &&
             library_->mig_mode(device_, &current, &pending) == nvml::kSuccess &&
             current == nvml::kMigEnabled;
  if (library_->architecture != nullptr &&
      library_->architecture(device_, &architecture_) != nvml::kSuccess)
    architecture_ = nvml::kArchUnknown;
  find_clocks();
  find_limits();
  find_samples();
}

void NvmlGpu::find_clocks() {
  if (library_->memory_clocks == nullptr || library_->graphics_clocks == nullptr) return;
  std::vector<unsigned> memory(kMostClocks);
  unsigned count = kMostClocks;
  if (library_->memory_clocks(device_, &count, memory.data()) != nvml::kSuccess || count == 0)
    return;
  memory.resize(std::min(count, kMostClocks));
  // The clocks that go with the highest memory clock: the one that work runs at.
  const unsigned highest = *std::max_element(memory.begin(), memory.end());
  std::vector<unsigned> core(kMostClocks);
  count = kMostClocks;
  if (library_->graphics_clocks(device_, highest, &count, core.data()) != nvml::kSuccess) return;
  core.resize(std::min(count, kMostClocks));
  std::sort(core.begin(), core.end());
  core.erase(std::unique(core.begin(), core.end()), core.end());
  for (const unsigned megahertz : core) {
    if (megahertz > 0) clocks_.push_back(megahertz * kMega);
  }
}

void NvmlGpu::find_limits() {
  unsigned min = 0;
  unsigned max = 0;
  if (library_->power_limits == nullptr || library_->power_limit == nullptr) return;
  if (library_->power_limits(device_, &min, &max) != nvml::kSuccess || max == 0 || min > max)
    return;
  lowest_limit_ = min * kMilli;
  highest_limit_ = max * kMilli;
}

void NvmlGpu::find_samples() {
  if (library_->samples == nullptr) return;
  nvml::ValueType type = nvml::kUnsignedInt;
  unsigned count = 0;
  const nvml::Return status =
      library_->samples(device_, nvml::kTotalPowerSamples, 0, &type, &count, nullptr);
  // Without room for samples the driver tells how many there may be.
  has_samples_ = (status == nvml::kSuccess || status == nvml::kInsufficientSize) && count > 0 &&
                 count <= kMostSamples;
  if (has_samples_) samples_.resize(count);
}

nvml::Return NvmlGpu::alive() noexcept {
  std::array<char, 96> text{};
  const nvml::Return named = library_->name(device_, text.data(), text.size() - 1);
  if (named != nvml::kSuccess) return named;
  // The name may come from the library's memory; the temperature does not.
  unsigned value = 0;
  const nvml::Return asked = library_->temperature != nullptr
                                 ? library_->temperature(device_, nvml::kTemperatureGpu, &value)
                                 : nvml::kSuccess;
  return asked == nvml::kNotSupported ? nvml::kSuccess : asked;
}

NvmlAnswer NvmlGpu::field(std::uint32_t id) noexcept {
  if (library_->field_values == nullptr) return kLacking;
  nvml::FieldValue value{};
  value.field = id;
  const nvml::Return status = library_->field_values(device_, 1, &value);
  if (status != nvml::kSuccess) return {status, 0};
  // Old drivers do not know the field.
  if (value.status == nvml::kInvalidArgument) return kLacking;
  return scaled(value.status, number_of(value.type, value.value), kMilli);
}

NvmlAnswer NvmlGpu::clock(nvml::ClockType type) noexcept {
  unsigned megahertz = 0;
  if (library_->clock == nullptr) return kLacking;
  return scaled(library_->clock(device_, type, &megahertz), megahertz, kMega);
}

NvmlAnswer NvmlGpu::memory(bool total) noexcept {
  if (library_->memory2 != nullptr) {
    nvml::Memory2 memory{};
    memory.version = nvml::kMemory2Version;
    const nvml::Return status = library_->memory2(device_, &memory);
    if (status == nvml::kSuccess)
      return {status, static_cast<double>(total ? memory.total : memory.used)};
  }
  if (library_->memory == nullptr) return kLacking;
  nvml::Memory memory{};
  const nvml::Return status = library_->memory(device_, &memory);
  return scaled(status, static_cast<double>(total ? memory.total : memory.used), 1);
}

NvmlAnswer NvmlGpu::of_clocks(NvmlValue value) noexcept {
  if (clocks_.empty()) return kLacking;
  if (value == NvmlValue::lowest_clock) return {nvml::kSuccess, clocks_.front()};
  if (value == NvmlValue::highest_clock) return {nvml::kSuccess, clocks_.back()};
  const auto steps = static_cast<double>(std::max<std::size_t>(clocks_.size() - 1, 1));
  return {nvml::kSuccess, (clocks_.back() - clocks_.front()) / steps};
}

NvmlAnswer NvmlGpu::energy() noexcept {
  unsigned long long millijoules = 0;
  if (library_->energy == nullptr) return kLacking;
  const nvml::Return status = library_->energy(device_, &millijoules);
  if (status == nvml::kSuccess && millijoules == nvml::kNotAvailable) return kLacking;
  return scaled(status, static_cast<double>(millijoules), kMilli);
}

NvmlAnswer NvmlGpu::integrate() noexcept {
  if (!has_samples_) {
    const NvmlAnswer power = read(NvmlValue::power);
    if (!power.ok()) return power;
    integral_.add(seconds_now(), power.value);
    return {nvml::kSuccess, integral_.joules()};
  }
  nvml::ValueType type = nvml::kUnsignedInt;
  auto count = static_cast<unsigned>(samples_.size());
  const nvml::Return status = library_->samples(device_, nvml::kTotalPowerSamples, last_sample_,
                                                &type, &count, samples_.data());
  const bool nothing_new = status == nvml::kNotFound || status == nvml::kNoData;
  if (status != nvml::kSuccess && !nothing_new) return {status, 0};
  const std::size_t filled = nothing_new ? 0 : std::min<std::size_t>(count, samples_.size());
  // What the buffer held before the first look was used before our time began.
  const std::size_t first = last_sample_ == 0 && filled > 0 ? filled - 1 : 0;
  for (std::size_t i = first; i < filled; ++i) {
    const nvml::Sample& sample = samples_[i];
    if (sample.timestamp <= last_sample_) continue;
    last_sample_ = sample.timestamp;
    integral_.add(static_cast<double>(sample.timestamp) * kMicro,
                  number_of(type, sample.value) * kMilli);
  }
  return {nvml::kSuccess, integral_.joules()};
}

NvmlAnswer NvmlGpu::check() noexcept {
  const NvmlAnswer counted = energy();
  if (!counted.ok()) return counted;
  const NvmlAnswer integrated = integrate();
  if (!integrated.ok()) return integrated;
  const double now = has_samples_ ? static_cast<double>(last_sample_) * kMicro : seconds_now();
  const EnergyVerdict verdict = check_.look(now, counted.value, integral_);
  return {nvml::kSuccess, static_cast<double>(verdict)};
}

NvmlAnswer NvmlGpu::read(NvmlValue value) noexcept {
  unsigned small = 0;
  unsigned long long large = 0;
  nvml::Utilization utilization{};
  const NvmlLibrary& lib = *library_;
  switch (value) {
    case NvmlValue::core_clock:
      return clock(nvml::kClockSm);
    case NvmlValue::memory_clock:
      return clock(nvml::kClockMemory);
    case NvmlValue::power:
      if (lib.power == nullptr) return kLacking;
      return scaled(lib.power(device_, &small), small, kMilli);
    case NvmlValue::power_instant:
      return field(nvml::kFieldPowerInstant);
    case NvmlValue::power_average:
      return field(nvml::kFieldPowerAverage);
    case NvmlValue::energy:
      return energy();
    case NvmlValue::energy_integrated:
      return integrate();
    case NvmlValue::energy_check:
      return check();
    case NvmlValue::utilization:
      if (lib.utilization == nullptr) return kLacking;
      return share(lib.utilization(device_, &utilization), utilization.gpu);
    case NvmlValue::memory_used:
      return memory(false);
    case NvmlValue::memory_total:
      return memory(true);
    case NvmlValue::temperature:
      if (lib.temperature == nullptr) return kLacking;
      return scaled(lib.temperature(device_, nvml::kTemperatureGpu, &small), small, 1);
    case NvmlValue::clock_reasons:
      if (lib.clock_reasons == nullptr) return kLacking;
      return scaled(lib.clock_reasons(device_, &large), large, 1);
    case NvmlValue::power_limit:
      if (lib.power_limit == nullptr) return kLacking;
      return scaled(lib.power_limit(device_, &small), small, kMilli);
    case NvmlValue::lowest_clock:
    case NvmlValue::highest_clock:
    case NvmlValue::clock_step:
      return of_clocks(value);
  }
  return kLacking;
}

}  // namespace mete
