// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/fit_report.h"

#include <cmath>
#include <cstdio>
#include <numeric>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/look.h"

namespace mete {
namespace {

std::string size_text(std::uint64_t bytes) {
  return format_quantity(static_cast<double>(bytes), "B", 4);
}

double predicted_times_as_long(const FittedArm& first, const FittedArm& second) {
  return first.fitted.draft.plan.predicted_seconds / second.fitted.draft.plan.predicted_seconds;
}

/// "1.597 [1.58, 1.61]".
std::string ratio_text(const Interval& ratio) {
  std::string text = fmt::format("{:.3f}", ratio.estimate);
  if (ratio.bounded()) text += fmt::format(" [{:.3f}, {:.3f}]", ratio.low, ratio.high);
  return text;
}

/// "-1.2 % [-2.0, 0.3]".
std::string percent_text(const Interval& share) {
  std::string text = format_percent(share.estimate);
  if (share.bounded()) text += fmt::format(" [{:.1f}, {:.1f}]", 100 * share.low, 100 * share.high);
  return text;
}

Json json_of(const Interval& interval) {
  return Json::object({{"median", interval.estimate},
                       {"low", interval.low},
                       {"high", interval.high},
                       {"steps", interval.n}});
}

/// By the profile.
double seconds_added(const FitReport& report, std::size_t arm) {
  const auto predicted = [&](std::size_t a) {
    return report.arms[a].fitted.draft.plan.predicted_seconds;
  };
  return predicted(arm) - predicted(1);
}

Json json_of(const FitReport& report, std::size_t at) {
  const FittedArm& arm = report.arms[at];
  const ArmOutcome& outcome = report.outcomes[at];
  const FittedPlan& f = arm.fitted;
  const Verdict& v = f.solved.verdict;
  const auto whole = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  return Json::object({{"name", arm.name},
                       {"optimizer", arm.optimizer},
                       {"seconds", json_of(outcome.interval())},
                       {"all_seconds", Json::array_of(outcome.seconds)},
                       {"predicted_seconds", f.draft.plan.predicted_seconds},
                       {"prediction_error", prediction_error(arm, outcome)},
                       {"placement_error", json_of(placement_error(report, at))},
                       {"lower_bound_seconds", f.lower_bound_seconds},
                       {"gap", f.gap},
                       {"gap_with_these_homes", f.solved.plan.figures.gap},
                       {"limit_bytes", whole(f.solved.plan.figures.limit_bytes)},
                       {"peak_bytes", whole(v.peak_bytes)},
                       {"fast_pool_bytes", whole(f.draft.plan.fast_bytes)},
                       {"slow_pool_bytes", whole(f.draft.plan.slow_bytes)},
                       {"slow_peak_bytes", whole(f.draft.pools.slow_peak_bytes)},
                       {"tightening_rounds", f.rounds},
                       {"make_seconds", Json::array_of(f.make_seconds)},
                       {"solve_seconds", Json::array_of(f.solve_seconds)},
                       {"pack_seconds", f.pack_seconds},
                       {"moves_to_slow", v.moves_to_slow},
                       {"moves_to_fast", v.moves_to_fast},
                       {"bytes_to_slow", whole(v.bytes_to_slow)},
                       {"bytes_to_fast", whole(v.bytes_to_fast)},
                       {"digest", fmt::format("{:016x}", outcome.digest)},
                       {"loss", outcome.loss}});
}

void print_plan(const FitReport& report) {
  const FittedPlan& f = report.arms.front().fitted;
  const Verdict& v = f.solved.verdict;
  fmt::print("fast memory   {} of at most {}; packed into {}, {} round{} of tightening\n",
             size_text(v.peak_bytes), size_text(f.solved.plan.figures.limit_bytes),
             size_text(f.draft.plan.fast_bytes), f.rounds, f.rounds == 1 ? "" : "s");
  fmt::print("slow memory   {} in use at the peak, packed into {}\n",
             size_text(f.draft.pools.slow_peak_bytes), size_text(f.draft.plan.slow_bytes));
  fmt::print("moves         {} to slow ({}), {} to fast ({})\n", v.moves_to_slow,
             size_text(v.bytes_to_slow), v.moves_to_fast, size_text(v.bytes_to_fast));
  fmt::print(
      "proven        no {} plan takes less than {}: gap {}; solved in {}, packed in {}\n",
      report.arms.front().optimizer, format_quantity(f.lower_bound_seconds, "s", 5),
      format_percent(f.gap, 2),
      format_quantity(std::accumulate(f.solve_seconds.begin(), f.solve_seconds.end(), 0.0), "s"),
      format_quantity(f.pack_seconds, "s"));
}

void print_arms(const FitReport& report) {
  const bool emulated = report.environment.emulated;
  std::vector<std::vector<std::string>> rows = {
      {"", "step", "predicted", "error", "beside all-fast", "times all-fast", "predicted", "loss"}};
  for (std::size_t a = 0; a < report.arms.size(); ++a) {
    const auto& arm = report.arms[a];
    const auto& outcome = report.outcomes[a];
    const bool touches_slow = emulated && arm.fitted.draft.plan.slow_bytes > 0;
    rows.push_back({a == 0 ? arm.optimizer : arm.name,
                    interval_text(outcome.interval(), touches_slow),
                    format_quantity(arm.fitted.draft.plan.predicted_seconds, "s", 4),
                    format_percent(prediction_error(arm, outcome)),
                    a == 1 ? "" : percent_text(placement_error(report, a)),
                    ratio_text(times_as_long(outcome, report.outcomes[1])),
                    fmt::format("{:.3f}", predicted_times_as_long(arm, report.arms[1])),
                    fmt::format("{:.6g}", outcome.loss)});
  }
  fmt::print("{}\n", align(rows));
}

}  // namespace

bool FitReport::equal() const {
  for (const auto& outcome : outcomes) {
    if (outcome.digest != outcomes.front().digest) return false;
  }
  return true;
}

double machine_drift(const FitReport& report) {
  const double predicted = report.arms[1].fitted.draft.plan.predicted_seconds;
  return predicted > 0 ? report.outcomes[1].median() / predicted - 1 : 0;
}

Interval placement_error(const FitReport& report, std::size_t arm) {
  return placement_error(seconds_added(report, arm), report.outcomes[arm], report.outcomes[1]);
}

double predicted_speedup_as_all_fast_ran(const FitReport& report) {
  const double all_fast = report.outcomes[1].median();
  return (all_fast + seconds_added(report, 2)) / (all_fast + seconds_added(report, 0));
}

double prediction_error(const FittedArm& arm, const ArmOutcome& outcome) {
  const double measured = outcome.median();
  return measured > 0 ? arm.fitted.draft.plan.predicted_seconds / measured - 1 : 0;
}

Json json_of(const FitReport& report) {
  Json arms = Json::array();
  for (std::size_t a = 0; a < report.arms.size(); ++a) {
    arms.push(json_of(report, a));
  }
  const ProfileEnvironment& e = report.environment;
  return Json::object(
      {{"format", "mete.fit/1"},
       {"graph", report.graph->name},
       {"batch", report.batch},
       {"source", e.emulated ? "emulated" : "measured"},
       {"machine", e.machine},
       {"libraries", e.libraries},
       {"threads", e.threads},
       {"fast_tier", e.fast_tier},
       {"slow_tier", e.slow_tier},
       {"fast_to_slow_bandwidth", report.copies.fast_to_slow},
       {"slow_to_fast_bandwidth", report.copies.slow_to_fast},
       {"equal_results", report.equal()},
       {"slowdown", json_of(times_as_long(report.outcomes[0], report.outcomes[1]))},
       {"predicted_slowdown", predicted_times_as_long(report.arms[0], report.arms[1])},
       {"machine_drift", machine_drift(report)},
       {"speedup_over_first_touch", json_of(times_as_long(report.outcomes[2], report.outcomes[0]))},
       {"predicted_speedup_over_first_touch",
        predicted_times_as_long(report.arms[2], report.arms[0])},
       {"predicted_speedup_as_all_fast_ran", predicted_speedup_as_all_fast_ran(report)},
       {"arms", std::move(arms)}});
}

Table step_table(const FitReport& report) {
  Table table;
  std::vector<double> number, bytes, predicted, measured;
  std::vector<std::string> what, name, from, to;
  const auto& plan = report.arms.front().fitted.draft.plan;
  const Graph& graph = *report.graph;
  const auto tier = [](PoolPlace place) { return std::string(place.fast ? "fast" : "slow"); };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    number.push_back(static_cast<double>(s));
    bytes.push_back(static_cast<double>(step.bytes));
    predicted.push_back(step.predicted_seconds);
    measured.push_back(report.outcomes.front().step_seconds[s]);
    if (step.kind == StepKind::run) {
      const auto& node = graph.nodes[step.node];
      std::string in, out;
      for (const auto place : step.inputs) in += place.fast ? 'F' : 'S';
      for (const auto place : step.outputs) out += place.fast ? 'F' : 'S';
      what.emplace_back(node.op->name);
      name.push_back(graph.layers[node.layer].name);
      from.push_back(in);
      to.push_back(out);
    } else {
      const bool moves = step.kind != StepKind::wait;
      what.emplace_back(step.kind == StepKind::copy ? "move" : moves ? "move begins" : "wait");
      name.push_back(moves ? graph.tensors[step.tensor].name : "");
      from.push_back(moves ? tier(step.from) : "");
      to.push_back(moves ? tier(step.to) : "");
    }
  }
  table.add_numbers("step", "", std::move(number));
  table.add_texts("what", std::move(what));
  table.add_texts("of", std::move(name));
  table.add_texts("from", std::move(from));
  table.add_texts("to", std::move(to));
  table.add_numbers("bytes", "B", std::move(bytes));
  table.add_numbers("predicted", "s", std::move(predicted));
  table.add_numbers("measured", "s", std::move(measured));
  return table;
}

