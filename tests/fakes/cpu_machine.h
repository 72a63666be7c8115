// CpuMachine: a fake /proc and /sys that behaves like a machine. It reads the cpufreq limits that
// were written into the tree, runs its work at the clock that follows from them, and writes clocks,
// energy counters and ticks back, in virtual time.
//
// The truth is two formulas, which tests evaluate for themselves:
//   time of the work against the top clock    compute · f_top / f + 1 − compute
//   power of a busy package                   idle + (busy − idle) · (f / f_top)^2.4
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/fixtures/sys/fake_sys.h"

#include "mete/base/clock.h"
#include "mete/measure/workload.h"

namespace mete::test {

struct CpuWork {
  double compute = 0.3;  ///< share of the time at the top clock that goes with the clock
  double idle_watts = 35;
  double busy_watts = 120;  ///< at the top clock

  [[nodiscard]] double time(double share) const { return compute / share + 1 - compute; }
  [[nodiscard]] double watts(double share) const {
    return idle_watts + (busy_watts - idle_watts) * std::pow(share, 2.4);
  }
};

class CpuMachine {
 public:
  static constexpr int kMinKilohertz = 800000;
  static constexpr int kMaxKilohertz = 3200000;
  static constexpr int kCpusPerPackage = 4;
  static constexpr double kTick = 0.001;  ///< s, of the model
  static constexpr double kRangeMicrojoules = 262143328850.0;

  /// `shared_clock`: one cpufreq policy per package (else one per CPU).
  CpuMachine(fake::FakeSys& sys, int packages, bool shared_clock, bool tells_energy = true)
      : sys_(sys),
        shared_(shared_clock),
        tells_energy_(tells_energy),
        joules_(static_cast<std::size_t>(packages), 262100.0) {
    for (int cpu = 0; cpu < packages * kCpusPerPackage; ++cpu) {
      const int package = cpu / kCpusPerPackage;
      sys_.cpu(cpu, package, cpu % kCpusPerPackage, std::to_string(cpu));
      if (!shared_) sys_.policy(cpu, std::to_string(cpu), limits());
    }
    for (int p = 0; p < packages; ++p) {
      const int first = p * kCpusPerPackage;
      if (shared_) {
        sys_.policy(p, fmt::format("{} {} {} {}", first, first + 1, first + 2, first + 3),
                    limits());
      }
      if (!tells_energy_) continue;
      const std::string zone = fmt::format("/sys/class/powercap/intel-rapl:{}/", p);
      sys_.write(zone + "name", fmt::format("package-{}\n", p));
      sys_.write(zone + "enabled", "1\n");
      sys_.write(zone + "max_energy_range_uj", "262143328850\n");
    }
    sys_.online(fmt::format("0-{}", packages * kCpusPerPackage - 1));
    sys_.memory(16000000, 8000000);
    publish();
  }

  void start(const CpuWork& work, double seconds_at_top) {
    work_ = work;
    left_ = seconds_at_top;
    done_ = 0;
  }
  void stop() { left_ = 0; }
  [[nodiscard]] bool finished() const { return left_ <= 0; }

  /// Runs to `seconds`, or to the end of the work if that is sooner; the moment it came to.
  double run_to(double seconds) {
    const std::vector<double> clocks = clocks_now();
    while (now_ < seconds && !finished()) tick(clocks, true);
    publish();
    return now_;
  }
  /// Nothing runs.
  void rest_to(double seconds) {
    const std::vector<double> clocks = clocks_now();
    while (now_ < seconds) tick(clocks, false);
    publish();
  }

  /// A thermal cap: no package runs faster, whatever its limit. 0: none.
  double cap_hertz = 0;
  /// Progress that the program tells, in epochs per second of work at the top clock.
  double epochs_per_second = 0;

  /// Work done, in seconds at the top clock.
  [[nodiscard]] double done() const { return done_; }
  [[nodiscard]] double joules() const {
    double sum = 0;
    for (const double j : joules_) sum += j - 262100.0;
    return sum;
  }
  [[nodiscard]] double instructions() const { return done_ * 4e9; }
  [[nodiscard]] int packages() const { return static_cast<int>(joules_.size()); }
  [[nodiscard]] const fake::FakeSys& sys() const { return sys_; }
  /// The limit in force of a package's first policy, kHz, as text.
  [[nodiscard]] std::string limit(int package) const {
    return sys_.read(folder(package) + "scaling_max_freq");
  }
  [[nodiscard]] std::string folder(int package) const {
    return fake::FakeSys::policy_folder(shared_ ? package : package * kCpusPerPackage);
  }

