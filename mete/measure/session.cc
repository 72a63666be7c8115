// The loop: absolute deadlines, no allocation between two of them, and a way back for everything
// that was changed. SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <signal.h>

#include "mete/base/files.h"
#include "mete/base/stats.h"
#include "mete/measure/epoch_sums.h"
#include "mete/measure/report_writer.h"
#include "mete/measure/signal_sum.h"
#include "mete/measure/step_watch.h"
#include "mete/measure/trace_writer.h"
#include "mete/measure/waiting_rows.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Rows reach the kernel at least this often, whatever the period.
constexpr Nanoseconds kFlushEvery = std::chrono::seconds(1);
/// While a workload is being ended it is looked after this often.
constexpr Nanoseconds kStopSlice = std::chrono::milliseconds(20);
/// A second signal this soon is the first one's echo (sent to the process and to its group).
constexpr Nanoseconds kEcho = std::chrono::milliseconds(300);

struct Tracked {
  Request request;
  SignalInfo info;
  int handle = 0;
  std::uint64_t faults_before = 0;
};

/// What the samples of a signal come to.
struct Sampled {
  SignalSum sum;
  std::uint64_t failures = 0;  // faults other than "nothing new yet"
};

/// Ends an interrupted workload with growing insistence.
class Stopper {
 public:
  Stopper(Workload& workload, const Interrupt& interrupt, Nanoseconds grace)
      : workload_(workload), interrupt_(interrupt), grace_(grace) {}

  [[nodiscard]] bool active() const { return signal_ != 0; }
  [[nodiscard]] bool given_up() const { return given_up_; }
  void begin(int signal, Nanoseconds now) {
    since_ = now;
    send(signal, now);
  }
  void look(Nanoseconds now) {
    if (now - since_ < kEcho) {
      echoed_ = echoed_ || interrupt_.repeated();
    } else if (interrupt_.repeated() && !echoed_ && signal_ != SIGKILL) {
      send(SIGKILL, now);
    }
    if (now < next_) return;
    if (signal_ == SIGKILL) {
      given_up_ = true;
    } else {
      send(signal_ == SIGTERM ? SIGKILL : SIGTERM, now);
    }
  }

 private:
  void send(int signal, Nanoseconds now) {
    signal_ = signal;
    next_ = now + grace_;
    workload_.stop(signal);
  }

  Workload& workload_;
  const Interrupt& interrupt_;
  Nanoseconds grace_;
  Nanoseconds since_{0};
  Nanoseconds next_{0};
  int signal_ = 0;
  bool echoed_ = false;
  bool given_up_ = false;
};

/// One run: what Session::run does, with its state.
class Run {
 public:
  Run(Platform& platform, Clock& clock, const Interrupt& interrupt, Workload& workload,
      Steering* steering, const SessionOptions& options)
      : platform_(platform),
        clock_(clock),
        interrupt_(interrupt),
        workload_(workload),
        steering_(steering),
        options_(options),
        stopper_(workload, interrupt, options.stop_grace) {}

  Result<void> prepare(ControlGuard& guard);
  Result<void> start();
  void loop() noexcept;
  void finish();
  void write_outputs();
  void note_restore(const Result<void>& restored);
  [[nodiscard]] std::optional<Error> agent_fault() const {
    return steering_ == nullptr ? std::nullopt : steering_->fault();
  }
  RunResult& result() { return result_; }

 private:
  Result<void> push_signals();
  Result<void> push_initial(ControlGuard& guard);
  Result<void> set_initial();
  void watch_steps(ControlGuard& guard);
  void make_header();
  void sample(Nanoseconds now) noexcept;
  void steer(Nanoseconds now) noexcept;
  void settle() noexcept;
  void settle_in_time(Nanoseconds now) noexcept;
  void check_stop(Nanoseconds now) noexcept;
  void advance(Nanoseconds& deadline) noexcept;

  Platform& platform_;
  Clock& clock_;
  const Interrupt& interrupt_;
  Workload& workload_;
  Steering* steering_;
  const SessionOptions& options_;
  Stopper stopper_;

  RunHeader header_;
  std::vector<Tracked> tracked_;
  std::vector<int> handles_;      // beside tracked_
  std::vector<Sampled> sampled_;  // beside tracked_
  EpochSums epochs_;
  std::unique_ptr<StepWatch> watch_;             // null: the steering is ours, and returns
  std::vector<std::pair<int, double>> initial_;  // control handle, value
  std::vector<TraceWriterColumn> columns_;
  WaitingRows rows_;  // of the trace: signals, then the agent's columns
  TraceWriter trace_;
  LatencyHistogram periods_;
  LatencyHistogram lateness_;
  Nanoseconds origin_{0};
  Nanoseconds started_{0};
  Nanoseconds ended_{0};
  Nanoseconds last_sample_{0};
  Nanoseconds last_flush_{0};
  double cpu_seconds_ = 0;
  std::uint64_t failed_writes_ = 0;
  std::string first_failed_write_;
  RunResult result_;
};

