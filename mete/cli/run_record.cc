// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/run_record.h"

#include <cstdint>

#include <unistd.h>

#include "mete/base/text.h"
#include "mete/cli/options.h"
#include "mete/cli/run_options.h"
#include "mete/measure/attach_workload.h"
#include "mete/measure/result_json.h"
#include "mete/provider/estimate/estimate_provider.h"

namespace mete {
namespace {

/// The kernel counts a process's time in steps of 10 ms.
constexpr Nanoseconds kLeastProcessPeriod = std::chrono::milliseconds(20);

Result<ProcessScope> scope_of(const RecordOptions& options) {
  ProcessScope scope;
  scope.self = ::getpid();
  if (!options.cgroup.empty()) {
    scope.kind = ProcessScope::Kind::cgroup;
    scope.cgroup = options.cgroup;
  } else if (!options.pids.empty()) {
    scope.kind = ProcessScope::Kind::pids;
    for (const auto& word : options.pids) {
      const auto pid = parse_int(word);
      if (!pid || *pid <= 0 || *pid > INT32_MAX) {
        return fail(Errc::invalid, "--pid '{}': expected the number of a process", word);
      }
      scope.pids.push_back(static_cast<pid_t>(*pid));
    }
  }
  return scope;
}

}  // namespace

void add_record_options(OptionSet& app, RecordOptions& options) {
  app.add_option("--record", options.directory,
                 "Record power and use into this folder: recording.ndjson, and power_metrics.json "
                 "in AIPowerMeter's form; `mete recording summary` sums up either")
      ->group("Recording");
  app.add_option("--pid", options.pids,
                 "Instead of a command: look at this process, and all below it, until it ends")
      ->allow_extra_args(false)
      ->group("Recording");
  app.add_option("--cgroup", options.cgroup,
                 "Instead of a command: look at a container by its folder below /sys/fs/cgroup")
      ->group("Recording");
  app.add_option("--process-period", options.process_period,
                 "Time between looks at processes; at least 20ms")
      ->capture_default_str()
      ->group("Recording");
  app.add_option("--memory-period", options.memory_period,
                 "Time between readings of PSS and USS, which cost milliseconds")
      ->capture_default_str()
      ->group("Recording");
}

Result<std::unique_ptr<RunRecord>> RunRecord::make(const RecordOptions& options,
                                                   const std::string& estimate,
                                                   const SessionOptions& session, Target& target,
                                                   const Context& context) {
  auto out = std::make_unique<RunRecord>();
  if (options.attaches() && target.replayed()) {
    return fail(Errc::invalid, "--pid and --cgroup look at this machine; leave --board out");
  }
  if (!options.pids.empty() && !options.cgroup.empty()) {
    return fail(Errc::invalid, "--pid or --cgroup, not both");
  }
  const bool records = !options.directory.empty() || options.attaches();
  if (!records && session.report_path.empty()) return out;
  RecorderOptions recorder;
  recorder.directory = options.directory;
  recorder.signals = session.signals;
  const auto process_period = parse_period(options.process_period);
  if (!process_period) return process_period.error().within("--process-period");
  const auto memory_period = parse_period(options.memory_period);
  if (!memory_period) return memory_period.error().within("--memory-period");
  recorder.process_period = *process_period;
  recorder.memory_period = *memory_period;
  if (recorder.process_period < kLeastProcessPeriod) {
    return fail(
        Errc::invalid,
        "--process-period {}: the kernel counts processes' time in steps of 10 ms; expected "
        "at least 20ms",
        options.process_period);
  }
  if (records && !target.replayed()) {
    METE_TRY(recorder.scope, scope_of(options));
  }
  if (!estimate.empty()) {
    METE_TRY(const LoadModel model, parse_load_model(estimate, context.sys));
    recorder.estimate = to_json(model);
  }
  out->recorder_ = std::make_unique<Recorder>(std::move(recorder), context.sys, target.clock(),
                                              target.regions());
  return out;
}

Result<std::unique_ptr<Workload>> RunRecord::attach(const RecordOptions& options,
                                                    const Context& context) {
  METE_TRY(const ProcessScope scope, scope_of(options));
  return std::unique_ptr<Workload>(std::make_unique<AttachWorkload>(
      scope.pids, scope.cgroup, context.sys, context.clock, context.interrupt));
}

void add_record_json(const RunResult& result, Json& out) {
  Json regions = Json::array();
  for (const auto& one : result.regions) regions.push(region_json(one));
  out.set("regions", std::move(regions));
  out.set("attribution", balances_json(result.balances));
}

}  // namespace mete
