// Offers what the counters tell, and reads them.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/rapl/rapl_provider.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mete/provider/linux/cpu_map.h"
#include "mete/provider/linux/kernel_file.h"
#include "mete/provider/rapl/power_window.h"
#include "mete/provider/rapl/rapl_zones.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

struct RaplSignal {
  const char* name;
  const char* description;
  RaplKind kind;
  bool power;
};
constexpr std::array kSignals{
    RaplSignal{"CPU_ENERGY",
               "Energy of the package: its cores, caches and what else is on it; on servers "
               "without memory",
               RaplKind::package, false},
    RaplSignal{"CPU_POWER", "Power of the package: the increase of CPU_ENERGY over 20 ms or more",
               RaplKind::package, true},
    RaplSignal{"CPU_CORE_ENERGY", "Energy of the package's cores, a part of CPU_ENERGY",
               RaplKind::core, false},
    RaplSignal{"CPU_UNCORE_ENERGY",
               "Energy of the package's graphics (uncore), a part of CPU_ENERGY", RaplKind::uncore,
               false},
    RaplSignal{"DRAM_ENERGY", "Energy of the memory at the package; no part of CPU_ENERGY",
               RaplKind::dram, false},
    RaplSignal{"DRAM_POWER", "Power of the memory: the increase of DRAM_ENERGY over 20 ms or more",
               RaplKind::dram, true},
    RaplSignal{"BOARD_ENERGY",
               "Energy of the whole platform (psys); holds CPU_ENERGY, so never add the two",
               RaplKind::platform, false},
    RaplSignal{"BOARD_POWER",
               "Power of the whole platform: the increase of BOARD_ENERGY over 20 ms or more",
               RaplKind::platform, true},
};
constexpr const char* kNames =
    "CPU_ENERGY, CPU_POWER, CPU_CORE_ENERGY, CPU_UNCORE_ENERGY, DRAM_ENERGY, DRAM_POWER, "
    "BOARD_ENERGY, BOARD_POWER";

/// At least 20 ms; longer for counters so coarse that their steps would show as jumps of power.
Nanoseconds window_of(const CounterShape& shape) {
  constexpr double kShortest = 0.02;
  constexpr double kLongest = 0.4;
  constexpr double kResolvedWatts = 1;
  return from_seconds(std::clamp(shape.step_joules / kResolvedWatts, kShortest, kLongest));
}

class RaplProvider final : public Provider {
 public:
  RaplProvider(SysRoot root, const Clock& clock, std::unique_ptr<PerfEvents> perf);
  RaplProvider(const RaplProvider&) = delete;
  RaplProvider& operator=(const RaplProvider&) = delete;
  ~RaplProvider() override;

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& topology) const override {
    if (packages_ > topology.count(Domain::package)) topology.set_count(Domain::package, packages_);
  }
  Result<int> push_signal(const Request& request) override;
  void read_batch(std::span<Reading> out) noexcept override;

 private:
  /// One counter of one zone or perf event.
  struct Counter {
    RaplKind kind = RaplKind::package;
    int package = 0;
    std::string path;          // powercap: its file; else ""
    std::uint64_t config = 0;  // perf: the event and the CPU it is read on
    int cpu = 0;
    EnergyCount count{CounterShape{}};
    PowerWindow window{Nanoseconds{0}};

    bool open = false;
    KernelFile file;
    int handle = -1;
    Nanoseconds next_try{0};  // when a file that vanished is looked for again
    Reading energy = Reading::missing(Errc::retry);
    Reading power = Reading::missing(Errc::retry);
  };
  struct Slot {
    std::vector<std::size_t> counters;  // of one part: its dies
    bool power = false;
  };

  void add_powercap(const RaplZones& zones);
  bool add_perf(const CpuMap& map);
  void offer_signals();
  void say_what_is_missing(const RaplZones& zones);
  Result<void> open_counter(Counter& counter);
  void read(Counter& counter) noexcept;
  [[nodiscard]] std::optional<std::uint64_t> raw_of(Counter& counter, Nanoseconds now) noexcept;
  [[nodiscard]] Reading sum_of(const Slot& slot) const noexcept;
  [[nodiscard]] int parts(Domain domain) const { return domain == Domain::board ? 1 : packages_; }

  SysRoot root_;
  const Clock& clock_;
  std::unique_ptr<PerfEvents> perf_;
  std::uint32_t perf_type_ = 0;
  bool perf_denied_ = false;
  ProviderInfo info_;
  int packages_ = 0;
  std::vector<Counter> counters_;
  std::vector<Slot> slots_;
};