Result<void> Run::push_signals() {
  const auto known = [this](const Request& request) {
    return std::any_of(tracked_.begin(), tracked_.end(),
                       [&request](const Tracked& t) { return t.request == request; });
  };
  const auto push = [&](const Request& wanted) -> Result<void> {
    METE_TRY(const SignalInfo info, platform_.signal_info(wanted.name));
    const Request request{info.name, wanted.domain, wanted.index};
    if (known(request)) return {};
    METE_TRY(const int handle, platform_.push_signal(request));
    tracked_.push_back({request, info, handle, platform_.faults(handle)});
    handles_.push_back(handle);
    sampled_.push_back({SignalSum(info.behavior)});
    return {};
  };
  for (const auto& request : default_signals(platform_)) {
    // Nobody asked for these by name: one that cannot be read here does not stop the run.
    if (auto pushed = push(request); !pushed) {
      result_.warnings.push_back(
          fmt::format("{} is left out: {}", report_name(request), pushed.error().what));
    }
  }
  for (const auto& request : options_.signals) METE_TRY_VOID(push(request));
  return {};
}

Result<void> Run::push_initial(ControlGuard& guard) {
  // All are checked before the first is borrowed, and borrowed before the first is written.
  for (const auto& setting : options_.initial) {
    METE_TRY(const double value, platform_.check_setting(setting.request, setting.value));
    METE_TRY(const int handle, platform_.push_control(setting.request));
    initial_.emplace_back(handle, value);
  }
  for (const auto& setting : options_.initial) METE_TRY_VOID(guard.borrow(setting.request));
  return {};
}

void Run::make_header() {
  header_.start_time = format_wall_time(clock_.wall_seconds());
  header_.profile = options_.profile.empty() ? workload_.describe() : options_.profile;
  header_.node = options_.node.empty() ? "localhost" : options_.node;
  header_.agent = steering_ == nullptr ? "monitor" : steering_->agent_name();
  header_.policy = steering_ == nullptr ? "{}" : steering_->policy_json();
  header_.period = to_seconds(options_.period);
  header_.replayed = options_.replayed;
}

/// While a step hangs this thread touches nothing: the watch may give back and kill in its place.
void Run::watch_steps(ControlGuard& guard) {
  if (!steering_->may_hang()) return;
  StepWatch::Actions actions;
  actions.interrupt = [this] { steering_->interrupt(); };
  if (options_.abandon) {
    actions.take_over = [this, &guard](double seconds) {
      const auto restored = guard.restore();
      workload_.stop(SIGKILL);
      options_.abandon(fmt::format(
          "the agent {} has not returned from a step for {:.0f} s, so the run was ended{}",
          steering_->agent_name(), seconds,
          restored ? "; what it had set was given back"
                   : fmt::format("; {}; `mete restore` tries it again", restored.error().what)));
    };
  }
  watch_ = std::make_unique<StepWatch>(interrupt_, std::move(actions));
}

Result<void> Run::prepare(ControlGuard& guard) {
  if (options_.period < std::chrono::microseconds(10)) {
    return fail(Errc::invalid, "period {} s: expected at least 10 us", to_seconds(options_.period));
  }
  METE_TRY_VOID(push_signals());
  if (!options_.report_path.empty()) METE_TRY_VOID(check_writable(options_.report_path));
  METE_TRY_VOID(push_initial(guard));
  if (steering_ != nullptr) {
    watch_steps(guard);
    const StepWatch::Scope watched(watch_.get());
    METE_TRY_VOID(steering_->begin(platform_, guard));
  }
  make_header();
  if (options_.observer != nullptr) METE_TRY_VOID(options_.observer->begin(platform_, header_));
  std::vector<SignalTotal> rows;
  for (const auto& t : tracked_) {
    rows.push_back({t.request, t.info.unit, t.info.behavior, t.info.source, kNaN, 0});
    columns_.push_back({column_name(t.request), t.info.unit,
                        std::string(source_name(t.info.source)), t.info.format});
  }
  if (steering_ != nullptr) {
    for (const auto& name : steering_->trace_columns()) columns_.push_back({name, "", "agent", {}});
  }
  epochs_.begin(std::move(rows));
  rows_.begin(columns_.size());
  if (!options_.trace_path.empty()) {
    METE_TRY_VOID(TraceWriter::check(options_.trace_path, columns_, options_.append_trace));
  }
  return set_initial();
}

