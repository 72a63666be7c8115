// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/agent_page.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "mete/base/text.h"
#include "mete/cli/region_page.h"
#include "mete/plot/plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

Table belief_rows(const AgentCurve& curve, const MeasuredKernel* truth) {
  std::vector<std::string> kind;
  std::array<std::vector<double>, 4> columns;
  const auto add = [&](const char* what, double clock, double time, double doubt, double energy) {
    kind.emplace_back(what);
    const std::array values{clock, time, doubt, energy};
    for (std::size_t i = 0; i < values.size(); ++i) columns.at(i).push_back(values.at(i));
  };
  for (std::size_t i = 0; i < curve.clock.size(); ++i) {
    add("believed", curve.clock[i], curve.believed_time[i], curve.believed_doubt[i],
        curve.believed_energy[i]);
  }
  for (std::size_t i = 0; truth != nullptr && i < truth->clocks.size(); ++i) {
    const RelativeCost cost = relative_cost(*truth, i);
    add("measured", truth->clocks[i], cost.time - 1, kNoValue, cost.energy - 1);
  }
  for (std::size_t i = 0; i < curve.clock.size(); ++i) {
    if (!curve.tried[i]) continue;
    add("found", curve.clock[i], curve.found_time[i], curve.found_doubt[i], curve.found_energy[i]);
  }
  Table table;
  table.add_texts("kind", std::move(kind));
  constexpr std::array<std::pair<const char*, const char*>, 4> kNames{
      {{"clock", "Hz"}, {"time change", "1"}, {"doubt", "1"}, {"energy change", "1"}}};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    table.add_numbers(kNames.at(i).first, kNames.at(i).second, std::move(columns.at(i)));
  }
  return table;
}

std::string goal_words(const EvaluationGoal& goal) {
  if (goal.phi) {
    return fmt::format("phi {:.4g} (0: fastest, 1: least energy)", *goal.phi);
  }
  return fmt::format("least energy, at most {} slower than the top clock",
                     format_percent(goal.max_slowdown));
}

/// Why a clock that looked cheaper was not taken: with a bound it must be kept surely. Empty if
/// none was, or if the reason is another.
std::string passed_over(const AgentCurve& curve, const EvaluationGoal& goal) {
  if (goal.phi || !curve.settled) return "";
  const auto settled = std::find(curve.clock.begin(), curve.clock.end(), *curve.settled);
  if (settled == curve.clock.end()) return "";
  const auto at = static_cast<std::size_t>(settled - curve.clock.begin());
  std::optional<std::size_t> next;  // the fastest of those that save more
  for (std::size_t i = 0; i < curve.clock.size(); ++i) {
    if (!curve.tried[i] || !(curve.found_energy[i] < curve.found_energy[at])) continue;
    if (!(curve.found_time[i] > curve.found_time[at])) continue;
    if (!next || curve.found_time[i] < curve.found_time[*next]) next = i;
  }
  if (!next) return "";
  const double time = curve.found_time[*next];
  return fmt::format(
      "{} would save more ({} energy), but takes {} ± {} points more time: {}",
      format_quantity(curve.clock[*next], "Hz", 4),
      show_value(curve.found_energy[*next], "1", 3, true), format_percent(time),
      fmt::format("{:.1f}", 100 * curve.found_doubt[*next]),
      time > goal.max_slowdown ? "over the bound" : "too near the bound to be sure of keeping it");
}

std::string belief_caption(bool truth, bool shared) {
  std::string text =
      "Dashed: what the agent believed of each clock when it had seen the work at the top clock "
      "only. Green: what it found at the clocks it tried; bars are one standard deviation of its "
      "doubt.";
  if (truth) text += " Blue: what the board measured, which the agent never saw.";
  if (shared) {
    text +=
        " The bound is for the whole program: this work may cost more of it where other work costs "
        "less.";
  }
  return text;
}

double regret_of(const EvaluationGoal& goal, const MeasuredKernel& truth,
                 const RelativeCost& cost) {
  const auto best = relative_cost(truth, oracle_clock(truth, goal));
  return objective(goal, cost) - objective(goal, best);
}

}  // namespace

