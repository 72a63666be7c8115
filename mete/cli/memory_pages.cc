// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/memory_pages.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "mete/base/text.h"
#include "mete/cli/plan_page.h"
#include "mete/plot/memory_plots.h"

namespace mete {
namespace {

const Badge kEmulated{"emulated",
                      "Slow memory is this machine's DRAM, its accesses held to stated bandwidths.",
                      true};

std::vector<std::string> names_of(const FitReport& report, const Liveness& liveness) {
  std::vector<std::string> names;
  for (const auto& origin : report.arms.front().fitted.step.tensors) {
    const auto& tensors = liveness.groups[origin.group].tensors;
    names.push_back(tensors.empty() ? "?" : report.graph->tensors[tensors.front()].name);
  }
  return names;
}

Table arms_table(const FitReport& report) {
  Table table;
  std::vector<std::string> name;
  std::vector<double> median, low, high, predicted, error, beside, pool;
  for (std::size_t a = 0; a < report.arms.size(); ++a) {
    const Interval interval = report.outcomes[a].interval();
    name.push_back(a == 0 ? report.arms[a].optimizer : report.arms[a].name);
    median.push_back(interval.estimate);
    low.push_back(interval.low);
    high.push_back(interval.high);
    predicted.push_back(report.arms[a].fitted.draft.plan.predicted_seconds);
    error.push_back(prediction_error(report.arms[a], report.outcomes[a]));
    beside.push_back(placement_error(report, a).estimate);
    pool.push_back(static_cast<double>(report.arms[a].fitted.draft.plan.fast_bytes));
  }
  table.add_texts("plan", std::move(name));
  table.add_numbers("step", "s", std::move(median));
  table.add_numbers("from", "s", std::move(low));
  table.add_numbers("to", "s", std::move(high));
  table.add_numbers("predicted", "s", std::move(predicted));
  table.add_numbers("error", "1", std::move(error));
  table.add_numbers("error beside all-fast", "1", std::move(beside));
  table.add_numbers("fast pool", "B", std::move(pool));
  return table;
}

void add_fit_headlines(const FitReport& report, Page& page) {
  const auto times = [&](std::size_t a, std::size_t b) {
    return times_as_long(report.outcomes[a], report.outcomes[b]);
  };
  const auto steps = report.outcomes.front().seconds.size();
  const auto per = [steps](const char* what) {
    return fmt::format("{}; the median of {} turns of a step each", what, steps);
  };
  const double gain = times(2, 0).estimate;
  page.headlines.push_back({gain < 1 ? "Slower than first touch" : "Faster than first touch",
                            fmt::format("{:.2f} times", gain < 1 ? 1 / gain : gain), "",
                            per("tensors placed as they come"), Tone::neutral});
  page.headlines.push_back({"Times all-fast", fmt::format("{:.3f}", times(0, 1).estimate), "",
                            per("all tensors in fast memory"), Tone::neutral});
  page.headlines.push_back(
      {"Prediction error", format_percent(prediction_error(report.arms[0], report.outcomes[0])), "",
       fmt::format(
           "predicted from the profile of single kernels, against the measured step; all-fast, "
           "which shows how the machine has changed since: {}; of the placement alone: {}",
           format_percent(prediction_error(report.arms[1], report.outcomes[1])),
           format_percent(placement_error(report, 0).estimate)),
       Tone::neutral});
}

double ratio_of(const std::string& text) {
  const auto parts = split(text, ':');
  const double slow = parse_double(parts[0]).value_or(0);
  const double fast = parts.size() > 1 ? parse_double(parts[1]).value_or(1) : 1;
  return fast > 0 ? slow / fast : HUGE_VAL;
}

std::string model_name(const Json& run) {
  return fmt::format("{}, batch {}", run["name"].as_string(), run["batchsize"].as_integer());
}

Table without(const Table& table, const std::vector<std::string>& ratios) {
  Table out;
  const auto& ratio = **table.texts("ratio");
  const auto keep = [&](std::size_t i) {
    return std::find(ratios.begin(), ratios.end(), ratio[i]) == ratios.end();
  };
  for (const auto& column : table.columns()) {
    if (column.is_text()) {
      auto& to = out.add_texts(column.name);
      for (std::size_t i = 0; i < table.rows(); ++i) {
        if (keep(i)) to.push_back(column.texts()[i]);
      }
    } else {
      auto& to = out.add_numbers(column.name, column.unit);
      for (std::size_t i = 0; i < table.rows(); ++i) {
        if (keep(i)) to.push_back(column.numbers()[i]);
      }
    }
  }
  return out;
}

/// The synchronous one, or else what most of the runs used.
std::string cost_optimizer(const std::vector<Json>& runs) {
  std::map<std::string, int> count;
  for (const auto& run : runs) ++count[run["formulation"].as_string()];
  if (count.contains("synchronous") || count.empty()) return "synchronous";
  return std::max_element(count.begin(), count.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

}  // namespace

Result<Page> fit_page(const FitReport& report, const Liveness& liveness) {
  const FittedPlan& fitted = report.arms.front().fitted;
  const PlanFigures& f = fitted.solved.plan.figures;
  const auto size = [](double bytes) { return format_quantity(bytes, "B", 4); };
  Page page;
  page.title = fmt::format("{} in {} of fast memory", report.graph->name,
                           size(static_cast<double>(fitted.draft.plan.fast_bytes)));
  page.subtitle = fmt::format("{} plan, batch {}; {}", report.arms.front().optimizer, report.batch,
                              report.environment.machine);
  page.summary = fmt::format(
      "Fast memory {}, slow memory {} ({}). The plan is at most {} slower than the best of its "
      "kind: proven. {}",
      size(static_cast<double>(fitted.draft.plan.fast_bytes)),
      size(static_cast<double>(fitted.draft.plan.slow_bytes)), report.environment.slow_tier,
      format_percent(fitted.gap, 3),
      report.equal()
          ? "All three ways of running it left the same parameters and loss, bit for bit."
          : "The ways of running it did NOT leave the same parameters.");
  if (report.environment.emulated) page.badges.push_back(kEmulated);
  if (!report.equal())
    page.cautions.emplace_back("Results differ between the plans: do not trust it.");
  add_fit_headlines(report, page);
  TableBlock arms;
  arms.title = "A step of each";
  arms.caption = "Medians; from and to: their 95 % interval, which needs six steps or more.";
  arms.table = arms_table(report);
  arms.marked_rows = {0};
  page.blocks.emplace_back(std::move(arms));
  const PlacementStory story =
      story_of(fitted.step.problem, fitted.solved.plan.placement, names_of(report, liveness));
  METE_TRY(auto use,
           memory_use(story.kernels,
                      {.limit = f.limit_bytes == kNoLimit
                                    ? std::nullopt
                                    : std::optional<double>(static_cast<double>(f.limit_bytes))}));
  use.caption += " Times are those that the profile predicts.";
  page.blocks.emplace_back(std::move(use));
  METE_TRY(auto places, memory_places(story.stays));
  page.blocks.emplace_back(std::move(places));
  page.measured = {{"Machine", report.environment.machine},
                   {"Libraries", report.environment.libraries},
                   {"Threads", fmt::format("{}", report.environment.threads)},
                   {"Fast memory", report.environment.fast_tier},
                   {"Slow memory", report.environment.slow_tier},
                   {"mete", METE_VERSION}};
  return page;
}

Table memory_runs_table(const std::vector<Json>& unordered) {
  std::vector<Json> runs = unordered;
  std::stable_sort(runs.begin(), runs.end(), [](const Json& a, const Json& b) {
    return ratio_of(a["ratio"].as_string()) > ratio_of(b["ratio"].as_string());
  });
  // All slow: the slowest at 1:0, whatever the optimizer.
  std::map<std::string, double> all_slow;
  for (const auto& run : runs) {
    double& slow = all_slow.try_emplace(model_name(run), kNoValue).first->second;
    const double slowdown = run["slowdown"].as_number();
    if (run["ratio"].as_string() == "1:0" && !(slow >= slowdown)) slow = slowdown;
  }
  Table table;
  const auto texts = [&](const char* name, auto text) {
    auto& column = table.add_texts(name);
    for (const auto& run : runs) column.push_back(text(run));
  };
  const auto numbers = [&](const char* name, auto number, const char* unit = "s") {
    auto& column = table.add_numbers(name, unit);
    for (const auto& run : runs) column.push_back(number(run));
  };
  const auto field = [](const char* key) {
    return [key](const Json& run) { return run[key].as_number(kNoValue); };
  };
  texts("model", model_name);
  texts("optimizer", [](const Json& run) { return run["formulation"].as_string(); });
  texts("ratio", [](const Json& run) { return run["ratio"].as_string(); });
  numbers("seconds", field("median_runtime"));
  numbers("predicted_seconds", field("predicted_runtime"));
  for (const char* name : {"placement_error", "placement_error_low", "placement_error_high"}) {
    numbers(name, field(name), "1");
  }
  numbers("solve_seconds", [](const Json& run) {
    double sum = run["packing_times"].as_number();
    for (const auto& seconds : run["optimization_times"].items()) sum += seconds.as_number();
    return sum;
  });
  for (const char* name : {"slowdown", "slowdown_low", "slowdown_high"}) {
    numbers(name, field(name), "1");
  }
  numbers("all_slow_slowdown", [&](const Json& run) { return all_slow[model_name(run)]; }, "1");
  return table;
}

Result<Page> memory_bench_page(const std::vector<Json>& runs) {
  const Table all = memory_runs_table(runs);
  Page page;
  page.title = "Training steps with too little fast memory";
  page.summary =
      "Each bar is a training step, run as planned: by first touch (numa), with every tensor in "
      "one "
      "place for good (static), or with moves between kernels (synchronous).";
  const bool emulated = std::any_of(runs.begin(), runs.end(), [](const Json& run) {
    return run["source"].as_string() == "emulated";
  });
  if (emulated) page.badges.push_back(kEmulated);
  METE_TRY(auto speedup, memory_speedup(without(all, {"1:0", "0:1"})));
  page.blocks.emplace_back(std::move(speedup));
  METE_TRY(auto cost, memory_cost(without(all, {"0:1"}), cost_optimizer(runs)));
  page.blocks.emplace_back(std::move(cost));
  METE_TRY(auto error, memory_prediction_error(all));
  page.blocks.emplace_back(std::move(error));
  METE_TRY(auto beside, memory_placement_error(without(all, {"0:1"})));
  page.blocks.emplace_back(std::move(beside));
  METE_TRY(auto solving, memory_solve_time(without(all, {"1:0", "0:1"})));
  page.blocks.emplace_back(std::move(solving));
  if (!runs.empty()) {
    const Json& first = runs.front();
    page.measured = {{"Machine", first["machine"].as_string()},
                     {"Libraries", first["libraries"].as_string()},
                     {"Threads", fmt::format("{}", first["threads"].as_integer())},
                     {"Slow memory", first["slow_tier"].as_string()},
                     {"mete", METE_VERSION}};
  }
  return page;
}

}  // namespace mete
