// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/controller.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "mete/base/text.h"
#include "mete/control/agents/steered_domain.h"
#include "mete/control/policy.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string upper(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

Error no_parts(const AgentInfo& info) {
  const auto domain = upper(domain_name(info.domain));
  const bool gpu = info.domain == Domain::gpu || info.domain == Domain::gpu_chip;
  return fail(
      Errc::unavailable, "the agent {} needs a {}, and there is none here; {}", info.name, domain,
      gpu ? "`mete doctor` says why, and `--board v100` replays one" : "`mete doctor` says why");
}

/// A signal that no part of the agent's domain has of its own (the time, the region) is the whole
/// board's for each of them.
Result<Request> signal_of_part(const Platform& platform, const std::string& name, Domain domain,
                               int part) {
  METE_TRY(const auto signal, platform.signal_info(name));
  if (platform.topology().is_nested(signal.domain, domain)) return Request{name, domain, part};
  return Request{name, Domain::board, 0};
}

/// Its handle, or -1 where the machine lacks it.
int push_optional(Platform& platform, const std::string& name, Domain domain, int part) {
  if (!platform.has_signal(name)) return -1;
  const auto request = signal_of_part(platform, name, domain, part);
  if (!request) return -1;
  const auto handle = platform.push_signal(*request);
  return handle ? *handle : -1;
}

}  // namespace

Controller::Controller(std::unique_ptr<Agent> agent, std::vector<double> policy)
    : agent_(std::move(agent)), policy_(std::move(policy)) {}

std::string Controller::agent_name() const { return agent_->info().name; }

std::string Controller::policy_json() const { return mete::policy_json(policy_, agent_->info()); }

double Controller::period_seconds() const { return agent_->info().period_seconds; }

Result<void> Controller::check_names(const Platform& platform) const {
  const AgentInfo& info = agent_->info();
  std::vector<std::string> missing;
  for (const auto& name : info.signals) {
    if (!platform.has_signal(name)) missing.push_back(name);
  }
  if (!info.control.empty() && !platform.has_control(info.control)) {
    missing.push_back(info.control + " (control)");
  }
  if (missing.empty()) return {};
  return fail(Errc::unavailable, "the agent {} needs {}, absent here; `mete doctor` says why",
              info.name, join(missing, ", "));
}

Result<void> Controller::begin(Platform& platform, ControlGuard& guard) {
  const AgentInfo& info = agent_->info();
  const int parts = platform.topology().count(info.domain);
  if (parts <= 0) return no_parts(info);
  METE_TRY_VOID(check_names(platform));

  parts_ = static_cast<std::size_t>(parts);
  std::vector<PartLimits> limits(parts_);
  std::vector<Request> controls;
  for (int part = 0; part < parts && !info.control.empty(); ++part) {
    const Request request{info.control, info.domain, part};
    METE_TRY(const auto accepts, platform.limits(request));
    limits[static_cast<std::size_t>(part)] = {accepts.min, accepts.max, accepts.supported};
    controls.push_back(request);
  }
  METE_TRY_VOID(agent_->start(limits, policy_));

  signal_handles_.clear();
  control_handles_.clear();
  for (int part = 0; part < parts; ++part) {
    for (const auto& name : info.signals) {
      METE_TRY(const auto request, signal_of_part(platform, name, info.domain, part));
      METE_TRY(const int handle, platform.push_signal(request));
      signal_handles_.push_back(handle);
    }
    for (const auto& name : info.optional_signals) {
      signal_handles_.push_back(push_optional(platform, name, info.domain, part));
    }
  }
  for (const auto& request : controls) {
    METE_TRY_VOID(guard.borrow(request));
    METE_TRY(const int handle, platform.push_control(request));
    control_handles_.push_back(handle);
  }
  values_.assign(signal_handles_.size(), kNan);
  decisions_.assign(parts_, kNan);
  requested_.assign(parts_, kNan);
  requests_ = 0;
  return {};
}

void Controller::step(Platform& platform, double time_seconds) noexcept {
  for (std::size_t i = 0; i < signal_handles_.size(); ++i) {
    values_[i] = signal_handles_[i] < 0 ? kNan : platform.value(signal_handles_[i]);
  }
  std::fill(decisions_.begin(), decisions_.end(), kNan);
  agent_->step({time_seconds, parts_, values_}, policy_, decisions_);
  for (std::size_t part = 0; part < control_handles_.size(); ++part) {
    const double wanted = decisions_[part];
    if (std::isnan(wanted)) continue;
    platform.adjust(control_handles_[part], wanted);
    if (wanted != requested_[part]) ++requests_;
    requested_[part] = wanted;
  }
}

std::vector<std::string> Controller::trace_columns() const {
  const AgentInfo& info = agent_->info();
  std::vector<std::string> columns;
  for (std::size_t part = 0; part < control_handles_.size(); ++part) {
    columns.push_back(column_name({"AGENT_" + info.control, info.domain, static_cast<int>(part)}));
  }
  for (auto& column : agent_->trace_columns()) columns.push_back(std::move(column));
  return columns;
}

void Controller::trace_values(std::span<double> out) const noexcept {
  const std::size_t n = std::min(out.size(), control_handles_.size());
  for (std::size_t part = 0; part < n; ++part) out[part] = requested_[part];
  agent_->trace_values(out.subspan(n));
}

std::vector<std::pair<std::string, std::string>> Controller::report_lines() const {
  const AgentInfo& info = agent_->info();
  std::vector<std::pair<std::string, std::string>> lines;
  if (!info.control.empty()) {
    const auto domain = domain_name(info.domain);
    lines.emplace_back("Agent Domain", domain);
    lines.emplace_back(upper(domain) + " Frequency Requests", fmt::format("{}", requests_));
  }
  for (auto& line : agent_->report_lines()) lines.push_back(std::move(line));
  return lines;
}

Result<std::unique_ptr<Controller>> make_controller(std::string_view agent, std::string_view policy,
                                                    const std::string& model_path) {
  AgentContext context;
  context.model_path = model_path;
  return make_controller(agent, policy, context);
}

Result<std::unique_ptr<Controller>> make_controller(std::string_view agent, std::string_view policy,
                                                    const AgentContext& context) {
  METE_TRY(auto made, make_agent(agent, context));
  METE_TRY(const auto named, parse_policy(policy, made->info()));
  METE_TRY(auto resolved, resolve_policy(named, made->info()));
  return std::make_unique<Controller>(std::move(made), std::move(resolved));
}

Result<std::unique_ptr<Steering>> make_steering(std::string_view agent, std::string_view policy,
                                                const std::string& model_path) {
  METE_TRY(auto controller, make_controller(agent, policy, model_path));
  return std::unique_ptr<Steering>(std::move(controller));
}

}  // namespace mete
