// Finds what this machine's kernel tells, then reads it.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/linux_provider.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include <unistd.h>

#include "mete/base/text.h"
#include "mete/provider/linux/cpu_map.h"
#include "mete/provider/linux/cpu_usage.h"
#include "mete/provider/linux/cpufreq.h"
#include "mete/provider/linux/proc_tables.h"
#include "mete/provider/linux/sensors.h"
#include "mete/provider/linux/signal_table.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

/// Says when a table is due to be read again.
class Pace {
 public:
  explicit Pace(Nanoseconds interval) : interval_(interval) {}
  bool due(Nanoseconds now) noexcept {
    if (now < next_) return false;
    next_ = now + interval_;
    return true;
  }
  [[nodiscard]] Nanoseconds next() const { return next_; }

 private:
  Nanoseconds interval_;
  Nanoseconds next_ = Nanoseconds::min();
};

class LinuxProvider final : public Provider {
 public:
  /// Without a clock every table is read at every read_batch.
  LinuxProvider(SysRoot root, const Clock* clock);

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& topology) const override;
  Result<int> push_signal(const Request& request) override;
  void read_batch(std::span<Reading> out) noexcept override;
  Controls* controls() override { return controls_ ? &*controls_ : nullptr; }

 private:
  /// A signal that this machine has.
  struct Offer {
    LinuxKind kind = LinuxKind::file;
    double scale = 1;
    bool constant = false;
    std::vector<std::string> paths;  // by part, of kind file; "" where the part has none
  };
  /// A pushed signal. `index` is a file's place in files_, or a CPU.
  struct Slot {
    LinuxKind kind = LinuxKind::file;
    std::size_t index = 0;
    double scale = 1;
    std::optional<Reading> fixed;  // a constant, read when pushed
  };
  struct SharedFile {
    std::string path;
    KernelFile file;
    Reading raw;
  };

  void offer(const LinuxSignal& signal, SignalInfo info, std::vector<std::string> paths = {});
  void find_frequencies();
  void find_controls();
  void find_temperatures_here();
  void find_proc();
  void absent(std::string what, std::string why, std::string next);
  std::vector<std::string> policy_files(const std::vector<int>& policies, const char* name) const;
  [[nodiscard]] int parts(Domain domain) const { return map_.count(domain); }
  Result<std::size_t> open_shared(const std::string& path);
  Result<Slot> open_slot(const Offer& offer, const Request& request);
  [[nodiscard]] Reading reading_of(const Slot& slot) const noexcept;
  bool refresh() noexcept;
  template <class Table>
  void refresh(Table& table, Pace& pace, Nanoseconds now) noexcept {
    if (!table.is_open()) return;
    if (clock_ == nullptr || pace.due(now)) table.update();
    next_due_ = std::min(next_due_, pace.next());
  }

  SysRoot root_;
  CpuMap map_;
  CpufreqMap cpufreq_;
  ProviderInfo info_;
  std::vector<Offer> offers_;  // beside info_.signals
  std::optional<CpufreqControls> controls_;

  const Clock* clock_;
  Pace usage_pace_{std::chrono::milliseconds(50)};
  Pace clocks_pace_{std::chrono::milliseconds(100)};
  Pace memory_pace_{std::chrono::milliseconds(10)};
  Pace load_pace_{std::chrono::seconds(1)};
  CpuUsage usage_;
  ClockTable clocks_;
  MemoryTable memory_;
  LoadFile load_;
  std::vector<SharedFile> files_;
  std::vector<Slot> slots_;
  std::vector<Reading> latest_;                // beside slots_
  Nanoseconds next_due_ = Nanoseconds::min();  // of the first table; before it nothing is new
};

bool any(const std::vector<std::string>& paths) {
  return std::any_of(paths.begin(), paths.end(), [](const std::string& p) { return !p.empty(); });
}

