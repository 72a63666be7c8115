// Controller: an agent plugged into a session. It pushes the agent's signals and control for every
// part of the agent's domain, borrows the control, and once per loop turns readings into an
// Observation, asks the agent and adjusts the control. It also looks after what it has set: a limit
// that something else changed is set again a few times, and what the device made of the settings
// is told as warnings (device_watch.h, docs/faults.md).
//
// Only an upper limit is set (.._MAX_CONTROL), never a lower one: a device under a cap still clocks
// down by itself when idle, which a raised lower limit would forbid, and one control has no order
// in which a pair of limits could be written wrongly. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/control/agent.h"
#include "mete/control/device_watch.h"
#include "mete/measure/session.h"

namespace mete {

class Controller final : public Steering {
 public:
  /// `policy` is resolved: one value per field of the agent (resolve_policy).
  Controller(std::unique_ptr<Agent> agent, std::vector<double> policy);

  std::string agent_name() const override;
  std::string policy_json() const override;
  /// Refused, before anything is borrowed: no part of the agent's domain here (unavailable), a
  /// signal or control that this machine lacks (unavailable, all of them named), a policy that the
  /// device cannot follow (invalid).
  Result<void> begin(Platform& platform, ControlGuard& guard) override;
  void step(Platform& platform, double time_seconds) noexcept override;
  /// One per part: the setting asked for last, `AGENT_<CONTROL>-<domain>-<index>`; NaN before the
  /// first. Then the agent's own.
  std::vector<std::string> trace_columns() const override;
  void trace_values(std::span<double> out) const noexcept override;
  /// `Agent Domain`, `GPU Frequency Requests` (settings asked for that differ from the one before,
  /// over all parts), then the agent's own lines.
  std::vector<std::pair<std::string, std::string>> report_lines() const override;
  std::optional<Error> fault() const override { return agent_->fault(); }
  bool may_hang() const override { return agent_->may_hang(); }
  void interrupt() noexcept override { agent_->interrupt(); }

  /// What the device made of the settings, and a program that ended before it was seen at work.
  std::vector<std::string> warnings() const override;

  /// The loop period that the agent wants, s.
  [[nodiscard]] double period_seconds() const;
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] const Agent& agent() const { return *agent_; }

 private:
  /// One part's control, and what tells of its fate; handles are -1 where there is no such signal.
  struct Steered {
    int control = -1;
    ControlLimits accepts;
    /// Of every native part: the limit in force, and what it takes.
    std::vector<std::pair<int, ControlLimits>> limits;
    int status = -1;
    int utilization = -1;
    int power = -1;
    int energy = -1;
    double requested = 0;  ///< NaN before the first request
    DeviceWatch watch;
  };

  Result<void> check_names(const Platform& platform) const;
  Result<void> take_control(Platform& platform, ControlGuard& guard, int part);
  Result<void> watch_limits(Platform& platform, const Request& request, Steered& steered) const;
  void look_after(Platform& platform, double time_seconds) noexcept;

  std::unique_ptr<Agent> agent_;
  std::vector<double> policy_;
  std::size_t parts_ = 0;
  std::vector<int> signal_handles_;  ///< [part * signals + signal]; -1: absent
  std::vector<Steered> steered_;     ///< [part]; empty if the agent only watches
  std::vector<double> values_;       ///< the observation's storage
  std::vector<double> decisions_;
  std::uint64_t requests_ = 0;
  std::uint64_t steps_ = 0;
};

/// From what `mete run --agent A --policy P --model M` is given; see parse_policy for P's forms.
/// Loads the model if the agent needs one. Wrong names and values are `invalid`.
Result<std::unique_ptr<Controller>> make_controller(std::string_view agent, std::string_view policy,
                                                    const AgentContext& context);
/// The same with nothing but a model.
Result<std::unique_ptr<Controller>> make_controller(std::string_view agent, std::string_view policy,
                                                    const std::string& model_path);
/// The same as a Steering, for those who need no more.
Result<std::unique_ptr<Steering>> make_steering(std::string_view agent, std::string_view policy,
                                                const std::string& model_path);

}  // namespace mete
