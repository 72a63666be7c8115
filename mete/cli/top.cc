// mete top: power, energy, use, clocks and temperatures of this machine, live, and who uses it.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/node_watch.h"
#include "mete/cli/options.h"
#include "mete/cli/process_watch.h"
#include "mete/cli/target.h"
#include "mete/cli/top_frame.h"
#include "mete/cli/top_terminal.h"
#include "mete/measure/attribution.h"
#include "mete/measure/process_meter.h"
#include "mete/provider/builtin.h"

namespace mete {
namespace {

struct Options {
  std::string period = "1s";
  bool once = false;
  bool json = false;
};

class Top {
 public:
  Top(NodeWatch watch, const Context& context)
      : watch_(std::move(watch)), context_(context), start_(context.clock.now()), last_(start_) {
    const auto roots = root_processes(context.sys);
    if (roots.empty()) return;
    meter_ = std::make_unique<ProcessMeter>(
        context.sys, ProcessScope{.kind = ProcessScope::Kind::pids, .pids = roots, .cgroup = {}});
    if (!meter_->open()) meter_.reset();
  }

  void begin() {
    watch_.read_first(context_.clock, context_.interrupt);
    package_joules_ = joules_of_packages();
  }

  TopState look() {
    const Nanoseconds now = context_.clock.now();
    const double seconds = std::max(1e-3, to_seconds(now - last_));
    last_ = now;
    watch_.read(now);
    TopState state;
    state.node = context_.node;
    state.seconds = to_seconds(now - start_);
    state.parts = top_parts(watch_.values());
    state.processes_told = meter_ != nullptr;
    if (meter_ != nullptr) state.processes = busiest(seconds);
    return state;
  }

 private:
  [[nodiscard]] std::optional<double> joules_of_packages() const {
    std::optional<double> sum;
    for (const auto& value : watch_.values()) {
      if (value.zone == "package" && value.info.unit == "J") sum = sum.value_or(0) + value.gained;
    }
    return sum;
  }

  std::vector<TopProcess> busiest(double seconds) {
    constexpr std::size_t kMost = 50;
    meter_->update();
    const auto& uses = meter_->processes();
    std::vector<double> used;
    for (const auto& use : uses) used.push_back(use.cpu_delta);
    std::vector<double> energy(uses.size(), 0);
    const auto joules = joules_of_packages();
    const double busy = meter_->busy_seconds();
    const double capacity = meter_->capacity_seconds();
    if (joules && package_joules_) {
      Attribution("package").add(*joules - *package_joules_,
                                 {.capacity = capacity - capacity_, .busy = busy - busy_}, used,
                                 energy);
    }
    package_joules_ = joules;
    busy_ = busy;
    capacity_ = capacity;
    std::vector<TopProcess> out;
    for (std::size_t i = 1; i < uses.size(); ++i) {  // 0 is what ended unseen
      if (uses[i].ended || !(uses[i].cpu_delta > 0)) continue;
      TopProcess process;
      process.pid = uses[i].pid;
      process.name = uses[i].name;
      process.cpus = uses[i].cpu_delta / seconds;
      process.rss_bytes = uses[i].rss_bytes;
      if (joules) process.watts = energy[i] / seconds;
      out.push_back(std::move(process));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.cpus > b.cpus; });
    if (out.size() > kMost) out.resize(kMost);
    return out;
  }

  NodeWatch watch_;
  const Context& context_;
  Nanoseconds start_;
  Nanoseconds last_;
  std::unique_ptr<ProcessMeter> meter_;
  std::optional<double> package_joules_;
  double busy_ = 0;
  double capacity_ = 0;
};

/// Waits for `period`, a key or a signal. True to go on.
bool wait(Nanoseconds period, const Context& context, bool keys) {
  const Nanoseconds end = context.clock.now() + period;
  for (;;) {
    if (context.interrupt.signal() != 0) return false;
    const double left = to_seconds(end - context.clock.now());
    if (left <= 0) return true;
    pollfd waits[] = {{context.interrupt.descriptor(), POLLIN, 0},
                      {keys ? STDIN_FILENO : -1, POLLIN, 0}};
    if (::poll(waits, 2, static_cast<int>(std::ceil(left * 1e3))) <= 0) continue;
    if (waits[1].revents == 0) continue;
    char key = 0;
    if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return false;
  }
}

Result<ExitCode> print_once(const Options& options, Top& top, const Context& context) {
  constexpr Nanoseconds kLook = std::chrono::milliseconds(500);
  if (!wait(kLook, context, false)) return 1;
  const TopState state = top.look();
  std::string text;
  if (options.json) {
    text = to_json(state).dump() + "\n";
  } else {
    constexpr std::size_t kWidth = 80;
    constexpr std::size_t kHeight = 24;
    for (const auto& line : top_lines(state, kWidth, kHeight)) text += line + "\n";
  }
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    return fail(Errc::failed, "standard output: {}", errno_text(errno));
  }
  return 0;
}

Result<ExitCode> run_top(const Options& options, const Context& context) {
  constexpr double kShortest = 0.1;
  constexpr double kLongest = 60;
  METE_TRY(const double seconds, parse_quantity(options.period, "s"));
  if (!(seconds >= kShortest && seconds <= kLongest)) {
    return fail(Errc::invalid, "--period {}: expected 100ms to 60s", options.period);
  }
  Platform platform(builtin_providers(provider_context(context)));
  std::vector<std::string> notices;  // `mete doctor` tells them; a full screen has no room
  METE_TRY(NodeWatch watch, NodeWatch::open(platform, false, notices));
  Top top(std::move(watch), context);
  top.begin();
  if (options.once || options.json || ::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return print_once(options, top, context);
  }
  const TopTerminal terminal;
  Nanoseconds pause = std::chrono::milliseconds(500);  // the first frame need not wait so long
  while (wait(pause, context, true)) {
    const auto size = TopTerminal::size();
    if (!TopTerminal::draw(top_lines(top.look(), size.width, size.height))) break;
    pause = from_seconds(seconds);
  }
  return 0;
}

}  // namespace

Runner add_top(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--period", options->period, "How often the view is renewed")
      ->capture_default_str();
  app.add_flag("--once", options->once, "Print one frame and end, as where there is no terminal");
  app.add_flag("--json", options->json, "One frame as JSON");
  return [options](const Context& context) { return run_top(*options, context); };
}

}  // namespace mete
