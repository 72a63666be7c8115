// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_processes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr unsigned kFirstRoom = 128;
constexpr unsigned kMostProcesses = 65536;
constexpr unsigned kWhole = 100;  // per cent

DeviceProcess& find_or_add(std::vector<DeviceProcess>& out, std::size_t first, int device,
                           pid_t pid) {
  const auto begin = out.begin() + static_cast<std::ptrdiff_t>(first);
  const auto at =
      std::find_if(begin, out.end(), [&](const DeviceProcess& p) { return p.pid == pid; });
  if (at != out.end()) return *at;
  out.push_back({device, pid, 0, kNaN});
  return out.back();
}

}  // namespace

NvmlProcesses::NvmlProcesses(std::shared_ptr<const NvmlLibrary> library, nvml::Device device,
                             int index, bool divided)
    : library_(std::move(library)),
      device_(device),
      index_(index),
      divided_(divided),
      entries_(kFirstRoom),
      samples_(kFirstRoom) {}

nvml::Return NvmlProcesses::list(std::vector<DeviceProcess>& out) {
  if (library_->processes == nullptr) return nvml::kNotSupported;
  unsigned count = 0;
  nvml::Return status = nvml::kInsufficientSize;
  // Processes may start between two calls: the room grows until they fit.
  while (status == nvml::kInsufficientSize && entries_.size() <= kMostProcesses) {
    count = static_cast<unsigned>(entries_.size());
    status = library_->processes(device_, &count, entries_.data());
    if (status == nvml::kInsufficientSize) entries_.resize(entries_.size() * 2);
  }
  if (status != nvml::kSuccess) return status;
  const std::size_t filled = std::min<std::size_t>(count, entries_.size());
  const auto* bytes = reinterpret_cast<const std::byte*>(entries_.data());
  const std::size_t step =
      library_->plain_processes ? sizeof(nvml::ProcessInfo1) : sizeof(nvml::ProcessInfo2);
  const std::size_t first = out.size();
  for (std::size_t i = 0; i < filled; ++i) {
    nvml::ProcessInfo1 entry;  // the longer kind begins with the shorter
    std::memcpy(&entry, bytes + i * step, sizeof entry);
    if (entry.pid == 0) continue;
    DeviceProcess& process = find_or_add(out, first, index_, static_cast<pid_t>(entry.pid));
    if (entry.used_memory == nvml::kNotAvailable) continue;
    // Under MIG a process has one entry per instance.
    const double more = static_cast<double>(entry.used_memory);
    process.memory_bytes = std::isnan(process.memory_bytes) ? more : process.memory_bytes + more;
  }
  return status;
}

nvml::Return NvmlProcesses::add_shares(std::vector<DeviceProcess>& out, std::size_t first) {
  if (library_->process_samples == nullptr || divided_) return nvml::kNotSupported;
  unsigned count = 0;
  nvml::Return status = nvml::kInsufficientSize;
  while (status == nvml::kInsufficientSize && samples_.size() <= kMostProcesses) {
    count = static_cast<unsigned>(samples_.size());
    status = library_->process_samples(device_, samples_.data(), &count, last_seen_);
    if (status == nvml::kInsufficientSize) samples_.resize(samples_.size() * 2);
  }
  // Nothing new: nobody computed.
  if (status == nvml::kNotFound || status == nvml::kNoData) return nvml::kSuccess;
  if (status != nvml::kSuccess) return status;
  const std::size_t filled = std::min<std::size_t>(count, samples_.size());
  const unsigned long long before = last_seen_;
  for (std::size_t i = 0; i < filled; ++i) {
    const nvml::ProcessSample& sample = samples_[i];
    // Some drivers fill unused entries with nonsense: shares far above the whole, old times.
    if (sample.pid == 0 || sample.sm > kWhole || sample.timestamp <= before) continue;
    last_seen_ = std::max(last_seen_, sample.timestamp);
    double sum = 0;
    double n = 0;
    for (std::size_t k = 0; k < filled; ++k) {
      const nvml::ProcessSample& other = samples_[k];
      if (other.pid != sample.pid || other.sm > kWhole || other.timestamp <= before) continue;
      sum += other.sm;
      ++n;
    }
    find_or_add(out, first, index_, static_cast<pid_t>(sample.pid)).busy_share = sum / n / kWhole;
  }
  return nvml::kSuccess;
}

bool NvmlProcesses::read(std::vector<DeviceProcess>& out) {
  const std::size_t first = out.size();
  const nvml::Return listed = list(out);
  const nvml::Return shared = add_shares(out, first);
  const auto answered = [](nvml::Return status) {
    return status == nvml::kSuccess || status == nvml::kNotSupported;
  };
  if (!answered(listed) || !answered(shared) ||
      (listed == nvml::kNotSupported && shared == nvml::kNotSupported)) {
    out.resize(first);
    return false;
  }
  if (shared == nvml::kNotSupported) {
    for (std::size_t i = first; i < out.size(); ++i) out[i].busy_share = kNaN;
  }
  return true;
}

}  // namespace mete