Result<void> Run::set_initial() {
  for (const auto& [handle, value] : initial_) platform_.adjust(handle, value);
  if (initial_.empty()) return {};
  auto written = platform_.write_batch();
  if (!written) return written.error().within("cannot set the controls, so nothing was run");
  return {};
}

Result<void> Run::start() {
  if (interrupt_.signal() != 0) {
    return fail(Errc::failed, "stopped by a signal before the workload was started");
  }
  // Read before the start, so that counters enclose the whole run.
  origin_ = clock_.now();
  last_sample_ = origin_;
  sample(origin_);
  for (auto& t : tracked_) {
    // A rate has no value before its second reading, which is no fault; a count must have one.
    if (t.info.behavior != Behavior::monotone) t.faults_before = platform_.faults(t.handle);
  }
  steer(origin_);
  if (failed_writes_ > 0) {
    return fail(Errc::failed, "cannot set the agent's first setting, so nothing was run: {}",
                first_failed_write_);
  }
  if (auto fault = agent_fault()) return fault->within("the agent failed, so nothing was run");
  started_ = clock_.now();
  METE_TRY_VOID(workload_.start());
  // Only now: a mistyped command must not cost the trace of the run before.
  if (!options_.trace_path.empty()) {
    auto opened = TraceWriter::open(options_.trace_path, header_, columns_, options_.append_trace);
    if (opened) {
      trace_ = std::move(*opened);
    } else {
      result_.outputs_complete = false;
      result_.warnings.push_back(fmt::format("no trace: {}", opened.error().what));
    }
  }
  settle_in_time(origin_);
  return {};
}

void Run::sample(Nanoseconds now) noexcept {
  platform_.read_batch();
  if (options_.observer != nullptr) options_.observer->sample(platform_, now);
  const double seconds = to_seconds(now - last_sample_);
  if (rows_.full()) settle();
  double* value = rows_.add(handles_.size(), now, seconds).data();
  for (std::size_t i = 0; i < handles_.size(); ++i) {
    const Reading reading = platform_.sample(handles_[i]);
    value[i] = reading.or_nan();
    if (reading.fault && *reading.fault != Errc::retry) ++sampled_[i].failures;
  }
  last_sample_ = now;
}

/// Adds up the rows that wait, and hands them to the trace.
void Run::settle() noexcept {
  for (std::size_t r = 0; r < rows_.count(); ++r) {
    const auto [values, time, seconds] = rows_.row(r);
    for (std::size_t i = 0; i < sampled_.size(); ++i) sampled_[i].sum.add(values[i], seconds);
    epochs_.add(values, time, seconds);
    if (trace_.is_open()) trace_.row(values);
  }
  rows_.clear();
}

void Run::steer(Nanoseconds now) noexcept {
  if (steering_ == nullptr) return;
  {
    const StepWatch::Scope watched(watch_.get());
    steering_->step(platform_, to_seconds(now - origin_));
  }
  if (auto written = platform_.write_batch(); !written) {
    if (failed_writes_++ == 0) first_failed_write_ = written.error().what;
  }
  steering_->trace_values(rows_.last().subspan(tracked_.size()));
}

/// What waits reaches the kernel in time.
void Run::settle_in_time(Nanoseconds now) noexcept {
  if (!trace_.is_open()) return;
  if (now + options_.period - last_flush_ < kFlushEvery) return;
  settle();
  trace_.flush();
  last_flush_ = now;
}

void Run::check_stop(Nanoseconds now) noexcept {
  if (stopper_.active()) {
    stopper_.look(now);
  } else if (interrupt_.signal() != 0) {
    result_.interrupted = true;
    stopper_.begin(interrupt_.signal(), now);
  } else if (steering_ != nullptr && steering_->fault()) {
    stopper_.begin(SIGTERM, now);
  }
}

/// To the first deadline that is not past: what was missed is counted, not made up for in a burst.
void Run::advance(Nanoseconds& deadline) noexcept {
  deadline += options_.period;
  const Nanoseconds now = clock_.now();
  if (deadline > now) return;
  const auto missed = (now - deadline) / options_.period + 1;
  result_.loop.overruns += static_cast<std::uint64_t>(missed);
  deadline += missed * options_.period;
}