RaplProvider::RaplProvider(SysRoot root, const Clock& clock, std::unique_ptr<PerfEvents> perf)
    : root_(std::move(root)), clock_(clock), perf_(perf ? std::move(perf) : linux_perf_events()) {
  info_.name = "rapl";
  info_.description = "Energy counters of the processor, by powercap or perf";
  RaplZones zones;
  // Machines without the counters, most virtual ones, pay for two looks and no more.
  if (has_powercap_zones(root_) || root_.exists("/sys/bus/event_source/devices/power/type")) {
    const CpuMap map = read_cpu_map(root_);
    zones = find_powercap_zones(root_, map.kernel_package);
    packages_ = zones.packages;
    add_powercap(zones);
    if (counters_.empty() && add_perf(map)) packages_ = map.count(Domain::package);
    offer_signals();
  }
  say_what_is_missing(zones);
  info_.available = !info_.signals.empty();
}

RaplProvider::~RaplProvider() {
  for (const Counter& counter : counters_) {
    if (counter.handle >= 0) perf_->close(counter.handle);
  }
}

void RaplProvider::add_powercap(const RaplZones& zones) {
  for (const RaplZone& zone : zones.zones) {
    Counter counter;
    counter.kind = zone.kind;
    counter.package = zone.package;
    counter.path = zone.energy_path;
    counter.count = EnergyCount(zone.shape);
    counter.window = PowerWindow(window_of(zone.shape));
    counters_.push_back(std::move(counter));
  }
  info_.absences = zones.notes;
}

bool RaplProvider::add_perf(const CpuMap& map) {
  const PerfPower power = find_perf_power(root_);
  perf_type_ = power.type;
  for (const PerfPowerEvent& event : power.events) {
    for (const int cpu : power.cpus) {
      const int dense = map.dense_cpu(cpu);
      if (dense < 0) continue;
      if (event.kind == RaplKind::platform && cpu != power.cpus.front()) break;
      // Listed events may not exist, and rights are known only by trying.
      const auto trial = perf_->open(power.type, event.config, cpu);
      if (!trial) {
        perf_denied_ = perf_denied_ || trial.error().code == Errc::denied;
        std::erase_if(counters_, [&](const Counter& c) { return c.kind == event.kind; });
        break;
      }
      perf_->close(*trial);
      CounterShape shape;
      shape.joules_per_count = event.joules_per_count;
      shape.max_watts = plausible_watts(event.kind, 0);
      Counter counter;
      counter.kind = event.kind;
      counter.package =
          event.kind == RaplKind::platform ? 0 : map.cpus[static_cast<std::size_t>(dense)].package;
      counter.config = event.config;
      counter.cpu = cpu;
      counter.count = EnergyCount(shape);
      counter.window = PowerWindow(window_of(shape));
      counters_.push_back(std::move(counter));
    }
  }
  return !counters_.empty();
}

void RaplProvider::offer_signals() {
  for (const RaplSignal& signal : kSignals) {
    const bool here = std::any_of(counters_.begin(), counters_.end(),
                                  [&](const Counter& c) { return c.kind == signal.kind; });
    if (!here) continue;
    // The power is the counter's own over a window: nothing was sampled on the way.
    info_.signals.push_back(
        {.name = signal.name,
         .description = signal.description,
         .unit = signal.power ? "W" : "J",
         .domain = signal.kind == RaplKind::platform ? Domain::board : Domain::package,
         .aggregation = Aggregation::sum,
         .behavior = signal.power ? Behavior::variable : Behavior::monotone,
         .source = Source::counter,
         .format = Format::number});
  }
}

void RaplProvider::say_what_is_missing(const RaplZones& zones) {
  const bool by_perf = !counters_.empty() && counters_.front().path.empty();
  if (!zones.denied.empty() && !by_perf) {
    info_.absences.push_back(
        {counters_.empty() ? kNames : "some energy counters",
         fmt::format("{} cannot be read by this user (kernels keep it for root since 2020)",
                     zones.denied),
         "until the next boot: sudo chmod a+r /sys/class/powercap/intel-rapl*/energy_uj; or for "
         "good: sudo setcap cap_perfmon+ep $(command -v mete)"});
  } else if (!zones.hidden.empty() && !by_perf) {
    info_.absences.push_back(
        {counters_.empty() ? kNames : "some energy counters",
         fmt::format("{} is listed but not there: containers hide it", zones.hidden),
         "start the container with -v /sys/devices/virtual/powercap:"
         "/sys/devices/virtual/powercap:ro and the right to read energy_uj"});
  } else if (counters_.empty() && perf_denied_) {
    info_.absences.push_back({kNames, "perf's power events need a privilege that this user lacks",
                              "sudo setcap cap_perfmon+ep $(command -v mete), or sudo sysctl "
                              "kernel.perf_event_paranoid=-1"});
  } else if (counters_.empty()) {
    info_.absences.push_back(
        {kNames,
         fmt::format("no energy counter here (no {})",
                     root_.path("/sys/class/powercap/intel-rapl:0")),
         "on bare metal with an Intel or AMD processor: sudo modprobe intel_rapl_msr; a virtual "
         "machine is not shown its host's: measure the energy of a board: --board v100"});
  }
}

