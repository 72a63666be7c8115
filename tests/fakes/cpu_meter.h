// What a CpuMachine's other counters would tell: package energy and power from the tree's own
// energy_uj files, and, where a test wants them, instructions and epochs. Where mete's own provider
// offers a name, that is asked first. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/cpu_machine.h"

#include "mete/signal/provider.h"

namespace mete::test {

class CpuMeter final : public Provider {
 public:
  struct Has {
    bool power = true;
    bool instructions = false;
    bool epochs = false;
  };
  CpuMeter(const CpuMachine& machine, const Clock& clock, Has has)
      : has_(has),
        machine_(machine),
        clock_(clock),
        zones_(static_cast<std::size_t>(machine.packages())) {
    info_.name = "cpu_meter";
    const auto add = [this](std::string name, std::string unit, Domain domain, Behavior behavior) {
      SignalInfo row;
      row.name = std::move(name);
      row.unit = std::move(unit);
      row.domain = domain;
      row.aggregation = Aggregation::sum;
      row.behavior = behavior;
      row.source = Source::counter;
      info_.signals.push_back(std::move(row));
    };
    if (has.power) {
      add("CPU_ENERGY", "J", Domain::package, Behavior::monotone);
      add("CPU_POWER", "W", Domain::package, Behavior::variable);
    }
    if (has.instructions) {
      add("CPU_INSTRUCTIONS_RETIRED", "", Domain::package, Behavior::monotone);
    }
    if (has.epochs) add("EPOCH_COUNT", "", Domain::board, Behavior::monotone);
    for (std::size_t p = 0; p < zones_.size(); ++p) zones_[p].raw = raw(p);
  }
  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}
  Result<int> push_signal(const Request& request) override {
    pushed_.push_back(request);
    return static_cast<int>(pushed_.size()) - 1;
  }
  void read_batch(std::span<Reading> out) noexcept override {
    const double now = to_seconds(clock_.now());
    for (std::size_t p = 0; p < zones_.size(); ++p) {
      Zone& zone = zones_[p];
      const double here = raw(p);
      double more = here - std::exchange(zone.raw, here);
      if (more < 0) more += CpuMachine::kRangeMicrojoules * 1e-6;
      zone.joules += more;
      if (now > time_) zone.watts = more / (now - time_);
    }
    time_ = now;
    for (std::size_t i = 0; i < std::min(out.size(), pushed_.size()); ++i)
      out[i] = read(pushed_[i]);
  }

 private:
  struct Zone {
    double raw = 0;
    double joules = 0;
    double watts = std::nan("");
  };
  [[nodiscard]] double raw(std::size_t package) const {
    if (!has_.power) return 0;
    return 1e-6 * std::stod(machine_.sys().read(
                      fmt::format("/sys/class/powercap/intel-rapl:{}/energy_uj", package)));
  }
  [[nodiscard]] Reading read(const Request& request) const {
    const Zone& zone = zones_[static_cast<std::size_t>(request.index)];
    if (request.name == "CPU_ENERGY") return {zone.joules, std::nullopt};
    if (request.name == "CPU_INSTRUCTIONS_RETIRED") return {machine_.instructions(), std::nullopt};
    if (request.name == "EPOCH_COUNT") {
      return {std::floor(machine_.done() * machine_.epochs_per_second), std::nullopt};
    }
    return std::isnan(zone.watts) ? Reading::missing(Errc::retry)
                                  : Reading{zone.watts, std::nullopt};
  }

  Has has_;
  const CpuMachine& machine_;
  const Clock& clock_;
  ProviderInfo info_;
  std::vector<Request> pushed_;
  std::vector<Zone> zones_;
  double time_ = 0;
};

}  // namespace mete::test