 private:
  static fake::FakeSys::Policy limits() {
    return {.min = kMinKilohertz, .max = kMaxKilohertz, .current = kMaxKilohertz};
  }
  /// Hz, per package; of a package whose CPUs differ, the lowest: its work waits for all.
  [[nodiscard]] std::vector<double> clocks_now() const {
    std::vector<double> out;
    for (int p = 0; p < packages(); ++p) {
      double lowest = 1e3 * kMaxKilohertz;
      for (int i = 0; i < (shared_ ? 1 : kCpusPerPackage); ++i) {
        const int id = shared_ ? p : p * kCpusPerPackage + i;
        const auto text = sys_.read(fake::FakeSys::policy_folder(id) + "scaling_max_freq");
        lowest = std::min(lowest, 1e3 * std::stod(text));
      }
      out.push_back(cap_hertz > 0 ? std::min(lowest, cap_hertz) : lowest);
    }
    return out;
  }
  /// All packages work on the same program, which goes on at the pace of the slowest.
  void tick(const std::vector<double>& clocks, bool busy) {
    double slowest = 0;
    for (std::size_t p = 0; p < joules_.size(); ++p) {
      const double share = clocks[p] / (1e3 * kMaxKilohertz);
      slowest = std::max(slowest, work_.time(share));
      joules_[p] += kTick * (busy ? work_.watts(share) : work_.idle_watts);
    }
    now_ += kTick;
    (busy ? busy_ : idle_) += kTick;
    if (!busy) return;
    done_ += kTick / slowest;
    left_ -= kTick / slowest;
  }
  void publish() {
    const std::vector<double> clocks = clocks_now();
    for (int p = 0; p < packages(); ++p) {
      const auto place = static_cast<std::size_t>(p);
      for (int i = 0; i < (shared_ ? 1 : kCpusPerPackage); ++i) {
        const int id = shared_ ? p : p * kCpusPerPackage + i;
        sys_.write(fake::FakeSys::policy_folder(id) + "scaling_cur_freq",
                   fmt::format("{:.0f}\n", clocks[place] / 1e3));
      }
      if (!tells_energy_) continue;
      // The counter starts near its end, and turns over.
      sys_.write(fmt::format("/sys/class/powercap/intel-rapl:{}/energy_uj", p),
                 fmt::format("{:.0f}\n", std::fmod(joules_[place] * 1e6, kRangeMicrojoules)));
    }
    const long busy = std::lround(busy_ * 100) - ticks_busy_;
    const long idle = std::lround(idle_ * 100) - ticks_idle_;
    ticks_busy_ += busy;
    ticks_idle_ += idle;
    sys_.all_tick(busy, idle);
  }

  fake::FakeSys& sys_;
  bool shared_;
  bool tells_energy_;
  CpuWork work_;
  double now_ = 0;
  double left_ = 0;
  double done_ = 0;
  double busy_ = 0;
  double idle_ = 0;
  long ticks_busy_ = 0;
  long ticks_idle_ = 0;
  std::vector<double> joules_;
};

/// The machine's work as a session runs it.
class CpuMachineWorkload final : public Workload {
 public:
  CpuMachineWorkload(CpuMachine& machine, VirtualClock& clock, CpuWork work, double seconds)
      : machine_(machine), clock_(clock), work_(work), seconds_(seconds) {}
  std::string describe() const override { return "work of a fake machine"; }
  Result<void> start() override {
    machine_.start(work_, seconds_);
    return {};
  }
  bool wait_until(Nanoseconds deadline) noexcept override {
    if (on_wait) on_wait(to_seconds(clock_.now()));
    clock_.advance_to(from_seconds(machine_.run_to(to_seconds(deadline))));
    return machine_.finished();
  }
  void stop(int signal) noexcept override {
    machine_.stop();
    status_ = {128 + signal, signal};
  }
  ExitStatus status() const override { return status_; }

  std::function<void(double)> on_wait;  ///< what happens to the machine meanwhile

 private:
  CpuMachine& machine_;
  VirtualClock& clock_;
  CpuWork work_;
  double seconds_;
  ExitStatus status_;
};

}  // namespace mete::test