LinuxProvider::LinuxProvider(SysRoot root, const Clock* clock)
    : root_(std::move(root)), map_(read_cpu_map(root_)), clock_(clock) {
  info_.name = "linux";
  info_.description = "CPUs and memory, as the Linux kernel tells of them in /proc and /sys";
  cpufreq_ = read_cpufreq_map(root_, map_);
  find_proc();
  find_frequencies();
  find_controls();
  find_temperatures_here();
  info_.available = !info_.signals.empty();
}

void LinuxProvider::describe(Topology& topology) const {
  if (!map_.cpus.empty()) topology.set_cpus(map_.cpus);
}

void LinuxProvider::absent(std::string what, std::string why, std::string next) {
  info_.absences.push_back({std::move(what), std::move(why), std::move(next)});
}

void LinuxProvider::offer(const LinuxSignal& signal, SignalInfo info,
                          std::vector<std::string> paths) {
  offers_.push_back(
      {signal.kind, signal.scale, info.behavior == Behavior::constant, std::move(paths)});
  info_.signals.push_back(std::move(info));
}

std::vector<std::string> LinuxProvider::policy_files(const std::vector<int>& policies,
                                                     const char* name) const {
  std::map<int, std::string> known;  // a policy of many CPUs is looked up once
  std::vector<std::string> paths;
  for (const int policy : policies) {
    const auto [it, fresh] = known.try_emplace(policy);
    if (fresh) it->second = cpufreq_.file(root_, policy, name);
    paths.push_back(it->second);
  }
  return paths;
}

void LinuxProvider::find_proc() {
  if (!map_.cpus.empty() && root_.exists("/proc/stat")) {
    const auto& row = linux_signal("CPU_UTILIZATION");
    offer(row, row.info());
  } else {
    absent("CPU_UTILIZATION", fmt::format("no CPUs in {}", root_.path("/proc/stat")),
           "mount /proc");
  }
  const bool has_memory = root_.exists("/proc/meminfo");
  for (const auto& row : linux_signals()) {
    const bool memory = row.kind == LinuxKind::memory_total ||
                        row.kind == LinuxKind::memory_available ||
                        row.kind == LinuxKind::memory_used;
    if (memory && has_memory) offer(row, row.info());
    if (row.kind == LinuxKind::load && root_.exists("/proc/loadavg")) offer(row, row.info());
  }
  if (!has_memory) {
    absent("MEMORY_TOTAL, MEMORY_AVAILABLE, MEMORY_USED",
           fmt::format("no {}", root_.path("/proc/meminfo")), "mount /proc");
  }
}

void LinuxProvider::find_frequencies() {
  const auto& policies = cpufreq_.policy_of_cpu;
  const auto& status = linux_signal("CPU_FREQUENCY_STATUS");
  auto current = policy_files(policies, "scaling_cur_freq");
  if (!any(current)) current = policy_files(policies, "cpuinfo_cur_freq");
  if (any(current)) {
    offer(status, status.info(), std::move(current));
  } else if (!map_.cpus.empty() && clocks_tell_frequency(root_)) {
    LinuxSignal row = status;
    row.kind = LinuxKind::nominal_clock;
    row.scale = 1;
    SignalInfo info = row.info();
    info.description =
        "Frequency that /proc/cpuinfo states; on a virtual machine the nominal one, which never "
        "changes";
    info.source = Source::estimated;
    offer(row, std::move(info));
    if (clocks_are_nominal(root_)) clocks_pace_ = Pace(std::chrono::seconds(1));
  } else {
    absent("CPU_FREQUENCY_STATUS", "neither cpufreq nor /proc/cpuinfo tells a frequency here",
           "on bare metal, load a cpufreq driver for this CPU");
  }
  struct Fixed {
    const char* signal;
    const char* file;
  };
  for (const auto& [signal, file] : {Fixed{"CPU_FREQUENCY_MIN_AVAIL", "cpuinfo_min_freq"},
                                     Fixed{"CPU_FREQUENCY_MAX_AVAIL", "cpuinfo_max_freq"},
                                     Fixed{"CPU_FREQUENCY_STICKER", "base_frequency"}}) {
    auto paths = policy_files(policies, file);
    const auto& row = linux_signal(signal);
    if (any(paths)) offer(row, row.info(), std::move(paths));
  }
}

