// mete study: efficiency studies read, kept, summarised and compared.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/study_output.h"
#include "mete/cli/tune_choice.h"
#include "mete/study/efficiency/data_file.h"
#include "mete/study/efficiency/efficiency.h"
#include "mete/study/efficiency/study_store.h"

namespace mete {
namespace {

struct Options {
  std::string action;
  std::string path;
  std::string output;
  std::string rule;
  std::string over = "tensor";
  std::string against;
  std::string quantity = "flops_per_watt";
  std::vector<std::string> at;
  std::string max_slowdown;
  std::string csv;
  std::string data;
  bool json = false;
};

struct Loaded {
  std::vector<GemmRun> runs;
  std::vector<std::string> broken;    ///< one line each
  std::vector<std::string> left_out;  ///< one line each
};

Result<Loaded> load(const std::string& path) {
  if (!path_exists(path)) return fail(Errc::invalid, "{}: no such file or folder", path);
  if (is_directory(path)) {
    METE_TRY(auto folder, read_data_folder(path));
    return Loaded{std::move(folder.runs), std::move(folder.broken), std::move(folder.left_out)};
  }
  METE_TRY(const auto store, StudyStore::open(path, StudyStore::Mode::read));
  METE_TRY(auto runs, store.runs());
  if (runs.empty()) return fail(Errc::invalid, "{}: a study without runs", path);
  return Loaded{std::move(runs), {}, {}};
}

/// To stderr, so that --json stays clean. True if nothing was broken.
bool tell_trouble(const Loaded& loaded, const std::string& path) {
  for (const auto& line : loaded.broken)
    say(fmt::format("mete study: {}: left out: {}", path, line));
  if (!loaded.left_out.empty()) {
    say(fmt::format("mete study: {}: {} other entries left alone, such as {}", path,
                    loaded.left_out.size(), loaded.left_out.front()));
  }
  return loaded.broken.empty();
}

Result<PowerRule> rule_of(const Options& options, PowerRule usual) {
  if (options.rule.empty()) return usual;
  if (const auto rule = power_rule_named(options.rule)) return *rule;
  return fail(Errc::invalid, "--rule {}: there are notebook and settled", options.rule);
}

Result<std::vector<EfficiencyRow>> chosen_rows(const Options& options, const Loaded& loaded,
                                               PowerRule rule) {
  std::vector<Fixed> fixed;
  for (const auto& text : options.at) {
    METE_TRY(auto one, parse_fixed(text));
    fixed.push_back(std::move(one));
  }
  return select_rows(summarise_gemm(loaded.runs, rule), fixed);
}

struct ImportCounts {
  std::size_t added = 0;
  std::size_t same = 0;
  std::size_t trials = 0;
  std::map<std::string, std::size_t> oddities;
};

Result<ImportCounts> store_runs(const Loaded& loaded, const std::string& output,
                                const std::string& source) {
  METE_TRY(auto store, StudyStore::open(output, StudyStore::Mode::create));
  METE_TRY_VOID(store.begin());
  METE_TRY(const auto session, store.add_session({"imported from " + source, "", "", "{}", ""}));
  ImportCounts counts;
  for (const auto& run : loaded.runs) {
    METE_TRY(const auto added, store.add_run(session, run));
    if (added == StudyStore::Added::same) {
      ++counts.same;
      continue;
    }
    ++counts.added;
    if (added == StudyStore::Added::more_trial) ++counts.trials;
    for (const auto& oddity : run.oddities) ++counts.oddities[oddity.kind];
  }
  METE_TRY_VOID(store.commit());
  return counts;
}

Json oddity_list(const Loaded& loaded) {
  Json list = Json::array();
  for (const auto& run : loaded.runs) {
    for (const auto& oddity : run.oddities) {
      list.push(
          Json::object({{"file", run.origin}, {"kind", oddity.kind}, {"detail", oddity.detail}}));
    }
  }
  return list;
}

Result<ExitCode> import(const Options& options) {
  METE_TRY(const auto loaded, load(options.path));
  const auto output =
      options.output.empty() ? base_name(options.path) + ".study.db" : options.output;
  METE_TRY(const auto counts, store_runs(loaded, output, options.path));
  if (options.json) {
    fmt::print("{}\n", Json::object({{"study", output},
                                     {"added", counts.added},
                                     {"already_there", counts.same},
                                     {"more_trials", counts.trials},
                                     {"oddities", oddity_list(loaded)},
                                     {"broken", Json::array_of(loaded.broken)},
                                     {"left_alone", Json::array_of(loaded.left_out)}})
                           .dump());
  } else {
    fmt::print("{}: {} runs added", output, counts.added);
    if (counts.same > 0) fmt::print(", {} were there already", counts.same);
    if (counts.trials > 0)
      fmt::print(", {} of them further trials of configurations that were there", counts.trials);
    fmt::print("\n");
    for (const auto& [kind, count] : counts.oddities) fmt::print("  {:<16}{} runs\n", kind, count);
    if (!counts.oddities.empty())
      fmt::print("nothing of that was averaged away: `--json` names each\n");
  }
  return tell_trouble(loaded, options.path) ? 0 : 1;
}

Result<ExitCode> summary(const Options& options) {
  METE_TRY(const auto loaded, load(options.path));
  METE_TRY(const auto rule, rule_of(options, PowerRule::settled));
  METE_TRY(const auto rows, chosen_rows(options, loaded, rule));
  if (!options.csv.empty())
    METE_TRY_VOID(write_file_atomically(options.csv, summary_table(rows).to_csv()));
  fmt::print("{}",
             options.json ? summary_json(rows, rule).dump() + "\n" : summary_text(rows, rule));
  return tell_trouble(loaded, options.path) ? 0 : 1;
}

Result<ExitCode> ratio(const Options& options) {
  METE_TRY(const auto loaded, load(options.path));
  // The table of the notebook, unless asked otherwise.
  METE_TRY(const auto rule, rule_of(options, PowerRule::notebook));
  METE_TRY(const auto rows, chosen_rows(options, loaded, rule));
  RatioRequest request;
  METE_TRY(request.over, gemm_dimension_named(options.over));
  METE_TRY(request.quantity, gemm_quantity_named(options.quantity));
  request.against = options.against;
  if (!request.against.empty()) {
    METE_TRY(const auto fixed,
             parse_fixed(fmt::format("{}={}", gemm_dimension_name(request.over), options.against)));
    request.against = fixed.value;
  }
  METE_TRY(const auto ratios, gemm_ratios(rows, request));
  fmt::print("{}", options.json ? ratios_json(ratios, request).dump() + "\n"
                                : ratios_text(ratios, request, rule));
  return tell_trouble(loaded, options.path) ? 0 : 1;
}

Result<ExitCode> best(const Options& options) {
  METE_TRY(const auto loaded, load(options.path));
  METE_TRY(const auto rule, rule_of(options, PowerRule::settled));
  double bound = std::numeric_limits<double>::quiet_NaN();
  if (!options.max_slowdown.empty()) {
    METE_TRY(bound, parse_slowdown(options.max_slowdown));
  }
  METE_TRY(const auto rows, chosen_rows(options, loaded, rule));
  const auto clocks = best_clocks(rows, bound);
  if (clocks.empty()) {
    return fail(Errc::invalid,
                "{}: no configuration was measured at two clocks with power and rate",
                options.path);
  }
  fmt::print("{}",
             options.json ? best_json(clocks, rule).dump() + "\n" : best_text(clocks, rule, bound));
  return tell_trouble(loaded, options.path) ? 0 : 1;
}

Result<ExitCode> export_study(const Options& options) {
  if (!options.csv.empty() && !options.data.empty()) {
    return fail(Errc::invalid, "export writes one of --csv and --data: give one of them");
  }
  if (options.csv.empty() && options.data.empty()) {
    return fail(
        Errc::invalid,
        "export needs a place: --csv FILE for a table, or --data FOLDER for the notebook's logs");
  }
  METE_TRY_VOID(check_outputs({options.path}, {options.csv}));
  METE_TRY(const auto loaded, load(options.path));
  METE_TRY(const auto rule, rule_of(options, PowerRule::settled));
  if (!options.csv.empty()) {
    METE_TRY(const auto rows, chosen_rows(options, loaded, rule));
    METE_TRY_VOID(write_file_atomically(options.csv, summary_table(rows).to_csv()));
    fmt::print("{}: {} configurations\n", options.csv, rows.size());
    return tell_trouble(loaded, options.path) ? 0 : 1;
  }
  METE_TRY_VOID(make_directories(options.data));
  std::map<GemmPoint, std::size_t> trials;
  std::size_t repeated = 0;
  for (const auto& run : loaded.runs) {
    // The notebook knows one run of a configuration; a further trial goes beside it in a folder of
    // its own.
    const auto trial = trials[run.point]++;
    const auto folder =
        trial == 0 ? options.data : path_join(options.data, fmt::format("trial-{}", trial + 1));
    if (trial > 0) ++repeated;
    METE_TRY_VOID(make_directories(folder));
    METE_TRY_VOID(write_file_atomically(path_join(folder, data_name(run.point)), data_text(run)));
  }
  fmt::print(
      "{}: {} logs{}\n", options.data, loaded.runs.size(),
      repeated > 0 ? fmt::format(", {} of them further trials in folders trial-N", repeated) : "");
  return tell_trouble(loaded, options.path) ? 0 : 1;
}

Result<ExitCode> run(const Options& options) {
  if (options.action == "import") return import(options);
  if (options.action == "summary") return summary(options);
  if (options.action == "ratio") return ratio(options);
  if (options.action == "best") return best(options);
  if (options.action == "export") return export_study(options);
  return fail(Errc::invalid, "no action '{}'{}", options.action, [&] {
    auto hint = did_you_mean(options.action, {"import", "summary", "ratio", "best", "export"});
    return hint.empty() ? std::string(": there are import, summary, ratio, best and export") : hint;
  }());
}

}  // namespace

Runner add_study(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action, "import, summary, ratio, best or export")->required();
  app.add_option("PATH", options->path, "A study file, or a folder of the notebook's .data logs")
      ->required();
  app.add_option("-o,--output", options->output,
                 "import: the study file to make or add to [FOLDER.study.db]");
  app.add_option("--rule", options->rule,
                 "What a run's power is: notebook (mean of every sample; usual for ratio) or "
                 "settled (the meter's lag, zeros "
                 "and spikes left out; usual for summary and best)");
  app.add_option("--at", options->at,
                 "Keep only these: dtype=float, size=1024, frequency=1377MHz, tensor=on")
      ->allow_extra_args(false);
  app.add_option("--over", options->over,
                 "ratio: the dimension compared: device, dtype, tensor, size or frequency")
      ->capture_default_str();
  app.add_option(
      "--against", options->against,
      "ratio: what it is compared with [nontensor, float, the highest clock, the largest size]");
  app.add_option("--quantity", options->quantity, "ratio: flops_per_watt, flops or watts")
      ->capture_default_str();
  app.add_option("--max-slowdown", options->max_slowdown,
                 "best: also the best clock that is at most this much slower: 10%");
  app.add_option("--csv", options->csv, "summary, export: write the table here");
  app.add_option("--data", options->data, "export: write the notebook's logs into this folder");
  app.add_flag("--json", options->json, "Tell it as JSON");
  return [options](const Context& /*context*/) { return run(*options); };
}

}  // namespace mete