Result<std::vector<Figure>> belief_figures(const AgentStory& story,
                                           const std::optional<MeasuredKernel>& truth) {
  std::vector<Figure> out;
  const bool one = story.curves.size() == 1;
  const bool bound = story.goal && !story.goal->phi;
  for (std::size_t i = 0; i < story.curves.size(); ++i) {
    const AgentCurve& curve = story.curves[i];
    const MeasuredKernel* known = one && truth ? &*truth : nullptr;
    BeliefsOptions options;
    options.title =
        one ? "Believed, found and measured" : fmt::format("Believed and found: work {}", i + 1);
    if (one && !truth) options.title = "Believed and found";
    options.caption = belief_caption(known != nullptr, bound && !one);
    options.settled = curve.settled;
    if (bound) options.max_slowdown = story.goal->max_slowdown;
    METE_TRY(Figure figure, beliefs(belief_rows(curve, known), options));
    if (!one) figure.id += fmt::format("-{}", i + 1);
    out.push_back(std::move(figure));
  }
  return out;
}

namespace {

/// Decisions that all fall at the start would lie on top of each other in a long run: then only the
/// start is drawn. The number of samples to draw.
std::size_t samples_worth_drawing(const AgentStory& story) {
  const Column* made = story.made.find("time");
  const Column* column = story.samples.find("time");
  if (made == nullptr || column == nullptr || made->numbers().empty()) return story.samples.rows();
  const auto& time = column->numbers();
  const double until = std::max(3 * made->numbers().back(), 1.0);
  if (time.empty() || until > time.back() / 3) return time.size();
  return static_cast<std::size_t>(std::upper_bound(time.begin(), time.end(), until) - time.begin());
}

}  // namespace

Result<Figure> decision_figure(const AgentStory& story) {
  Table samples = story.samples;
  const std::size_t drawn = samples_worth_drawing(story);
  for (Column& column : samples.columns()) column.numbers().resize(drawn);
  METE_TRY(Figure figure, decisions(samples, story.made));
  if (drawn < story.samples.rows()) {
    figure.caption +=
        fmt::format(" The rest of the run, up to {}, is not drawn: nothing more was decided.",
                    format_quantity(story.samples.find("time")->numbers().back(), "s", 4));
  }
  if (story.made.rows() > 0) {
    figure.title = fmt::format("What {} decided, and when", story.agent);
  } else {
    figure.title = "Clock and power over time";
  }
  figure.caption += fmt::format("{}{}.", figure.caption.empty() ? "" : " ", story.part.shown);
  return figure;
}

TableBlock decision_table(const AgentStory& story) {
  TableBlock block;
  block.title = "Each decision, and why";
  block.caption = story.curves.empty()
                      ? "The agent tells no reasons of its own: these are the clocks it asked for."
                      : "Work is numbered in the order in which it was met.";
  block.table = story.made;
  block.formats = {
      {"time", "Time", 4, false}, {"clock", "Clock", 4, false}, {"why", "What and why", 4, false}};
  block.most_rows = 40;
  return block;
}

TableBlock regret_table(const EvaluationGoal& goal, const MeasuredKernel& truth,
                        std::vector<RegretRow> rows) {
  const std::size_t best = oracle_clock(truth, goal);
  rows.push_back({"best clock there was", truth.clocks[best], relative_cost(truth, best)});
  rows.push_back({"always the top clock", truth.clocks.back(), {}});
  TableBlock block;
  block.title = "Regret: how much better could it have been?";
  std::vector<std::string> names;
  std::array<std::vector<double>, 4> columns;
  for (const RegretRow& row : rows) {
    names.push_back(row.name);
    const std::array values{regret_of(goal, truth, row.cost), row.cost.time - 1,
                            row.cost.energy - 1, row.clock};
    for (std::size_t i = 0; i < values.size(); ++i) columns.at(i).push_back(values.at(i));
  }
  block.table.add_texts("way", std::move(names));
  constexpr std::array<std::pair<const char*, const char*>, 4> kNames{
      {{"regret", "1"}, {"time change", "1"}, {"energy change", "1"}, {"clock", "Hz"}}};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    block.table.add_numbers(kNames.at(i).first, kNames.at(i).second, std::move(columns.at(i)));
  }
  block.formats = {{"way", "The program run", 4, false},
                   {"regret", "Regret", 3, true},
                   {"time change", "Time change", 3, true},
                   {"energy change", "Energy change", 3, true},
                   {"clock", "Clock", 4, false}};
  block.marked_rows = {0};
  block.caption = fmt::format(
      "The board's table says what every clock costs, so the truth is known here; the agent never "
      "saw it. Goal: {}. Regret: {} less that of the best single clock. Changes are against the "
      "top "
      "clock by the same table. A run as it went scatters by about half a per cent, as the "
      "hardware's did; below 0 it was luckier, or cleverer, than any one clock.",
      goal_words(goal), goal.phi ? "(1 - phi) T/T0 + phi E/E0" : "E/E0");
  return block;
}

