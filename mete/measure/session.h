// Session: runs a workload under observation. Samples on absolute deadlines, lets a Steering adjust
// the controls, writes the trace as the run goes and returns what the report says.
//
//   borrow and set initial controls → start workload → { wait, read_batch, step, write_batch, trace
//   } → restore
//
// One thread. After start-up the loop allocates nothing.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/measure/session_observer.h"
#include "mete/measure/workload.h"
#include "mete/signal/control_guard.h"
#include "mete/signal/platform.h"

namespace mete {

/// Adjusts controls while a session runs: the seam at which the control room's Controller plugs in.
class Steering {
 public:
  virtual ~Steering() = default;
  virtual std::string agent_name() const = 0;
  /// The policy as one line of JSON, for the report's `Policy:`.
  virtual std::string policy_json() const = 0;
  /// Pushes the signals and controls it needs and borrows those controls from the guard.
  virtual Result<void> begin(Platform& platform, ControlGuard& guard) = 0;
  /// Called after every read_batch with the time since the session's start; adjusts controls on the
  /// platform, which the session then writes. Allocates nothing, throws nothing. The first call,
  /// at 0, comes before the workload starts (what it sets must be accepted, or nothing is run);
  /// none follows its end.
  virtual void step(Platform& platform, double time_seconds) noexcept = 0;
  /// Columns of its own in the trace, and their values after each step.
  virtual std::vector<std::string> trace_columns() const { return {}; }
  virtual void trace_values(std::span<double> /*out*/) const noexcept {}
  /// Lines of its own for the report's host section, in order: key, value.
  virtual std::vector<std::pair<std::string, std::string>> report_lines() const { return {}; }
  /// What went wrong on the way without ending the run, one line each, once it is over.
  virtual std::vector<std::string> warnings() const { return {}; }
  /// A reason to end the run now (an agent written by the user failed), if there is one.
  virtual std::optional<Error> fault() const { return std::nullopt; }
  /// begin() and step() run what a user wrote, which may never return.
  virtual bool may_hang() const { return false; }
  /// Called from another thread while one of them runs: it should give up, with a fault, if it can.
  virtual void interrupt() noexcept {}
};

struct ControlSetting {
  Request request;
  double value = 0;
};

struct SessionOptions {
  Nanoseconds period = std::chrono::milliseconds(50);
  std::string profile;  ///< free text; the workload's description if empty
  std::string node;     ///< this host's name in report and trace
  std::vector<Request>
      signals;  ///< sampled, traced and summed up in the report, besides the defaults
  std::vector<ControlSetting> initial;  ///< set before the workload starts, given back at the end
  std::string report_path;              ///< "" for none
  std::string trace_path;               ///< "" for none
  bool append_trace = false;
  /// How long an interrupted workload has to end after each signal: the one that interrupted, then
  /// SIGTERM, then SIGKILL.
  Nanoseconds stop_grace = std::chrono::seconds(5);
  bool replayed = false;                ///< a board runs it: said in report and trace
  SessionObserver* observer = nullptr;  ///< outlives the session; none if null
  /// The way out of a step that never returns, even when asked to: controls have been given back
  /// and the workload has been killed; this says so and ends the process. Without it the session
  /// waits.
  std::function<void(const std::string& why)> abandon = {};
};

/// One signal's figure over the run.
struct SignalTotal {
  Request request;
  std::string unit;
  Behavior behavior = Behavior::variable;
  Source source = Source::sampled;
  double value =
      0;  ///< monotone: last minus first; otherwise time-weighted mean; NaN if never read
  std::uint64_t faults = 0;
};

/// A stretch of the run in which a region was entered, once or often.
struct RegionSpan {
  double begin = 0;  ///< s since the run's start
  double end = 0;
  std::uint64_t count = 0;
  double seconds = 0;  ///< within the region, summed over threads
  std::uint32_t threads = 0;
};

/// A part of the workload that it marked itself (docs/regions.md). Threads within regions share the
/// node's energy equally, so that `own` energies and what is outside of all regions add up to it.
struct RegionTotal {
  std::string name;
  std::uint64_t count = 0;  ///< how often it was left
  double seconds = 0;       ///< summed over threads, inner regions included
  /// J by domain (package, psys, core, uncore, dram, gpu): inner regions included, and without them
  std::vector<std::pair<std::string, double>> joules;
  std::vector<std::pair<std::string, double>> own_joules;
  std::vector<RegionSpan> spans = {};  ///< when, by their beginning; near ones have become one
  std::size_t level = 0;               ///< how many regions it was within, at the least
};

/// What the program counted with mete::progress(), as EPOCH_COUNT showed it, and the run's figures
/// from the first sample that showed an epoch to the end, as GEOPM sums them up.
struct EpochTotals {
  double count = 0;    ///< 0: none was counted, and there is nothing else
  double seconds = 0;  ///< from that sample to the last one
  /// s per epoch, from the first epoch seen to the last; NaN if all were seen at once
  double period = std::numeric_limits<double>::quiet_NaN();
  std::vector<SignalTotal> totals;  ///< in the order of the run's
};

/// How the energy measured in a domain was divided (docs/attribution.md), J.
struct EnergyBalance {
  std::string domain;
  double measured = 0;
  double attributed = 0;  ///< to processes of the run
  double idle = 0;
  double others = 0;  ///< other processes, and what nobody can be found for
};

/// What the loop itself cost.
struct LoopCost {
  std::uint64_t periods = 0;
  std::uint64_t overruns =
      0;  ///< periods that were skipped because a loop ended after the next deadline
  double period_mean = 0;     ///< s
  double period_p99 = 0;      ///< s
  double period_worst = 0;    ///< s
  double lateness_p99 = 0;    ///< s after the deadline
  double lateness_worst = 0;  ///< s
  /// CPU time of the loop's thread over the workload's run time. On a board the run time is virtual
  /// and the CPU time holds the board's own computing: what the loop would cost at most, were the
  /// run real.
  double cpu_share = 0;
};

struct RunResult {
  ExitStatus exit;
  bool interrupted = false;             ///< ended by a signal sent to mete
  bool outputs_complete = true;         ///< false: trace or report could not be written in full
  double seconds = 0;                   ///< the workload's run time
  std::vector<SignalTotal> totals;      ///< in the order of the trace's columns
  std::vector<RegionTotal> regions;     ///< by an observer, if there is one
  std::vector<EnergyBalance> balances;  ///< the same
  EpochTotals epochs;
  LoopCost loop;
  std::vector<std::string>
      warnings;  ///< one line each: faults, controls that could not be given back, ..

