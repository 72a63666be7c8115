// Agent: decides settings from what was observed. A step is pure: no clock, no I/O, no randomness
// of its own, so that a recorded trace replays to the same decisions.
//
//   policy       what the owner wants: named numbers ("GPU_PHI" 0 = performance .. 1 = energy)
//   observation  the agent's signals, one row per part of its domain
//   decision     the setting wanted for each part, in the control's unit; NaN: leave it
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/signal/provider.h"

namespace mete {

class ResponseModel;

/// One policy value an agent takes.
struct PolicyField {
  std::string name;
  std::string description;
  std::string unit;
  double fallback =
      0;  ///< used when the policy says NaN or nothing; NaN if the device decides (its limits)
  double min = 0;
  double max = 1;
};

struct AgentInfo {
  std::string name;
  std::string description;
  std::vector<PolicyField> policy;
  Domain domain = Domain::gpu;       ///< one row and one decision per part of it
  std::vector<std::string> signals;  ///< columns of an observation, in order
  std::string control;               ///< what it sets; "" if it only watches
  double period_seconds = 0.05;      ///< the loop period it wants
  /// Columns after those of `signals`: NaN on machines that lack them.
  std::vector<std::string> optional_signals = {};
  /// Domains it can be made for (`NAME@domain`), `domain` among them; empty: `domain` alone.
  std::vector<Domain> domains = {};
};

/// What an agent is told of a part before the first step.
struct PartLimits {
  double min = 0;
  double max = 0;
  std::vector<double> supported;  ///< ascending; empty: anything between
};

/// Values by [part * signals + signal]; NaN where a reading failed.
struct Observation {
  double time = 0;  ///< s since the start
  std::size_t parts = 0;
  std::span<const double> values;
  [[nodiscard]] std::span<const double> row(std::size_t part) const {
    const std::size_t width = parts == 0 ? 0 : values.size() / parts;
    return values.subspan(part * width, width);
  }
};

/// Values in the order of AgentInfo::policy, all resolved (no NaN but where the field's fallback is
/// NaN).
using PolicyValues = std::span<const double>;

class Agent {
 public:
  virtual ~Agent() = default;
  virtual const AgentInfo& info() const = 0;
  /// Once, before the first step. Checks the policy against the device.
  virtual Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) = 0;
  /// Fills one decision per part. Allocates nothing, throws nothing.
  virtual void step(const Observation& observation, PolicyValues policy,
                    std::span<double> decisions) noexcept = 0;
  /// Lines for the report's host section (key, value).
  virtual std::vector<std::pair<std::string, std::string>> report_lines() const { return {}; }
  /// Columns of its own in the trace, known from start() on, and their values after each step.
  virtual std::vector<std::string> trace_columns() const { return {}; }
  virtual void trace_values(std::span<double> /*out*/) const noexcept {}
  /// Why it can decide no more (an agent from outside the tree failed), if so: the run then ends.
  virtual std::optional<Error> fault() const { return std::nullopt; }
  /// Written by the user: its start() and step() may never return.
  virtual bool may_hang() const { return false; }
  /// Called from another thread while one of them runs: it should give up, with a fault, if it can.
  virtual void interrupt() noexcept {}
};

/// What agents are made from.
struct AgentContext {
  std::string model_path;          ///< --model
  std::string frequency_map_path;  ///< --frequency-map
  /// What an agent that learns responses is given in memory; else it reads model_path.
  std::shared_ptr<const ResponseModel> response = nullptr;
  /// What is to be steered, for agents that can steer more than one kind of part.
  Domain domain = Domain::gpu;
};

struct AgentEntry {
  std::string_view name;
  std::string_view description;
  Result<std::unique_ptr<Agent>> (*make)(const AgentContext&);
};
/// The built-in agents: an explicit array, in control/agents.cc.
std::span<const AgentEntry> builtin_agents();
/// By name, or `NAME@domain` for an agent that can steer more than one kind of part
/// (`frontier@package`: the clocks of the CPUs). The error offers the nearest names, or says what
/// the agent can steer.
Result<std::unique_ptr<Agent>> make_agent(std::string_view name, const AgentContext& context);

}  // namespace mete