void LinuxProvider::find_controls() {
  if (cpufreq_.policies.empty()) {
    absent("CPU frequency control (CPU_FREQUENCY_MAX_CONTROL, CPU_FREQUENCY_MIN_CONTROL)",
           fmt::format("no policies in {}", root_.path("/sys/devices/system/cpu/cpufreq")),
           "on a virtual machine the host sets the clocks; on bare metal, load a cpufreq driver "
           "(intel_pstate, "
           "amd-pstate, acpi-cpufreq)");
    return;
  }
  struct Limit {
    const char* control;
    const char* file;
  };
  constexpr std::array kLimits{Limit{kMaxControl, "scaling_max_freq"},
                               Limit{kMinControl, "scaling_min_freq"}};
  std::string refused;
  for (const auto& [name, file] : kLimits) {
    auto paths = policy_files(cpufreq_.policy_of_part, file);
    for (const auto& path : paths) {
      if (!path.empty() && refused.empty() && !root_.writable(path)) refused = root_.path(path);
    }
    LinuxSignal row = linux_signal(name);
    row.domain = cpufreq_.native;
    if (any(paths)) offer(row, row.info(), std::move(paths));
  }
  if (!refused.empty()) {
    absent("CPU frequency control (CPU_FREQUENCY_MAX_CONTROL, CPU_FREQUENCY_MIN_CONTROL)",
           fmt::format("{} cannot be written by this user", refused),
           "run as root, or give your group the right: sudo chgrp $(id -gn) "
           "/sys/devices/system/cpu/cpufreq/policy*/scaling_{min,max}_freq; sudo chmod g+w the "
           "same files");
    return;
  }
  info_.controls = {{kMaxControl,
                     "Highest frequency that cpufreq may choose. Below the present minimum it "
                     "takes the minimum down too",
                     "Hz", cpufreq_.native, Aggregation::expect_same},
                    {kMinControl,
                     "Lowest frequency that cpufreq may choose. Above the present maximum it takes "
                     "the maximum up too",
                     "Hz", cpufreq_.native, Aggregation::expect_same}};
  controls_.emplace(root_, cpufreq_, info_);
}

void LinuxProvider::find_temperatures_here() {
  TemperatureFiles files = find_temperatures(root_, map_);
  std::string missing;
  const auto take = [&](const char* name, std::vector<std::string> paths) {
    const auto& row = linux_signal(name);
    if (any(paths)) {
      offer(row, row.info(), std::move(paths));
    } else {
      missing += missing.empty() ? name : std::string(", ") + name;
    }
  };
  take("CPU_CORE_TEMPERATURE", std::move(files.core));
  take("CPU_PACKAGE_TEMPERATURE", std::move(files.package));
  if (!missing.empty()) {
    absent(missing, "no coretemp or k10temp sensor and no CPU thermal zone that tells it",
           "on bare metal: sudo modprobe coretemp (Intel) or k10temp (AMD, packages only)");
  }
}

Result<std::size_t> LinuxProvider::open_shared(const std::string& path) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].path == path) return i;
  }
  METE_TRY(KernelFile file, KernelFile::open(root_, path));
  files_.push_back({path, std::move(file), Reading::missing(Errc::retry)});
  return files_.size() - 1;
}