Result<void> RaplProvider::open_counter(Counter& counter) {
  if (counter.open) return {};
  if (counter.path.empty()) {
    METE_TRY(counter.handle, perf_->open(perf_type_, counter.config, counter.cpu));
  } else {
    METE_TRY(counter.file, KernelFile::open(SysRoot(), counter.path));
  }
  counter.open = true;
  return {};
}

Result<int> RaplProvider::push_signal(const Request& request) {
  METE_TRY(const std::size_t row, find_signal(info_, request, parts(request.domain)));
  const auto signal = std::find_if(kSignals.begin(), kSignals.end(), [&](const RaplSignal& s) {
    return info_.signals[row].name == s.name;
  });
  Slot slot;
  slot.power = signal->power;
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    Counter& counter = counters_[i];
    if (counter.kind != signal->kind || counter.package != request.index) continue;
    if (auto opened = open_counter(counter); !opened) return opened.error().within(request.name);
    read(counter);
    const auto& fault = counter.energy.fault;
    if (fault) {
      return fail(*fault, "{}: {}: expected a count of microjoules within its range", request.name,
                  counter.path.empty() ? "perf's power event" : counter.path);
    }
    slot.counters.push_back(i);
  }
  if (slot.counters.empty()) {
    return fail(Errc::unavailable, "{}: {} {} has no such counter, or this user may not read it",
                request.name, domain_name(request.domain), request.index);
  }
  slots_.push_back(std::move(slot));
  return static_cast<int>(slots_.size()) - 1;
}

std::optional<std::uint64_t> RaplProvider::raw_of(Counter& counter, Nanoseconds now) noexcept {
  std::uint64_t raw = 0;
  if (counter.path.empty()) {
    const auto fault = perf_->read(counter.handle, raw);
    if (!fault) return raw;
    counter.energy = Reading::missing(*fault);
    return std::nullopt;
  }
  Reading text = counter.file.read_number(1);
  if (text.fault == Errc::gone) {
    // Its driver was taken out: the open descriptor stays dead, the file may come back.
    constexpr Nanoseconds kBetweenTries = std::chrono::milliseconds(200);
    if (now < counter.next_try) return std::nullopt;
    counter.next_try = now + kBetweenTries;
    counter.energy = text;
    if (!counter.file.reopen(counter.path.c_str())) return std::nullopt;
    text = counter.file.read_number(1);
    if (!text.fault) counter.count.lose();
  }
  // 2^53 and more is no count that a double holds exactly, and above any range.
  if (!text.fault && !(text.value >= 0 && text.value < 0x1.0p53)) {
    text = Reading::missing(Errc::failed);
  }
  if (!text.fault) return static_cast<std::uint64_t>(text.value);
  counter.energy = text;
  return std::nullopt;
}

void RaplProvider::read(Counter& counter) noexcept {
  const auto raw = raw_of(counter, clock_.now());
  // After the read, which may wait for the other package's processor.
  const Nanoseconds now = clock_.now();
  if (raw) counter.energy = counter.count.update(*raw, now);
  counter.power = counter.window.update(counter.energy, counter.count.restarts(), now);
}

Reading RaplProvider::sum_of(const Slot& slot) const noexcept {
  Reading sum{0, std::nullopt};
  for (const std::size_t i : slot.counters) {
    const Reading& one = slot.power ? counters_[i].power : counters_[i].energy;
    if (one.fault) return one;  // a sum with a die missing is not the sum
    sum.value += one.value;
  }
  return sum;
}

void RaplProvider::read_batch(std::span<Reading> out) noexcept {
  for (Counter& counter : counters_) {
    if (counter.open) read(counter);
  }
  for (std::size_t h = 0; h < std::min(out.size(), slots_.size()); ++h) out[h] = sum_of(slots_[h]);
}

}  // namespace

std::unique_ptr<Provider> make_rapl_provider(SysRoot root, const Clock& clock,
                                             std::unique_ptr<PerfEvents> perf) {
  return std::make_unique<RaplProvider>(std::move(root), clock, std::move(perf));
}

}  // namespace mete