void Run::loop() noexcept {
  const double cpu_before = thread_cpu_seconds();
  Nanoseconds deadline = started_ + options_.period;
  while (true) {
    const bool over = workload_.wait_until(
        stopper_.active() ? std::min(deadline, clock_.now() + kStopSlice) : deadline);
    const Nanoseconds now = clock_.now();
    if (over) break;
    check_stop(now);
    if (stopper_.given_up()) break;
    if (now < deadline) continue;
    lateness_.add(to_seconds(now - deadline));
    periods_.add(to_seconds(now - last_sample_));
    sample(now);
    steer(now);
    settle_in_time(now);
    advance(deadline);
  }
  ended_ = clock_.now();
  sample(ended_);
  settle();
  cpu_seconds_ = thread_cpu_seconds() - cpu_before;
}

void Run::finish() {
  result_.seconds = to_seconds(ended_ - started_);
  if (interrupt_.signal() != 0) result_.interrupted = true;
  if (stopper_.given_up()) {
    result_.exit = {128 + SIGKILL, SIGKILL};
    result_.warnings.emplace_back(
        "the workload could not be ended, even with SIGKILL; does it run as another user?");
  } else {
    result_.exit = workload_.status();
  }
  for (std::size_t i = 0; i < tracked_.size(); ++i) {
    const auto& t = tracked_[i];
    const auto& [sum, failures] = sampled_[i];
    const auto faults = platform_.faults(t.handle) - t.faults_before;
    result_.totals.push_back(
        {t.request, t.info.unit, t.info.behavior, t.info.source, sum.figure(), faults});
    if (sum.went_back()) {
      result_.warnings.push_back(
          fmt::format("{} went back during the run, so it has no total; was the device reset?",
                      report_name(t.request)));
    }
    // A rate asked for again before its source has moved is no news; one that never came is.
    if (failures > 0 || (faults > 0 && std::isnan(sum.figure()) && periods_.count() > 2)) {
      result_.warnings.push_back(fmt::format("{}: {} of {} readings failed", report_name(t.request),
                                             faults, periods_.count() + 2));
    }
  }
  result_.epochs = epochs_.totals(ended_);
  if (failed_writes_ > 0) {
    result_.warnings.push_back(fmt::format("{} settings could not be written; the first: {}",
                                           failed_writes_, first_failed_write_));
  }
  if (steering_ != nullptr) {
    for (auto& line : steering_->warnings()) result_.warnings.push_back(std::move(line));
  }
  LoopCost& loop = result_.loop;
  loop.periods = periods_.count();
  loop.period_mean = periods_.mean();
  loop.period_p99 = std::min(periods_.quantile(0.99), periods_.worst());
  loop.period_worst = periods_.worst();
  loop.lateness_p99 = std::min(lateness_.quantile(0.99), lateness_.worst());
  loop.lateness_worst = lateness_.worst();
  loop.cpu_share = result_.seconds > 0 ? cpu_seconds_ / result_.seconds : 0;
}

void Run::note_restore(const Result<void>& restored) {
  if (restored) return;
  result_.warnings.push_back(
      fmt::format("{}; `mete restore` tries it again", restored.error().what));
}

void Run::write_outputs() {
  if (auto closed = trace_.close(); !closed) {
    result_.outputs_complete = false;
    result_.warnings.push_back(fmt::format("the trace is cut short: {}", closed.error().what));
  }
  if (options_.report_path.empty()) return;
  Report report{header_, options_.initial, {}, result_};
  if (steering_ != nullptr) report.agent_lines = steering_->report_lines();
  if (auto written = write_file_atomically(options_.report_path, format_report(report)); !written) {
    result_.outputs_complete = false;
    result_.warnings.push_back(fmt::format("no report: {}", written.error().what));
  }
}

}  // namespace

Session::Session(Platform& platform, Clock& clock, const Interrupt& interrupt,
                 std::string state_directory)
    : platform_(platform),
      clock_(clock),
      interrupt_(interrupt),
      state_directory_(std::move(state_directory)) {}

Result<RunResult> Session::run(Workload& workload, Steering* steering,
                               const SessionOptions& options) {
  ControlGuard guard(platform_, state_directory_);
  Run run(platform_, clock_, interrupt_, workload, steering, options);
  METE_TRY_VOID(run.prepare(guard));
  METE_TRY_VOID(run.start());
  run.loop();
  run.finish();
  if (options.observer != nullptr) options.observer->end(run.result());
  run.note_restore(guard.restore());
  run.write_outputs();
  if (auto fault = run.agent_fault())
    return fault->within("the agent failed, so the run was ended");
  return std::move(run.result());
}

}  // namespace mete
