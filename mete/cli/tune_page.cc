// tune.html: what was saved, the frontier, clock and power over time, what was chosen and why.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/cli/agent_page.h"
#include "mete/cli/board_truth.h"
#include "mete/cli/tune_report.h"
#include "mete/dataset/trace_file.h"
#include "mete/plot/figure.h"
#include "mete/plot/page.h"
#include "mete/plot/plots.h"

namespace mete {
namespace {

const ArmChange* change_named(const TuneResult& result, std::string_view name) {
  const auto found = std::find_if(result.changes.begin(), result.changes.end(),
                                  [&](const ArmChange& c) { return c.name == name; });
  return found == result.changes.end() ? nullptr : &*found;
}

/// Whether an agent changes the clock on the way.
bool steers(std::string_view arm) { return arm == "torch" || arm == "agent"; }

/// The arm whose figures head the page: the recommended one, else the first that was tried.
const ArmChange* headline_arm(const TuneResult& result) {
  const ArmChange* arm = change_named(result, result.verdict.arm);
  if (arm == nullptr && !result.changes.empty()) arm = &result.changes.front();
  return arm;
}

Table all_runs(const TuneResult& result) {
  std::vector<std::string> role;
  std::vector<double> clock;
  std::vector<double> time;
  std::vector<double> energy;
  const auto add = [&](const char* what, double hz, double s, double j) {
    role.emplace_back(what);
    clock.push_back(hz);
    time.push_back(s);
    energy.push_back(j);
  };
  for (const StudyPoint& point : result.sweep_points) {
    add("sweep", point.plan.values.at(0), point.runtime, point.energy);
  }
  for (const ArmRuns& arm : result.verification.arms) {
    for (std::size_t i = 0; i < arm.seconds.size(); ++i) {
      if (arm.name == "baseline") {
        add("baseline", result.choice.top.clock, arm.seconds[i], arm.joules[i]);
      } else if (steers(arm.name)) {
        add("agent", kNoValue, arm.seconds[i], arm.joules[i]);
      }
    }
  }
  Table table;
  table.add_texts("role", std::move(role));
  table.add_numbers("clock", "Hz", std::move(clock));
  table.add_numbers("time", "s", std::move(time));
  table.add_numbers("energy", "J", std::move(energy));
  return table;
}

Result<Figure> frontier_figure(const TuneResult& result) {
  FrontierOptions options;
  options.chosen_clock = result.choice.fixed.clock;
  if (result.goal.phi) {
    options.phi = result.goal.phi;
  } else {
    options.max_slowdown = result.goal.max_slowdown;
  }
  if (const ArmChange* agent = change_named(result, result.agent.empty() ? "torch" : "agent")) {
    options.agent_time = agent->time;
    options.agent_energy = agent->energy;
  }
  return frontier(all_runs(result), options);
}

Result<Figure> changes_figure(const TuneResult& result) {
  Table arms;
  std::vector<std::string> names;
  std::array<std::vector<double>, 6> columns;
  for (const ArmChange& change : result.changes) {
    names.push_back(change.name == "torch" ? fmt::format("torch, phi {:g}", result.choice.phi)
                    : change.name == "agent"
                        ? "agent " + base_name(result.agent)
                        : "fixed, " + setting_text(result.choice.fixed.clock, "Hz"));
    const std::array values{change.energy.estimate, change.energy.low, change.energy.high,
                            change.time.estimate,   change.time.low,   change.time.high};
    for (std::size_t i = 0; i < values.size(); ++i) columns.at(i).push_back(values.at(i));
  }
  arms.add_texts("arm", std::move(names));
  constexpr std::array kNames{"energy", "energy_low", "energy_high",
                              "time",   "time_low",   "time_high"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    arms.add_numbers(kNames.at(i), "1", std::move(columns.at(i)));
  }
  return bars_with_intervals(arms);
}

Result<Figure> timeline_figure(const TuneResult& result) {
  Table samples;
  for (const ArmRecord& record : result.verification.records) {
    if (record.repeat != 1) continue;
    METE_TRY(const Table trace,
             read_trace_table(record.trace,
                              {"TIME", "GPU_CORE_FREQUENCY_STATUS-gpu-0", "GPU_POWER-gpu-0"}));
    METE_TRY(const auto* time, trace.numbers("TIME"));
    METE_TRY(const auto* clock, trace.numbers("GPU_CORE_FREQUENCY_STATUS-gpu-0"));
    METE_TRY(const auto* power, trace.numbers("GPU_POWER-gpu-0"));
    std::vector<double> since(*time);
    for (double& t : since) t -= time->front();
    METE_TRY_VOID(
        append_run(samples, steers(record.arm) ? "agent" : record.arm, since, *clock, *power));
  }
  METE_TRY(Figure figure, timeline(samples));
  figure.caption += " GPU 0, first repeat of every arm.";
  return figure;
}

/// The agent's arm, first repeat: each decision when it was made, what it believed of each clock
/// and what it found, and the decisions as a list.
Result<void> add_decisions(const TuneResult& result, const TuneOptions& options, Page& page) {
  const auto& records = result.verification.records;
  const auto found = std::find_if(records.begin(), records.end(), [](const ArmRecord& r) {
    return r.repeat == 1 && steers(r.arm);
  });
  if (found == records.end()) return {};
  METE_TRY(const AgentStory story, read_agent_story(found->report, found->trace));
  METE_TRY(Figure figure, decision_figure(story));
  figure.caption += " First repeat.";
  page.blocks.emplace_back(std::move(figure));
  std::optional<MeasuredKernel> truth;
  if (!options.target.board.empty() && !story.curves.empty()) {
    METE_TRY(truth, load_truth(options.target, options.command.front()));
  }
  METE_TRY(auto figures, belief_figures(story, truth));
  for (Figure& one : figures) {
    one.caption += " First repeat.";
    page.blocks.emplace_back(std::move(one));
  }
  page.blocks.emplace_back(decision_table(story));
  return {};
}

/// Every arm against the board's own table. Nothing where there is no board.
Result<void> add_regret(const TuneResult& result, const TuneOptions& options, Page& page) {
  if (options.target.board.empty()) return {};
  METE_TRY(const MeasuredKernel truth, load_truth(options.target, options.command.front()));
  const double joules = truth.seconds.back() * truth.watts.back() * options.target.gpus;
  EvaluationGoal goal;
  goal.phi = result.goal.phi;
  goal.max_slowdown = result.goal.max_slowdown;
  std::vector<RegretRow> rows;
  for (const ArmRuns& arm : result.verification.arms) {
    const double clock = arm.name == "fixed"      ? result.choice.fixed.clock
                         : arm.name == "baseline" ? result.choice.top.clock
                                                  : kNoValue;
    rows.push_back({arm.name + ", mean of its runs",
                    clock,
                    {mean_of(arm.seconds) / truth.seconds.back(), mean_of(arm.joules) / joules}});
  }
  TableBlock table = regret_table(goal, truth, std::move(rows));
  table.marked_rows.clear();
  for (std::size_t i = 0; i < result.verification.arms.size(); ++i) {
    if (result.verification.arms[i].name == result.verdict.arm) table.marked_rows = {i};
  }
  page.blocks.emplace_back(std::move(table));
  return {};
}

TableBlock clock_table(const TuneResult& result) {
  TableBlock block;
  block.title = "The sweep";
  block.caption = "Means over the runs of a clock; changes are against the highest clock.";
  std::array<std::vector<double>, 6> columns;
  for (std::size_t i = 0; i < result.clocks.size(); ++i) {
    const SweptClock& c = result.clocks[i];
    if (c.clock == result.choice.fixed.clock) block.marked_rows.push_back(i);
    const std::array values{c.clock,    c.seconds,       c.joules,
                            c.slowdown, c.energy_change, static_cast<double>(c.runs)};
    for (std::size_t k = 0; k < values.size(); ++k) columns.at(k).push_back(values.at(k));
  }
  constexpr std::array<std::pair<const char*, const char*>, 6> kColumns{{{"clock", "Hz"},
                                                                         {"time", "s"},
                                                                         {"energy", "J"},
                                                                         {"time change", "1"},
                                                                         {"energy change", "1"},
                                                                         {"runs", ""}}};
  for (std::size_t k = 0; k < kColumns.size(); ++k) {
    block.table.add_numbers(kColumns.at(k).first, kColumns.at(k).second, std::move(columns.at(k)));
  }
  block.formats = {{"clock", "Clock", 4, false},
                   {"time", "Time", 4, false},
                   {"energy", "Energy", 4, false},
                   {"time change", "Time change", 3, true},
                   {"energy change", "Energy change", 3, true},
                   {"runs", "Runs", 4, false}};
  return block;
}

std::string model_paragraph(const TuneResult& result) {
  const ModelStep& model = result.model;
  if (!result.agent.empty()) {
    return fmt::format("The agent compared is {}, with the policy {}; no model was trained.",
                       result.agent, result.agent_policy);
  }
  if (model.path.empty()) return "There is no model, so no agent was run: " + model.absent + ".";
  if (model.given) return fmt::format("The agent used the model {}, which was given.", model.path);
  return fmt::format(
      "The model is the tutorial's network, trained for {} epochs on {} examples of {}. On these "
      "its "
      "clocks are {} off on average; a constant guess would be {} off.",
      model.epochs, model.examples, join(result.learned_from, ", "),
      format_quantity(model.mean_error, "Hz"), format_quantity(model.guess_error, "Hz"));
}

TextBlock choice_block(const TuneResult& result, const TuneOptions& options) {
  TextBlock block;
  block.title = "What was chosen, and why";
  block.paragraphs = {fmt::format("Goal: {}.", result.goal.describe()),
                      fmt::format("Choice from the sweep: {}.", result.choice.why),
                      model_paragraph(result),
                      fmt::format("Recommended: {}: {}.", result.verdict.arm, result.verdict.why),
                      fmt::format("To run it so: {}", recommended_command(result, options))};
  return block;
}

std::vector<Fact> facts(const TuneResult& result, const TuneOptions& options) {
  std::vector<Fact> out;
  const auto add = [&](std::string key, std::string value, bool code = false) {
    out.push_back({std::move(key), std::move(value), code});
  };
  add("Program", join(result.plan.command, " "), true);
  add("Target", result.plan.target);
  if (!options.target.board_options.empty())
    add("Board options", options.target.board_options, true);
  add("Node", result.plan.node);
  add("Energy", fmt::format("{} ({})", join(result.plan.energy_signals, " + "),
                            source_name(result.verification.source)));
  add("Sweep",
      fmt::format("{} clocks, {} trials, order randomised, the top clock again after every "
                  "{} points",
                  result.clocks.size(), result.plan.trials, result.plan.reference_every));
  for (const std::string& line : drift_lines(result.drift)) add("Drift", line);
  add("Verification",
      fmt::format(
          "{} repeats of every arm, interleaved; changes are geometric means over pairs with "
          "Student's t intervals",
          result.verification.arms.front().seconds.size()));
  add("Time between samples", format_quantity(result.plan.period, "s"));
  add("Seed", fmt::format("{}", result.plan.seed));
  add("Written by", "mete " METE_VERSION);
  add("Date", result.created);
  return out;
}

}  // namespace

Result<std::string> tune_html(const TuneResult& result, const TuneOptions& options) {
  Page page;
  page.title = fmt::format("Tuning {}", result.plan.app);
  page.subtitle = result.plan.target;
  page.summary = fmt::format("Recommended: {}: {}.", result.verdict.arm, result.verdict.why);
  page.badges.push_back(badge_for(source_name(result.verification.source)));
  if (const ArmChange* arm = headline_arm(result)) {
    page.headlines.push_back(change_headline(arm->energy, "Energy", "saved", "added"));
    page.headlines.push_back(change_headline(arm->time, "Time", "saved", "added"));
  }
  page.cautions = result.verdict.cautions;
  METE_TRY(Figure changes, changes_figure(result));
  METE_TRY(Figure curve, frontier_figure(result));
  METE_TRY(Figure line, timeline_figure(result));
  page.blocks.emplace_back(std::move(changes));
  page.blocks.emplace_back(std::move(curve));
  page.blocks.emplace_back(choice_block(result, options));
  METE_TRY_VOID(add_regret(result, options, page));
  page.blocks.emplace_back(std::move(line));
  METE_TRY_VOID(add_decisions(result, options, page));
  page.blocks.emplace_back(clock_table(result));
  page.measured = facts(result, options);
  return page.to_html();
}

}  // namespace mete
