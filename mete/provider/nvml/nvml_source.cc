// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_source.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

namespace mete {
namespace {

constexpr unsigned kMostGpus = 1024;
constexpr Nanoseconds kProcessPeriod = std::chrono::milliseconds(500);
constexpr Nanoseconds kIdle = std::chrono::seconds(1);
constexpr Nanoseconds kSlowest = std::chrono::milliseconds(250);

/// The next multiple of `period`, so that signals fall due together and the thread wakes seldom.
NvmlSource::Time::time_point next_due(NvmlSource::Time::time_point now, Nanoseconds period) {
  return now - now.time_since_epoch() % period + period;
}

}  // namespace

Reading reading_of(const NvmlAnswer& answer) noexcept {
  if (!answer.ok()) return Reading::missing(errc_of(answer.status));
  return std::isfinite(answer.value) ? Reading{answer.value, std::nullopt}
                                     : Reading::missing(Errc::failed);
}

Result<std::shared_ptr<NvmlSource>> NvmlSource::open(const std::string& library) {
  METE_TRY(auto opened, NvmlLibrary::open(library));
  std::shared_ptr<NvmlSource> source(new NvmlSource(std::move(opened)));
  METE_TRY_VOID(source->find_gpus());
  return source;
}

Result<void> NvmlSource::find_gpus() {
  unsigned count = 0;
  const nvml::Return status = library_->count(&count);
  if (status != nvml::kSuccess)
    return fail(Errc::unavailable, "the NVIDIA driver says: {}", library_->words(status));
  if (count == 0 || count > kMostGpus)
    return fail(Errc::unavailable, "the NVIDIA driver is there, but shows no GPU");
  for (unsigned i = 0; i < count; ++i) {
    gpus_.emplace_back(library_, i);
    const NvmlGpu& gpu = gpus_.back();
    processes_.emplace_back(library_, gpu.device(), static_cast<int>(i), gpu.divided());
  }
  for (const NvmlSignal& row : nvml_signals()) {
    std::vector<nvml::Return> answers;
    for (NvmlGpu& gpu : gpus_) {
      answers.push_back(gpu.status() != nvml::kSuccess ? gpu.status() : gpu.read(row.value).status);
    }
    tried_.push_back(std::move(answers));
  }
  return {};
}

int NvmlSource::add(const NvmlSignal& signal, std::size_t gpu, const Reading& first) {
  const std::lock_guard lock(mutex_);
  const auto now = Time::now();
  slots_.push_back({signal.value, gpu, signal.period(), first, now, now});
  return static_cast<int>(slots_.size()) - 1;
}

void NvmlSource::take(std::span<Reading> out, Nanoseconds limit) noexcept {
  const auto now = Time::now();
  const std::lock_guard lock(mutex_);
  const auto before = std::exchange(last_read_, now);
  read_gap_ = before == Time::time_point() ? Nanoseconds(0) : now - before;
  for (std::size_t h = 0; h < std::min(out.size(), slots_.size()); ++h) {
    const Slot& slot = slots_[h];
    const bool old = slot.period > Nanoseconds(0) && now - slot.taken > slot.period + limit;
    out[h] = old ? Reading::missing(Errc::unavailable) : slot.reading;
  }
}

Nanoseconds NvmlSource::pass(bool asked) noexcept {
  try {
    Nanoseconds least{0};
    {
      const std::lock_guard lock(mutex_);
      // Who reads ten times a second is not served better by fifty calls.
      least = std::min(read_gap_ / 2, kSlowest);
      // Signals are only ever added.
      for (std::size_t i = work_.size(); i < slots_.size(); ++i) work_.push_back(slots_[i]);
    }
    const auto now = Time::now();
    auto next = now + kIdle;
    for (Slot& slot : work_) {
      if (slot.period == Nanoseconds(0)) continue;
      if (asked || slot.due <= now) {
        slot.reading = reading_of(gpus_[slot.gpu].read(slot.value));
        slot.taken = Time::now();
        slot.due = next_due(now, std::max(slot.period, least));
      }
      next = std::min(next, slot.due);
    }
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < work_.size(); ++i) {
        slots_[i].reading = work_[i].reading;
        slots_[i].taken = work_[i].taken;
      }
    }
    next = std::min(next, read_processes(now, asked));
    return std::max<Nanoseconds>(next - Time::now(), Nanoseconds(0));
  } catch (const std::exception&) {
    return kIdle;  // no memory: readings grow old, and say so
  }
}

NvmlSource::Time::time_point NvmlSource::read_processes(Time::time_point now, bool asked) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!processes_wanted_) return Time::time_point::max();
    if (!asked && processes_due_ > now) return processes_due_;
    processes_due_ = now + kProcessPeriod;
  }
  processes_work_.clear();
  bool complete = true;
  try {
    for (std::size_t g = 0; g < processes_.size(); ++g) {
      const bool answered =
          gpus_[g].status() == nvml::kSuccess && processes_[g].read(processes_work_);
      complete = answered && complete;
    }
  } catch (const std::exception&) {
    complete = false;
  }
  const std::lock_guard lock(mutex_);
  std::swap(processes_read_, processes_work_);
  processes_complete_ = complete;
  processes_taken_ = Time::now();
  return processes_due_;
}

void NvmlSource::watch_processes(bool will_ask) noexcept {
  const std::lock_guard lock(mutex_);
  if (processes_wanted_) return;
  processes_wanted_ = true;
  // Shares are of the time since the reading before: one of the thread's own, just before the first
  // that is asked for, would take them away from it.
  if (will_ask) processes_due_ = Time::now() + kProcessPeriod;
}

bool NvmlSource::take_processes(std::vector<DeviceProcess>& out, Nanoseconds limit) noexcept {
  out.clear();
  const auto now = Time::now();
  const std::lock_guard lock(mutex_);
  if (now - processes_taken_ > kProcessPeriod + limit) return false;
  try {
    out.insert(out.end(), processes_read_.begin(), processes_read_.end());
  } catch (const std::exception&) {
    return false;
  }
  return processes_complete_;
}

}  // namespace mete