Result<LinuxProvider::Slot> LinuxProvider::open_slot(const Offer& offer, const Request& request) {
  Slot slot{offer.kind, static_cast<std::size_t>(request.index), offer.scale, std::nullopt};
  switch (offer.kind) {
    case LinuxKind::file: {
      const std::string& path = offer.paths[slot.index];
      if (path.empty()) {
        return fail(Errc::unavailable, "{}: {} {} has no file for it in sysfs", request.name,
                    domain_name(request.domain), request.index);
      }
      METE_TRY(const KernelFile trial, KernelFile::open(root_, path));
      const Reading reading = trial.read_number(offer.scale);
      if (!reading.ok()) {
        return fail(*reading.fault, "{}: {}: expected one number", request.name, root_.path(path));
      }
      if (offer.constant) {
        slot.fixed = reading;
      } else {
        METE_TRY(slot.index, open_shared(path));
      }
      return slot;
    }
    case LinuxKind::usage:
      if (!usage_.is_open()) {
        METE_TRY_VOID(usage_.open(root_, map_));
      }
      break;
    case LinuxKind::nominal_clock:
      if (!clocks_.is_open()) {
        METE_TRY_VOID(clocks_.open(root_, map_));
      }
      break;
    case LinuxKind::load:
      if (!load_.is_open()) {
        METE_TRY_VOID(load_.open(root_));
      }
      break;
    default:
      if (!memory_.is_open()) {
        METE_TRY_VOID(memory_.open(root_));
      }
      break;
  }
  const Reading trial = reading_of(slot);
  // Utilisation needs a second look before it has a value.
  if (trial.fault && *trial.fault != Errc::retry) {
    return fail(*trial.fault, "{}: {} {}: not told by /proc", request.name,
                domain_name(request.domain), request.index);
  }
  if (offer.constant) slot.fixed = trial;
  return slot;
}

Result<int> LinuxProvider::push_signal(const Request& request) {
  METE_TRY(const std::size_t row, find_signal(info_, request, parts(request.domain)));
  METE_TRY(Slot slot, open_slot(offers_[row], request));
  slots_.push_back(slot);
  latest_.push_back(Reading::missing(Errc::retry));
  next_due_ = Nanoseconds::min();
  return static_cast<int>(slots_.size()) - 1;
}

Reading LinuxProvider::reading_of(const Slot& slot) const noexcept {
  if (slot.fixed) return *slot.fixed;
  Reading reading;
  switch (slot.kind) {
    case LinuxKind::file:
      reading = files_[slot.index].raw;
      break;
    case LinuxKind::usage:
      reading = usage_.value(static_cast<int>(slot.index));
      break;
    case LinuxKind::nominal_clock:
      reading = clocks_.value(slot.index);
      break;
    case LinuxKind::memory_total:
      reading = memory_.total();
      break;
    case LinuxKind::memory_available:
      reading = memory_.available();
      break;
    case LinuxKind::memory_used:
      reading = memory_.used();
      break;
    case LinuxKind::load:
      reading = load_.value();
      break;
  }
  reading.value *= slot.scale;
  return reading;
}

/// False if nothing was read: all readings are those of last time.
bool LinuxProvider::refresh() noexcept {
  for (SharedFile& f : files_) f.raw = f.file.read_number(1);
  const Nanoseconds now = clock_ == nullptr ? Nanoseconds(0) : clock_->now();
  if (clock_ != nullptr && now < next_due_) return !files_.empty();
  next_due_ = Nanoseconds::max();
  refresh(usage_, usage_pace_, now);
  refresh(clocks_, clocks_pace_, now);
  refresh(memory_, memory_pace_, now);
  refresh(load_, load_pace_, now);
  return true;
}

void LinuxProvider::read_batch(std::span<Reading> out) noexcept {
  if (refresh()) {
    for (std::size_t h = 0; h < slots_.size(); ++h) latest_[h] = reading_of(slots_[h]);
  }
  std::copy_n(latest_.begin(), std::min(out.size(), latest_.size()), out.begin());
}

}  // namespace

std::unique_ptr<Provider> make_linux_provider(SysRoot root) {
  return std::make_unique<LinuxProvider>(std::move(root), nullptr);
}

std::unique_ptr<Provider> make_paced_linux_provider(SysRoot root, const Clock& clock) {
  return std::make_unique<LinuxProvider>(std::move(root), &clock);
}

}  // namespace mete
