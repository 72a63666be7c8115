// For tests: a page like the one a tuning run makes, of measured figures with made-up noise on top.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "mete/base/rng.h"
#include "mete/plot/page.h"
#include "mete/plot/plots.h"

namespace mete::sample {

/// BlackScholes on a Tesla V100: core clock (MHz), time (ms) and mean power (W) per kernel;
/// NV-DVFS-Benchmark, Wang & Chu, IEEE ICPADS 2018.
inline constexpr std::array<std::array<double, 3>, 10> kBlackScholes{{{405, 3.326302, 59.9728},
                                                                      {502, 2.400994, 74.8546},
                                                                      {600, 2.181454, 80.3433},
                                                                      {705, 1.456259, 104.119},
                                                                      {802, 1.144715, 123.4841},
                                                                      {945, 0.955452, 142.863},
                                                                      {1087, 0.91044, 157.9836},
                                                                      {1102, 0.908495, 159.4679},
                                                                      {1237, 0.886187, 180.5622},
                                                                      {1380, 0.871475, 207.7048}}};
inline constexpr double kKernels = 10000;

inline Table frontier_runs(std::size_t trials, double noise = 0.004, std::uint64_t seed = 1) {
  Rng rng(seed);
  Table table;
  std::vector<std::string> role;
  std::vector<double> clock, time, energy;
  const auto add = [&](std::string what, double hertz, double seconds, double watts) {
    const double t = seconds * (1 + noise * rng.normal());
    role.push_back(std::move(what));
    clock.push_back(hertz);
    time.push_back(t);
    energy.push_back(t * watts * (1 + noise * rng.normal()));
  };
  for (std::size_t trial = 0; trial < trials; ++trial) {
    for (const auto& [mhz, ms, watts] : kBlackScholes) {
      add("sweep", mhz * 1e6, ms * 1e-3 * kKernels, watts);
    }
  }
  for (std::size_t pair = 0; pair < 5; ++pair) {
    add("baseline", kNoValue, 8.71475, 207.7);
    add("agent", kNoValue, 9.21, 158.2);
  }
  table.add_texts("role", std::move(role));
  table.add_numbers("clock", "Hz", std::move(clock));
  table.add_numbers("time", "s", std::move(time));
  table.add_numbers("energy", "J", std::move(energy));
  return table;
}

inline Table timeline_samples(std::size_t per_run, std::uint64_t seed = 2) {
  Rng rng(seed);
  Table table;
  for (const bool agent : {false, true}) {
    const double length = agent ? 9.6 : 9.1;
    std::vector<double> time, clock, power;
    for (std::size_t i = 0; i < per_run; ++i) {
      const double t = length * static_cast<double>(i) / static_cast<double>(per_run);
      const bool idle = std::fmod(t, 3.1) > 2.6;
      const double mhz = !agent || t < 0.3 ? 1380 : idle ? 705 : t > 6 && t < 7 ? 1087 : 945;
      const double watts = idle ? 45 : mhz == 1380 ? 207.7 : mhz == 1087 ? 158 : 142.9;
      const bool lost = agent && t > 4.2 && t < 4.5;
      time.push_back(t);
      clock.push_back(mhz * 1e6);
      power.push_back(lost ? kNoValue : watts + 4 * rng.normal() + (i == per_run / 3 ? 70 : 0));
    }
    auto added = append_run(table, agent ? "agent" : "baseline", time, clock, power);
    if (!added) return {};
  }
  return table;
}

inline Table arms() {
  Table table;
  table.add_texts("arm", {"fixed 1.38 GHz", "fixed 945 MHz", "agent, phi 0.5"});
  table.add_numbers("energy", "1", {0.001, -0.246, -0.195});
  table.add_numbers("energy_low", "1", {-0.004, -0.251, -0.205});
  table.add_numbers("energy_high", "1", {0.006, -0.241, -0.185});
  table.add_numbers("time", "1", {0.0, 0.096, 0.057});
  table.add_numbers("time_low", "1", {-0.003, 0.091, 0.05});
  table.add_numbers("time_high", "1", {0.003, 0.101, 0.064});
  return table;
}

inline Page page(std::size_t samples_per_run = 20000) {
  Page page;
  page.title = "BlackScholes on a V100: what tuning its clock saved";
  page.subtitle = "program: BlackScholes × 10 000 · board: v100 · agent: torch, phi 0.5";
  page.badges = {badge_for("replayed"), badge_for("integrated")};
  page.headlines = {change_headline({-0.195, -0.205, -0.185, 5}, "Energy", "saved", "added"),
                    change_headline({0.057, 0.05, 0.064, 5}, "Time", "saved", "added"),
                    change_headline({-0.01, -0.05, 0.03, 5}, "Energy × time", "saved", "added")};
  page.summary =
      "The agent held the core clock near 945 MHz while kernels ran and lower while the device was "
      "idle. "
      "Against the same program at the default clock it took less energy and a little more time.";
  page.cautions = {
      "No GPU ran here: the board v100 replays published measurements of a Tesla V100. The savings "
      "are those "
      "of that table, with noise added by the board."};
  FrontierOptions options;
  options.chosen_clock = 945e6;
  options.phi = 0.5;
  options.max_slowdown = 0.1;
  auto first = frontier(frontier_runs(3), options);
  auto second = timeline(timeline_samples(samples_per_run));
  auto third = bars_with_intervals(arms());
  if (first) {
    first->badges = {badge_for("replayed")};
    page.blocks.emplace_back(*first);
  }
  page.blocks.emplace_back(TextBlock{
      "What was chosen, and why",
      {"945 MHz: of the ten swept clocks it has the smallest 0.5 × time + 0.5 × energy.",
       "At 802 MHz energy would be 3 % higher and the run 20 % longer; at 1087 MHz it would be 5 % "
       "faster for 5 % more energy."}});
  if (second) page.blocks.emplace_back(*second);
  if (third) page.blocks.emplace_back(*third);
  TableBlock table;
  table.title = "The sweep";
  table.caption = "One row per run; the chosen clock is marked.";
  table.table = frontier_runs(1);
  table.marked_rows = {5};
  table.most_rows = 12;
  page.blocks.emplace_back(table);
  page.measured = {{"Host", "node-1, Debian 12, 2 cores"},
                   {"Device", "board v100 (REPLAYED)"},
                   {"Seed", "42"},
                   {"Versions", "mete 0.1.0, libtorch 1.13.1"},
                   {"Command", "mete tune --board v100 --phi 0.5 -- BlackScholes", true}};
  return page;
}

}  // namespace mete::sample