  /// A figure summed over all parts of a signal ("GPU_ENERGY"), NaN if it was not sampled.
  [[nodiscard]] double total(std::string_view signal_name) const;
};

class Session {
 public:
  /// `state_directory`: see ControlGuard. All references outlive the session.
  Session(Platform& platform, Clock& clock, const Interrupt& interrupt,
          std::string state_directory);
  /// Runs to the workload's end. An error means that nothing was run (wrong input, an output that
  /// cannot be written, a command not found), or that the agent failed and the workload was ended.
  /// A workload that fails is a result, not an error. An output that fails on the way (disk full)
  /// does not end the run: what was written stays, warnings say what is lost, outputs_complete is
  /// false. Controls are given back in every case.
  Result<RunResult> run(Workload& workload, Steering* steering, const SessionOptions& options);

 private:
  Platform& platform_;
  Clock& clock_;
  const Interrupt& interrupt_;
  std::string state_directory_;
};

/// The signals a report needs that are available here, in the order of GEOPM's trace: TIME,
/// CPU_ENERGY, DRAM_ENERGY, CPU_POWER, DRAM_POWER, CPU_FREQUENCY_STATUS, .. and per GPU those of
/// the Python tutorial.
std::vector<Request> default_signals(const Platform& platform);

}  // namespace mete