namespace {

std::vector<RegretRow> run_rows(const AgentStory& story, const RunPage& run) {
  const MeasuredKernel& truth = *run.truth;
  const double seconds = truth.seconds.back();
  const double joules = seconds * truth.watts.back() * run.gpus;
  std::vector<RegretRow> rows;
  rows.push_back(
      {"as it went, trials counted", kNoValue, {story.seconds / seconds, story.joules / joules}});
  if (story.curves.size() <= 1 && std::isfinite(story.last_asked)) {
    const std::size_t at = nearest_clock(truth, story.last_asked);
    rows.push_back(
        {"the clock it ended at, by the table", truth.clocks[at], relative_cost(truth, at)});
  }
  return rows;
}

TextBlock story_text(const AgentStory& story) {
  TextBlock block;
  block.title = "What was chosen, and why";
  if (story.goal) block.paragraphs.push_back(fmt::format("Goal: {}.", goal_words(*story.goal)));
  block.paragraphs.push_back(
      fmt::format("The agent {} made {} decision{} and changed the clock {} time{}; at the end it "
                  "asked for {}.",
                  story.agent, story.made.rows(), story.made.rows() == 1 ? "" : "s", story.changes,
                  story.changes == 1 ? "" : "s",
                  std::isfinite(story.last_asked) ? format_quantity(story.last_asked, "Hz", 4)
                                                  : std::string("no clock")));
  for (std::size_t i = 0; i < story.curves.size(); ++i) {
    block.paragraphs.push_back(fmt::format("Work {}: {}.", i + 1, story.curves[i].words));
  }
  if (story.goal && story.curves.size() == 1) {
    if (auto why = passed_over(story.curves.front(), *story.goal); !why.empty()) {
      block.paragraphs.push_back(fmt::format("Why not slower: {}.", why));
    }
  }
  return block;
}

void add_headlines(const AgentStory& story, const RunPage& run, Page& page) {
  if (!run.truth) {
    const bool known = std::isfinite(story.joules);
    page.headlines.push_back({"Energy",
                              known ? format_quantity(story.joules, "J", 4) : "not measured", "",
                              known ? fmt::format("of all {}s", story.part.noun)
                                    : std::string("nothing here tells it: see mete doctor")});
    page.headlines.push_back({"Time", format_quantity(story.seconds, "s", 4), "", ""});
    return;
  }
  const std::string note = "one run, against the board's table at the top clock";
  const RelativeCost cost = run_rows(story, run).front().cost;
  page.headlines.push_back({cost.energy <= 1 ? "Energy saved" : "Energy added",
                            format_percent(std::abs(1 - cost.energy)), "", note});
  page.headlines.push_back({cost.time <= 1 ? "Time saved" : "Time added",
                            format_percent(std::abs(1 - cost.time)), "", note});
  if (!story.goal) return;
  const double regret = regret_of(*story.goal, *run.truth, cost);
  page.headlines.push_back({regret < 0 ? "Better than the best single clock" : "Regret",
                            format_percent(std::abs(regret), 2), "",
                            regret < 0 ? "in the goal's own measure, trials counted"
                                       : "against the best single clock, trials counted"});
}

}  // namespace

Result<std::string> run_html(const RunPage& run) {
  METE_TRY(const AgentStory story, read_agent_story(run.report, run.trace));
  Page page;
  page.title = fmt::format("{} under {}", run.command, story.agent);
  page.subtitle = run.target;
  if (run.replayed) page.badges.push_back(badge_for("replayed"));
  add_headlines(story, run, page);
  // Somebody who only watches decides nothing.
  const bool decided = story.made.rows() > 0 || !story.curves.empty();
  if (decided) page.blocks.emplace_back(story_text(story));
  METE_TRY(Figure line, decision_figure(story));
  if (run.result != nullptr) add_region_lanes(line, region_lanes(*run.result));
  page.blocks.emplace_back(std::move(line));
  METE_TRY(auto figures, belief_figures(story, run.truth));
  for (Figure& figure : figures) page.blocks.emplace_back(std::move(figure));
  if (run.truth && story.goal) {
    page.blocks.emplace_back(regret_table(*story.goal, *run.truth, run_rows(story, run)));
  }
  if (run.result != nullptr) {
    METE_TRY(auto regions, region_blocks(*run.result));
    for (Block& block : regions) page.blocks.push_back(std::move(block));
  }
  if (decided) page.blocks.emplace_back(decision_table(story));
  page.measured = {{"Program", run.command, true},
                   {"Target", run.target},
                   {"Report", run.report, true},
                   {"Trace", run.trace, true},
                   {"Written by", "mete " METE_VERSION}};
  return page.to_html();
}

}  // namespace mete
