// The verbs, and the way from a command line to one of them.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/base/utf8.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"

namespace mete {
namespace {

constexpr std::string_view kLook = "Look around";
constexpr std::string_view kMeasure = "Measure and run";
constexpr std::string_view kLearn = "Learn and decide";
constexpr std::string_view kMemory = "Fast and slow memory";

constexpr Command kCommands[] = {
    {"doctor", kLook, "What can be measured and controlled here, why not, and the next step",
     "mete doctor", add_doctor},
    {"list", kLook, "Signals, controls, domains, agents or boards",
     "mete list signals --board v100", add_list},
    {"read", kLook, "Read a signal", "mete read CPU_UTILIZATION cpu 0", add_read},
    {"write", kLook, "Set a control", "mete write CPU_FREQUENCY_MAX_CONTROL board 0 1.8GHz",
     add_write},
    {"restore", kLook, "Give back controls that a killed mete left changed", "mete restore",
     add_restore},
    {"run", kMeasure, "Run a command or a board program under observation, with an agent",
     "mete run --report app.report --trace app.trace -- ./app --size 4096", add_run},
    {"recording", kMeasure, "What a recording of power and use comes to",
     "mete recording summary power_metrics.json", add_recording},
    {"top", kLook, "Power, energy, use and the busiest processes, live", "mete top", add_top},
    {"export", kMeasure, "Power and use of this machine for Prometheus", "mete export --once",
     add_export},
    {"sweep", kMeasure, "Run it at every setting of a control, several times",
     "mete sweep --board v100 --control GPU_CORE_FREQUENCY_MAX_CONTROL=all --trials 3 --out sweep "
     "-- BlackScholes",
     add_sweep},
    {"tune", kMeasure, "The whole energy loop: sweep, learn, choose, run, compare",
     "mete tune --board v100 --phi 0.5 -- BlackScholes", add_tune},
    {"process", kLearn, "Sweeps into one training table (HDF5)", "mete process sweep -o sweep.h5",
     add_process},
    {"train", kLearn, "Train a clock model on it", "mete train sweep.h5 -o model.pt", add_train},
    {"evaluate", kLearn, "Judge an agent on measurements it has not seen",
     "mete evaluate v100 --train set=micro --test set=real --agent frontier --phi 0:1:0.1",
     add_evaluate},
    {"bench", kMeasure, "Matrix multiply and memory bandwidth, measured to be compared",
     "mete bench gemm --type float,bf16 --size 512,1024,2048 -o cpu.study.db", add_bench},
    {"study", kLearn, "Efficiency studies: import, summarise, compare, find the best clock",
     "mete study ratio data/AGX --over tensor --at dtype=float --at frequency=1377MHz", add_study},
    {"view", kLearn, "An interactive page of studies, traces and tables, in one file",
     "mete view app.trace -o app.html", add_view_verb},
    {"agent", kLearn, "Agents and their policies", "mete agent -a torch -p NAN,NAN,0.5", add_agent},
    {"model", kMemory, "Parameters, operations and memory of a model, layer by layer",
     "mete model describe zoo:resnet50 --batch 16", add_model},
    {"profile", kMemory,
     "Measure each kernel of a training step, its tensors in fast and in slow memory",
     "mete profile zoo:resnet50 --batch 16 --slow throttled -o resnet50.profile.db", add_profile},
    {"plan", kMemory, "Place the tensors of a training step, with a proven gap",
     "mete plan resnet50.json.gz --ratio 4:1 --optimizer synchronous -o plan.json", add_plan},
    {"exec", kMemory, "Run a plan with addresses, as `mete fit` writes it",
     "mete exec resnet50.fit/program.json --graph zoo:resnet50 --batch 16", add_exec},
    {"fit", kMemory, "The whole memory loop: profile, plan, pack, verify, run, compare",
     "mete fit zoo:resnet50 --batch 16 --ratio 4:1 -o resnet50.fit", add_fit},
};

int exit_code_of(Errc code) { return code == Errc::invalid ? 2 : 1; }

int complain(std::string_view verb, const Error& error) {
  say(fmt::format("mete {}: {}", verb, error.what));
  return exit_code_of(error.code);
}

/// CLI11 knows the options of each verb but not its siblings' names: a slip in the verb is ours to
/// catch.
int unknown_verb(std::string_view word) {
  std::vector<std::string> names;
  for (const auto& command : kCommands) names.emplace_back(command.name);
  auto hint = did_you_mean(word, names);
  if (hint.empty()) hint = "; `mete --help` shows what there is";
  say(fmt::format("mete: unknown verb '{}'{}", word, hint));
  return 2;
}

/// CLI11 lists all words that it could not place, last first; the first option that the verb lacks
/// is what is wrong. Empty if there is none.
std::string unknown_option(const CLI::App& verb, int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto* option : verb.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (int i = 2; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    std::string word = argv[i];
    word.resize(std::min(word.find('='), word.size()));
    if (word.size() < 2 || word[0] != '-' || verb.get_option_no_throw(word) != nullptr) continue;
    if (word[1] != '-' && (word[1] == '.' || (word[1] >= '0' && word[1] <= '9'))) continue;
    return fmt::format("unknown option {}{}", word, did_you_mean(word, names));
  }
  return {};
}

/// One line, whatever CLI11 would say in several.
int usage_error(std::string_view verb, std::string what) {
  std::replace(what.begin(), what.end(), '\n', ' ');
  const auto hint = verb.empty() ? std::string("mete --help") : fmt::format("mete {} --help", verb);
  say(fmt::format("mete{}{}: {}{} `{}`", verb.empty() ? "" : " ", verb, trim(what),
                  what.ends_with('?') ? " See" : "; see", hint));
  return 2;
}

/// CLI11 counts in types: "--ratio: 1 required TEXT missing".
std::string missing_value(const std::string& what) {
  const auto end = what.find(": ");
  return what.ends_with(" missing") && end != std::string::npos
             ? fmt::format("{}: a value is missing", what.substr(0, end))
             : what;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

void say(std::string_view line) {
  constexpr std::size_t kMost = 4000;
  fmt::print(stderr, "{}\n", printable(line, kMost));
}

int run_command_line(int argc, char** argv, const Context& context) {
  CLI::App app{
      "mete measures what an AI workload costs in joules, seconds and bytes of fast memory,\n"
      "and allots it the clocks that meet its owner's goal."};
  app.name("mete");
  app.set_version_flag("--version", std::string("mete ") + METE_VERSION);
  app.require_subcommand(0, 1);
  app.footer("Start with `mete doctor`, or `mete tune --board v100 --phi 0.5 -- BlackScholes`.");

  const std::string wanted = argc > 1 ? argv[1] : "";
  const Command* chosen = nullptr;
  Runner runner;
  std::optional<OptionSet> options;
  for (const auto& command : kCommands) {
    // Only the chosen verb builds its options: `mete --help` needs names and summaries alone.
    CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->group(std::string(command.group));
    if (command.name != wanted) continue;
    chosen = &command;
    sub->footer(fmt::format("Example:\n  {}", command.example));
    options.emplace(*sub);
    runner = command.add(*options);
  }
  if (argc > 1 && chosen == nullptr && wanted.front() != '-') return unknown_verb(wanted);
  try {
    app.parse(options ? options->split_command(argc, argv) : argc, argv);
    if (options) options->join_command();
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ExtrasError& error) {
    auto what = chosen != nullptr ? unknown_option(*app.get_subcommand(wanted), argc, argv) : "";
    return usage_error(chosen != nullptr ? chosen->name : "", what.empty() ? error.what() : what);
  } catch (const CLI::ArgumentMismatch& error) {
    return usage_error(chosen != nullptr ? chosen->name : "", missing_value(error.what()));
  } catch (const CLI::ParseError& error) {
    return usage_error(chosen != nullptr ? chosen->name : "", error.what());
  }
  if (chosen == nullptr) {
    fmt::print("{}", app.help());
    return 0;
  }
  const auto outcome = runner(context);
  return outcome ? *outcome : complain(chosen->name, outcome.error());
}

}  // namespace mete
