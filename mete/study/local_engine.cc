// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/local_engine.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "mete/base/text.h"

namespace mete {
namespace {

Result<RunResult> run_point(PointSite& site, const PointJob& job, const Interrupt& interrupt) {
  SessionOptions options;
  options.period = from_seconds(job.period);
  options.profile = job.profile;
  options.node = job.node;
  METE_TRY(options.signals, requests_for(site.platform(), job.signals));
  METE_TRY(options.initial, settings_for(site.platform(), job.controls));
  options.report_path = job.report_path;
  options.trace_path = job.trace_path;
  options.replayed = site.replayed();
  Session session(site.platform(), site.clock(), interrupt, site.state_directory());
  return session.run(site.workload(), site.steering(), options);
}

void judge(const RunResult& run, const PointJob& job, PointOutcome& outcome) {
  outcome.warnings = run.warnings;
  outcome.runtime = run.seconds;
  std::tie(outcome.energy, outcome.source) = energy_of(run, job.energy_signals);
  if (run.interrupted) {
    outcome.kind = PointOutcome::Kind::interrupted;
  } else if (!run.outputs_complete) {
    outcome.error = fail(Errc::failed, "report or trace could not be written{}{}",
                         run.warnings.empty() ? "" : ": ", join(run.warnings, "; "));
  } else if (!run.exit.ok()) {
    outcome.error = run.exit.signal != 0
                        ? fail(Errc::failed, "the command was ended by signal {}", run.exit.signal)
                        : fail(Errc::failed, "the command ended with exit code {}", run.exit.code);
  } else if (!job.energy_signals.empty() && std::isnan(outcome.energy)) {
    // A counter that was reset or lost: to be run again, not to be counted without its energy.
    outcome.error = fail(Errc::failed, "its energy is not known: {}",
                         run.warnings.empty() ? join(job.energy_signals, ", ") + " was not read"
                                              : join(run.warnings, "; "));
  } else {
    outcome.kind = PointOutcome::Kind::done;
  }
}

}  // namespace

Result<std::vector<ControlSetting>> settings_for(
    Platform& platform, const std::vector<std::pair<std::string, double>>& controls) {
  std::vector<ControlSetting> out;
  for (const auto& [name, value] : controls) {
    METE_TRY(const ControlInfo info, platform.control_info(name));
    const int parts = platform.topology().count(info.domain);
    for (int i = 0; i < parts; ++i) out.push_back({Request{info.name, info.domain, i}, value});
  }
  return out;
}

Result<std::vector<Request>> requests_for(const Platform& platform,
                                          const std::vector<std::string>& signals) {
  std::vector<Request> out;
  const auto add = [&](const Request& request) {
    if (std::find(out.begin(), out.end(), request) == out.end()) out.push_back(request);
  };
  for (const std::string& text : signals) {
    METE_TRY(const SignalSpec spec, parse_signal_spec(text));
    METE_TRY(const auto requests, platform.expand(spec));
    for (const Request& request : requests) add(request);
  }
  return out;
}

std::pair<double, Source> energy_of(const RunResult& run,
                                    const std::vector<std::string>& energy_signals) {
  double sum = 0;
  Source source = Source::counter;
  for (const std::string& name : energy_signals) {
    sum += run.total(name);
    for (const SignalTotal& total : run.totals) {
      if (total.request.name == name) source = weakest(source, total.source);
    }
  }
  if (energy_signals.empty()) sum = std::nan("");
  return {sum, source};
}

Result<void> LocalEngine::submit(const PointJob& job) {
  if (in_hand_) return fail(Errc::internal, "the local engine takes one point at a time");
  in_hand_ = job;
  return {};
}

Result<std::vector<PointOutcome>> LocalEngine::wait(const Interrupt& interrupt) {
  if (!in_hand_) return fail(Errc::internal, "the local engine has no point in hand");
  const PointJob job = std::move(*in_hand_);
  in_hand_.reset();
  PointOutcome outcome;
  outcome.index = job.index;
  outcome.started = SteadyClock().wall_seconds();
  if (interrupt.signal() != 0) {
    outcome.kind = PointOutcome::Kind::interrupted;
    return std::vector{outcome};
  }
  METE_TRY(const auto site, make_site_(job));
  auto run = run_point(*site, job, interrupt);
  if (run) {
    judge(*run, job, outcome);
  } else if (interrupt.signal() != 0) {
    // Asked to stop between our look and the start of the command: that is no fault of the point.
    outcome.kind = PointOutcome::Kind::interrupted;
  } else {
    outcome.error = run.error();
  }
  return std::vector{outcome};
}

}  // namespace mete
