// What the sampling loop costs: 100 signals at 1 kHz through Session, Platform and trace, while a
// child sleeps. Prints the share of one core, lateness and overruns of each run, and their spread.
//
//   build/release/bin/sampling [RUNS=5] [SECONDS=5] [SIGNALS=100] [HERTZ=1000]
//
// Twice: with TIME, every per-CPU signal of this machine's linux provider and made-up counters to
// fill up to SIGNALS (the output says how many of each); and with made-up ones alone, which is what
// the loop itself costs. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/stats.h"
#include "mete/base/text.h"
#include "mete/measure/child_workload.h"
#include "mete/measure/session.h"
#include "mete/provider/builtin.h"
#include "mete/provider/linux/linux_provider.h"
#include "mete/provider/time/time_provider.h"

namespace {

using namespace mete;

/// Counters and sensors that cost next to nothing to read: what is left is the loop's own work.
class MadeUp final : public Provider {
 public:
  explicit MadeUp(int count) {
    info_.name = "made-up";
    for (int i = 0; i < count; ++i) {
      SignalInfo row;
      row.name = fmt::format("MADE_UP_{}", i);
      row.unit = "J";
      row.behavior = i % 2 == 0 ? Behavior::monotone : Behavior::variable;
      info_.signals.push_back(row);
    }
  }
  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& /*topology*/) const override {}
  Result<int> push_signal(const Request& /*request*/) override { return pushed_++; }
  void read_batch(std::span<Reading> out) noexcept override {
    ++reads_;
    for (std::size_t i = 0; i < out.size(); ++i) {
      // Every second one moves at each read, by whole micro-units; the others every 20th time.
      const auto moves = i % 2 == 0 ? reads_ : reads_ / 20;
      out[i] = {static_cast<double>(moves * 123457 + static_cast<std::int64_t>(i)) / 1e6,
                std::nullopt};
    }
  }

 private:
  ProviderInfo info_;
  int pushed_ = 0;
  std::int64_t reads_ = 0;
};

struct Setup {
  int runs = 5;
  double seconds = 5;
  int signals = 100;
  double hertz = 1000;
};

std::vector<Request> per_cpu_signals(const Platform& platform) {
  std::vector<Request> out;
  for (const auto& info : platform.signals()) {
    if (info.domain != Domain::cpu) continue;
    for (int i = 0; i < platform.topology().count(Domain::cpu); ++i) {
      out.push_back({info.name, Domain::cpu, i});
    }
  }
  return out;
}

Result<RunResult> run_once(const Setup& setup, bool machine, bool say) {
  SteadyClock clock;
  const NoInterrupt interrupt;
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_time_provider(clock, clock.now()));
  if (machine) providers.push_back(make_paced_linux_provider(SysRoot(), clock));
  providers.push_back(std::make_unique<MadeUp>(setup.signals));
  Platform platform(std::move(providers));

  SessionOptions options;
  options.period = from_seconds(1 / setup.hertz);
  options.trace_path = fmt::format("/tmp/mete-bench-sampling-{}.trace", ::getpid());
  options.signals = per_cpu_signals(platform);
  const auto usual = default_signals(platform).size();
  const auto real = usual + options.signals.size();
  const auto wanted = static_cast<std::size_t>(setup.signals);
  for (std::size_t i = 0; real + i < wanted; ++i) {
    options.signals.push_back({fmt::format("MADE_UP_{}", i), Domain::board, 0});
  }
  if (say) {
    fmt::print("{} signals at {} Hz, with trace: {} of this machine, {} made up; child: sleep\n",
               usual + options.signals.size(), setup.hertz, real,
               options.signals.size() + usual - real);
  }
  ChildWorkload child({"sleep", fmt::format("{}", setup.seconds)}, clock, interrupt);
  auto result = Session(platform, clock, interrupt, "").run(child, nullptr, options);
  ::unlink(options.trace_path.c_str());
  return result;
}

void print_row(const char* name, std::vector<double> values, double scale, const char* unit) {
  std::sort(values.begin(), values.end());
  fmt::print("{:<16} median {:8.2f} {}   lowest {:8.2f}   highest {:8.2f}\n", name,
             median_of(values) * scale, unit, values.front() * scale, values.back() * scale);
}

/// False if a run failed.
bool measure(const Setup& setup, bool machine) {
  std::vector<double> share;
  std::vector<double> p99;
  std::vector<double> worst;
  std::vector<double> skipped;
  for (int i = 0; i < setup.runs; ++i) {
    const auto result = run_once(setup, machine, i == 0);
    if (!result) {
      fmt::print(stderr, "sampling: {}\n", result.error().what);
      return false;
    }
    const LoopCost& loop = result->loop;
    const auto all = std::max<std::uint64_t>(1, loop.periods + loop.overruns);
    share.push_back(loop.cpu_share);
    p99.push_back(loop.lateness_p99);
    worst.push_back(loop.lateness_worst);
    skipped.push_back(static_cast<double>(loop.overruns) / static_cast<double>(all));
  }
  print_row("share of a core", share, 100, "%");
  print_row("lateness p99", p99, 1e6, "us");
  print_row("lateness worst", worst, 1e6, "us");
  print_row("skipped", skipped, 100, "%");
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Setup setup;
  if (argc > 1) setup.runs = std::max(1, std::atoi(argv[1]));
  if (argc > 2) setup.seconds = std::max(0.1, std::atof(argv[2]));
  if (argc > 3) setup.signals = std::max(1, std::atoi(argv[3]));
  if (argc > 4) setup.hertz = std::max(1.0, std::atof(argv[4]));
  std::array<double, 3> load{};
  if (::getloadavg(load.data(), 3) < 1) load[0] = -1;
  fmt::print("load average at the start: {:.2f}\n", load[0]);
  return measure(setup, true) && measure(setup, false) ? 0 : 1;
}
