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
/// Utilisation from which on a part's clock is judged. Of a package, whose clock is the mean over
/// its CPUs, idle ones would spoil it.
constexpr double kBusyGpu = 0.5;
constexpr double kBusyPackage = 0.9;

std::string upper(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

Error no_parts(const AgentInfo& info) {
  const auto domain = upper(domain_name(info.domain));
  std::string next = "`mete doctor` says why";
  if (info.domain == Domain::gpu || info.domain == Domain::gpu_chip) {
    next += ", and `--board v100` replays one";
  }
  if (info.domain == Domain::gpu && !info.domains.empty()) {
    next += fmt::format("; `--agent {}@package` steers the CPUs", info.name);
  }
  return fail(Errc::unavailable, "the agent {} needs a {}, and there is none here; {}", info.name,
              domain, next);
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
  if (info.domain == Domain::package && !info.control.empty() &&
      platform.has_control(info.control)) {
    // The clock can be set, but what it does cannot be seen.
    return fail(Errc::unavailable,
                "the agent {} needs {}, absent here; `mete doctor` says why; `--agent "
                "fixed@package --policy CPU_FREQ=..` holds a clock without",
                info.name, join(missing, ", "));
  }
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
  for (int part = 0; part < parts && !info.control.empty(); ++part) {
    METE_TRY(const auto accepts, platform.limits({info.control, info.domain, part}));
    limits[static_cast<std::size_t>(part)] = {accepts.min, accepts.max, accepts.supported};
  }
  METE_TRY_VOID(agent_->start(limits, policy_));

  signal_handles_.clear();
  steered_.clear();
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
  for (int part = 0; part < parts && !info.control.empty(); ++part) {
    METE_TRY_VOID(take_control(platform, guard, part));
  }
  values_.assign(signal_handles_.size(), kNan);
  decisions_.assign(parts_, kNan);
  requests_ = 0;
  steps_ = 0;
  return {};
}

Result<void> Controller::take_control(Platform& platform, ControlGuard& guard, int part) {
  const AgentInfo& info = agent_->info();
  const Request request{info.control, info.domain, part};
  const SteeredKind& kind = steered_kind(info.domain);
  const bool package = info.domain == Domain::package;
  METE_TRY(const auto accepts, platform.limits(request));
  const std::string power = kind.field("POWER");
  const std::string energy = kind.field("ENERGY");
  Steered steered{
      .accepts = accepts,
      .limits = {},
      .requested = kNan,
      .watch = DeviceWatch({.top = accepts.max,
                            .busy = package ? kBusyPackage : kBusyGpu,
                            .turbo = package,
                            .part = fmt::format("{}-{}", domain_name(info.domain), part),
                            .control = info.control,
                            .power = power,
                            .energy = energy})};
  METE_TRY_VOID(guard.borrow(request));
  METE_TRY(steered.control, platform.push_control(request));
  METE_TRY_VOID(watch_limits(platform, request, steered));
  if (info.control == kind.control) {
    const auto push = [&](const std::string& name) {
      return push_optional(platform, name, info.domain, part);
    };
    steered.status = push(package ? "CPU_FREQUENCY_STATUS" : "GPU_CORE_FREQUENCY_STATUS");
    steered.utilization = push(kind.field("UTILIZATION"));
    steered.power = push(power);
    steered.energy = push(energy);
  }
  steered_.push_back(std::move(steered));
  return {};
}

/// Where the limit in force can be read back, under the control's own name, it is watched in every
/// native part: another program may change one CPU of a package.
Result<void> Controller::watch_limits(Platform& platform, const Request& request,
                                      Steered& steered) const {
  const auto signal = platform.signal_info(request.name);
  if (!signal) return {};
  const auto parts = platform.topology().nested(signal->domain, request.domain, request.index);
  for (const int part : parts) {
    const int handle = push_optional(platform, request.name, signal->domain, part);
    if (handle < 0) continue;
    METE_TRY(auto accepts, platform.limits({request.name, signal->domain, part}));
    steered.limits.emplace_back(handle, std::move(accepts));
  }
  return {};
}

void Controller::look_after(Platform& platform, double time_seconds) noexcept {
  const auto value = [&](int handle) { return handle < 0 ? kNan : platform.value(handle); };
  for (Steered& one : steered_) {
    const double asked = std::isnan(one.requested) ? kNan : one.accepts.snap(one.requested);
    DeviceTold told{value(one.status), kNan, value(one.utilization), value(one.power),
                    value(one.energy)};
    double farthest = -1;
    for (const auto& [handle, accepts] : one.limits) {
      const double off = std::abs(platform.value(handle) - accepts.snap(one.requested));
      if (!(off > farthest)) continue;  // false for NaN
      farthest = off;
      told.limit = off > 0 ? platform.value(handle) : asked;
    }
    if (!one.watch.look(time_seconds, asked, told)) continue;
    platform.forget_written(one.control);
    platform.adjust(one.control, one.requested);
  }
}

void Controller::step(Platform& platform, double time_seconds) noexcept {
  for (std::size_t i = 0; i < signal_handles_.size(); ++i) {
    values_[i] = signal_handles_[i] < 0 ? kNan : platform.value(signal_handles_[i]);
  }
  std::fill(decisions_.begin(), decisions_.end(), kNan);
  look_after(platform, time_seconds);
  agent_->step({time_seconds, parts_, values_}, policy_, decisions_);
  ++steps_;
  for (std::size_t part = 0; part < steered_.size(); ++part) {
    Steered& one = steered_[part];
    const double wanted = decisions_[part];
    if (std::isnan(wanted) || one.watch.given_up()) continue;
    platform.adjust(one.control, wanted);
    if (wanted != one.requested) ++requests_;
    one.requested = wanted;
  }
}

std::vector<std::string> Controller::trace_columns() const {
  const AgentInfo& info = agent_->info();
  std::vector<std::string> columns;
  for (std::size_t part = 0; part < steered_.size(); ++part) {
    columns.push_back(column_name({"AGENT_" + info.control, info.domain, static_cast<int>(part)}));
  }
  for (auto& column : agent_->trace_columns()) columns.push_back(std::move(column));
  return columns;
}

void Controller::trace_values(std::span<double> out) const noexcept {
  const std::size_t n = std::min(out.size(), steered_.size());
  for (std::size_t part = 0; part < n; ++part) out[part] = steered_[part].requested;
  agent_->trace_values(out.subspan(n));
}

std::vector<std::pair<std::string, std::string>> Controller::report_lines() const {
  const AgentInfo& info = agent_->info();
  std::vector<std::pair<std::string, std::string>> lines;
  if (!info.control.empty()) {
    const auto domain = domain_name(info.domain);
    lines.emplace_back("Agent Domain", domain);
    lines.emplace_back(
        (info.domain == Domain::package ? "CPU" : upper(domain)) + " Frequency Requests",
        fmt::format("{}", requests_));
  }
  for (auto& line : agent_->report_lines()) lines.push_back(std::move(line));
  return lines;
}

std::vector<std::string> Controller::warnings() const {
  const AgentInfo& info = agent_->info();
  std::vector<std::string> lines;
  for (const Steered& one : steered_) {
    for (auto& line : one.watch.findings()) lines.push_back(std::move(line));
  }
  // The first step comes before the program starts.
  if (steps_ == 1 && !steered_.empty() && !info.signals.empty()) {
    lines.push_back(fmt::format(
        "the program ended within the first period, so the agent {} never saw it at work; a "
        "shorter --period would help",
        info.name));
  }
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