/// All-fast only computes: where even it is not as predicted, the machine has changed since.
static void print_drift(const FitReport& report) {
  constexpr double kWorthTelling = 0.05;
  const double drift = machine_drift(report);
  if (std::abs(drift) < kWorthTelling) return;
  fmt::print(
      "note          this machine is {} {} than when its kernels were profiled (all-fast shows "
      "it); what the prediction misses of the placement itself stands under \"beside all-fast\"; "
      "--profile NEW.db measures anew\n",
      format_percent(std::abs(drift), 0), drift > 0 ? "slower" : "faster");
}

void print_fit(const FitReport& report) {
  const ProfileEnvironment& e = report.environment;
  fmt::print("{}, batch {}, training step on {}; {} thread{}; {}\n", report.graph->name,
             report.batch, e.machine, e.threads, e.threads == 1 ? "" : "s", e.libraries);
  fmt::print("fast tier     {}\nslow tier     {}\n", e.fast_tier, e.slow_tier);
  print_plan(report);
  print_arms(report);
  fmt::print(
      "first touch   takes {} times as long as the plan (predicted: {:.3f}; with all-fast as it "
      "ran: {:.3f}){}\n",
      ratio_text(times_as_long(report.outcomes[2], report.outcomes[0])),
      predicted_times_as_long(report.arms[2], report.arms[0]),
      predicted_speedup_as_all_fast_ran(report), e.emulated ? ", emulated" : "");
  print_drift(report);
  fmt::print("results       {}\n",
             report.equal() ? "equal, bit for bit" : "NOT EQUAL: the plans computed differently");
}

}  // namespace mete
