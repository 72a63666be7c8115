// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/energy_shares.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mete/measure/session.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostImbalance = 1e-3;
constexpr std::size_t kGpuShare = 2;

}  // namespace

Result<void> EnergyShares::begin(Platform& platform, const SysRoot& root,
                                 const std::optional<ProcessScope>& scope,
                                 const RecorderSeries& series, std::vector<std::string>& warnings) {
  const int gpus = series.parts(energy_domain("gpu"));
  gpu_last_.assign(static_cast<std::size_t>(gpus), 0.0);
  for (int i = 0; i < gpus; ++i) {
    const auto handle = platform.push_signal({"GPU_UTILIZATION", Domain::gpu, i});
    gpu_busy_.push_back(handle ? *handle : -1);
  }
  if (!scope) return {};
  devices_ = platform.device_processes();
  meter_ = std::make_unique<ProcessMeter>(root, *scope);
  if (auto opened = meter_->open(); !opened) {
    if (opened.error().code == Errc::invalid) return opened;
    warnings.push_back(fmt::format("processes are not metered: {}", opened.error().what));
    meter_.reset();
  }
  return {};
}

void EnergyShares::update(Platform& platform, const RecorderSeries& series, bool whole) {
  if (!meter_) return;
  meter_->update(whole);
  for (auto& use : meter_->processes()) use.joules.resize(kSharedDomains.size(), 0.0);
  share_cpu(series);
  share_gpus(platform, series);
  busy_last_ = meter_->busy_seconds();
  capacity_last_ = meter_->capacity_seconds();
}

void EnergyShares::share_cpu(const RecorderSeries& series) {
  auto& uses = meter_->processes();
  const DeviceUse device{meter_->capacity_seconds() - capacity_last_,
                         meter_->busy_seconds() - busy_last_};
  used_.assign(uses.size(), 0.0);
  for (std::size_t i = 0; i < uses.size(); ++i) used_[i] = uses[i].cpu_delta;
  for (std::size_t k = 0; k < cpu_last_.size(); ++k) {
    const double joules = series.gained(energy_domain(kSharedDomains[k]));
    if (std::isnan(joules)) continue;
    given_.assign(uses.size(), 0.0);
    shared_[k].add(joules - cpu_last_[k], device, used_, given_);
    cpu_last_[k] = joules;
    for (std::size_t i = 0; i < uses.size(); ++i) uses[i].joules[k] += given_[i];
  }
}

void EnergyShares::share_gpus(Platform& platform, const RecorderSeries& series) {
  auto& uses = meter_->processes();
  for (auto& use : uses) use.gpu_share = use.gpu_memory_bytes = 0;
  device_uses_.clear();
  std::vector<DeviceProcess> part;
  for (auto* device : devices_) {
    device->read(part);
    device_uses_.insert(device_uses_.end(), part.begin(), part.end());
  }
  const auto known = [](double value) { return std::isnan(value) ? 0 : value; };
  for (std::size_t g = 0; g < gpu_last_.size(); ++g) {
    used_.assign(uses.size(), 0.0);
    double all = 0;
    for (const auto& one : device_uses_) {
      if (one.device != static_cast<int>(g)) continue;
      all += known(one.busy_share);
      const auto at = meter_->find(one.pid);
      if (at == ProcessMeter::npos) continue;
      used_[at] += known(one.busy_share);
      uses[at].gpu_share += known(one.busy_share);
      uses[at].gpu_memory_bytes += known(one.memory_bytes);
    }
    const double joules = series.gained(energy_domain("gpu"), static_cast<int>(g));
    if (std::isnan(joules)) continue;
    const double told = gpu_busy_[g] < 0 ? kNaN : platform.value(gpu_busy_[g]);
    const bool unknown = std::isnan(told) && device_uses_.empty();
    given_.assign(uses.size(), 0.0);
    shared_[kGpuShare].add(joules - gpu_last_[g],
                           {unknown ? kNaN : 1.0, std::isnan(told) ? all : std::max(told, all)},
                           used_, given_);
    gpu_last_[g] = joules;
    for (std::size_t i = 0; i < uses.size(); ++i) uses[i].joules[kGpuShare] += given_[i];
  }
}

void EnergyShares::check(RunResult& result, const RecorderSeries& series,
                         std::vector<std::string>& warnings) const {
  constexpr std::array<std::string_view, kSharedDomains.size()> kSignals{
      "CPU_ENERGY", "DRAM_ENERGY", "GPU_ENERGY"};
  for (std::size_t k = 0; k < shared_.size(); ++k) {
    if (!shared_[k].any()) continue;
    const auto& b = shared_[k].balance();
    result.balances.push_back(b);
    const double told = result.total(kSignals[k]);
    const double measured =
        std::isnan(told) ? series.gained(energy_domain(kSharedDomains[k])) : told;
    if (balance_error(b, measured) <= kMostImbalance) continue;
    warnings.push_back(
        fmt::format("{}: processes {:.4g} J + idle {:.4g} J + others {:.4g} J are not the {:.4g} J "
                    "measured; was a counter reset, or did it "
                    "miss readings?",
                    kSharedDomains[k], b.attributed, b.idle, b.others, measured));
  }
}

}  // namespace mete
