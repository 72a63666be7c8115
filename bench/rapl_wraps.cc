// Energy by the rapl provider from a fake powercap tree whose counters wrap at every edge of a
// sampling window, against the truth: steps that are counted without end. Bar: worst error of a run
// <= 0.1 %, no wrap lost, none invented.
//
//   rapl_wraps
//
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/fixtures/sys/rapl_sys.h"
#include <fmt/format.h>

#include "mete/base/clock.h"
#include "mete/provider/rapl/rapl_provider.h"

namespace mete {
namespace {

struct Scene {
  const char* what;
  const char* zone;
  const char* signal;
  Domain domain;
  double step_uj;
  double watts;
  double pause;
};

struct Outcome {
  int runs = 0;
  int wraps = 0;
  double lost = 0;
  double invented = 0;
  double worst = 0;
  int faults = 0;
};

/// One run of six windows; the counter wraps `before` steps after the third begins.
Result<void> run_once(const Scene& scene, fake::FakeSys& sys, std::uint64_t before,
                      std::uint64_t per_window, Outcome& outcome) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32U;
  VirtualClock clock;
  fake::Zone zone{scene.zone, scene.step_uj, kWrap - before - 2 * per_window};
  zone.show(sys);
  const auto provider = make_rapl_provider(sys.root(), clock);
  const Request request{scene.signal, scene.domain, scene.domain == Domain::board ? 0 : 1};
  METE_TRY([[maybe_unused]] const int handle, provider->push_signal(request));
  std::vector<Reading> out(1);
  provider->read_batch(out);
  const double first = out[0].or_nan();
  const std::uint64_t begun = zone.steps;
  for (int i = 0; i < 6; ++i) {
    zone.steps += per_window;
    zone.show(sys);
    clock.advance_to(clock.now() + from_seconds(scene.pause));
    provider->read_batch(out);
    outcome.faults += out[0].ok() ? 0 : 1;
  }
  const double truth = static_cast<double>(zone.steps - begun) * scene.step_uj * 1e-6;
  const double error = out[0].or_nan() - first - truth;
  const double range = static_cast<double>(kWrap) * scene.step_uj * 1e-6;
  const double off = std::round(error / range);
  outcome.invented += std::max(0.0, off);
  outcome.lost += std::max(0.0, -off);
  outcome.wraps += static_cast<int>(zone.steps / kWrap - begun / kWrap);
  outcome.worst = std::isnan(error) ? 1 : std::max(outcome.worst, std::abs(error) / truth);
  ++outcome.runs;
  return {};
}

Result<Outcome> run_scene(const Scene& scene) {
  fake::FakeSys sys;
  fake::rapl_two_sockets(sys);
  Outcome outcome;
  const auto per_window =
      static_cast<std::uint64_t>(std::llround(scene.watts * scene.pause * 1e6 / scene.step_uj));
  std::vector<std::uint64_t> places{0, 1, 2, per_window - 1, per_window, per_window + 1};
  for (std::uint64_t i = 1; i < 32; ++i) places.push_back(per_window * i / 32);
  for (const auto before : places) {
    METE_TRY_VOID(run_once(scene, sys, before, per_window, outcome));
  }
  return outcome;
}

Result<bool> run() {
  constexpr double kBar = 1e-3;
  bool met = true;
  fmt::print("{:<34} {:>5} {:>6} {:>5} {:>9} {:>7} {:>13}\n", "counter, power, pause", "runs",
             "wraps", "lost", "invented", "faults", "worst error");
  for (const Scene& scene : {Scene{"package 61 uJ, 350 W, 1 s", "intel-rapl:0", "CPU_ENERGY",
                                   Domain::package, fake::kStep61, 350, 1},
                             Scene{"package 61 uJ, 20 W, 1 ms", "intel-rapl:0", "CPU_ENERGY",
                                   Domain::package, fake::kStep61, 20, 0.001},
                             Scene{"package 61 uJ, 1400 W, 80 s", "intel-rapl:0", "CPU_ENERGY",
                                   Domain::package, fake::kStep61, 1400, 80},
                             Scene{"memory 15.3 uJ, 100 W, 1 s", "intel-rapl:0:0", "DRAM_ENERGY",
                                   Domain::package, fake::kStep15, 100, 1},
                             Scene{"memory 15.3 uJ, 450 W, 60 s", "intel-rapl:0:0", "DRAM_ENERGY",
                                   Domain::package, fake::kStep15, 450, 60},
                             Scene{"psys 1 J, 9 kW, 5 s", "intel-rapl:2", "BOARD_ENERGY",
                                   Domain::board, fake::kStepJoule, 9000, 5}}) {
    METE_TRY(const Outcome o, run_scene(scene));
    fmt::print("{:<34} {:>5} {:>6} {:>5} {:>9} {:>7} {:>11.6f} %\n", scene.what, o.runs, o.wraps,
               o.lost, o.invented, o.faults, o.worst * 100);
    met = met && o.lost == 0 && o.invented == 0 && o.faults == 0 && o.worst <= kBar;
  }
  fmt::print("bar: no wrap lost, none invented, worst error <= 0.1 %: {}\n",
             met ? "met" : "MISSED");
  return met;
}

}  // namespace
}  // namespace mete

int main() {
  const auto met = mete::run();
  if (!met) fmt::print(stderr, "rapl_wraps: {}\n", met.error().what);
  return met && *met ? 0 : 1;
}
