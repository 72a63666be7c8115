// A platform whose signals follow a script in virtual time, a workload that lasts a given time, and
// a control that remembers: for tests of the session alone. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/clock.h"
#include "mete/measure/workload.h"
#include "mete/provider/time/time_provider.h"
#include "mete/signal/platform.h"

namespace mete::test {

/// A value at a time, s; NaN: the reading fails.
using Script = std::function<double(double)>;

class ScriptedProvider final : public Provider, public Controls {
 public:
  explicit ScriptedProvider(const Clock& clock) : clock_(clock) { info_.name = "scripted"; }
  void add(SignalInfo info, Script script) {
    info_.signals.push_back(std::move(info));
    scripts_.push_back(std::move(script));
  }
  void add_control(const std::string& name) {
    info_.controls.push_back({name, "", "Hz", Domain::board, Aggregation::expect_same});
  }

  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}
  Result<int> push_signal(const Request& request) override {
    for (std::size_t i = 0; i < info_.signals.size(); ++i) {
      if (info_.signals[i].name != request.name) continue;
      pushed_.push_back(i);
      return static_cast<int>(pushed_.size()) - 1;
    }
    return fail(Errc::invalid, "no {}", request.name);
  }
  void read_batch(std::span<Reading> out) noexcept override {
    for (std::size_t i = 0; i < pushed_.size(); ++i) {
      const double value = scripts_[pushed_[i]](to_seconds(clock_.now()));
      out[i] = std::isnan(value) ? Reading::missing(Errc::gone) : Reading{value, std::nullopt};
    }
  }
  Controls* controls() override { return this; }
  Result<ControlLimits> limits(const Request& /*request*/) const override {
    return ControlLimits{1e9, 2e9, {1e9, 1.5e9, 2e9}};
  }
  Result<int> push(const Request& /*request*/) override { return 0; }
  Result<void> write_batch(std::span<const double> values) override {
    if (std::isnan(values[0])) return {};
    if (refuse_writes) return fail(Errc::denied, "the device refuses");
    setting = values[0];
    history.push_back(setting);
    return {};
  }
  Result<std::string> save(const Request& /*request*/) const override {
    return fmt::format("{}", setting);
  }
  Result<void> restore(const Request& /*request*/, const std::string& saved) override {
    setting = std::stod(saved);
    ++restored;
    return {};
  }

  double setting = 2e9;
  std::vector<double> history;
  int restored = 0;
  bool refuse_writes = false;

 private:
  const Clock& clock_;
  ProviderInfo info_;
  std::vector<Script> scripts_;
  std::vector<std::size_t> pushed_;
};

/// Ends `seconds` after its start, or at once when stopped by one of `heeds`.
class TimedWorkload final : public Workload {
 public:
  TimedWorkload(VirtualClock& clock, double seconds) : clock_(clock), seconds_(seconds) {}
  std::string describe() const override { return "timed work"; }
  Result<void> start() override {
    if (refuse_start) return fail(Errc::invalid, "no such command");
    end_ = clock_.now() + from_seconds(seconds_);
    if (on_start) on_start();
    return {};
  }
  bool wait_until(Nanoseconds deadline) noexcept override {
    if (on_wait) on_wait(clock_.now());
    clock_.advance_to(std::min(deadline, end_) + delay);
    return clock_.now() >= end_;
  }
  void stop(int signal) noexcept override {
    stops.emplace_back(signal, to_seconds(clock_.now()));
    if (signal == heeds) {
      end_ = clock_.now();
      status_ = {128 + signal, signal};
    }
  }
  ExitStatus status() const override { return status_; }

  bool refuse_start = false;
  int heeds = 15;
  Nanoseconds delay{0};  ///< each wait returns this late
  std::function<void()> on_start;
  std::function<void(Nanoseconds)> on_wait;
  std::vector<std::pair<int, double>> stops;

 private:
  VirtualClock& clock_;
  double seconds_;
  Nanoseconds end_{0};
  ExitStatus status_;
};

class SetInterrupt final : public Interrupt {
 public:
  int signal() const noexcept override { return number; }
  bool repeated() const noexcept override { return again; }
  int number = 0;
  bool again = false;
};

inline SignalInfo signal_row(const std::string& name, Behavior behavior,
                             const std::string& unit = "W") {
  SignalInfo info;
  info.name = name;
  info.unit = unit;
  info.behavior = behavior;
  return info;
}

/// A machine in virtual time: TIME, and what a test adds before platform() is first asked for.
struct Bench {
  VirtualClock clock{1'795'000'000};
  SetInterrupt interrupt;
  std::unique_ptr<ScriptedProvider> pending = std::make_unique<ScriptedProvider>(clock);
  ScriptedProvider* provider = pending.get();
  std::unique_ptr<Platform> made;

  Platform& platform() {
    if (!made) {
      std::vector<std::unique_ptr<Provider>> providers;
      providers.push_back(make_time_provider(clock, clock.now()));
      providers.push_back(std::move(pending));
      made = std::make_unique<Platform>(std::move(providers));
    }
    return *made;
  }
};

}  // namespace mete::test
