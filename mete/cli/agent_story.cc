// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/agent_story.h"

#include <cmath>
#include <limits>

#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/dataset/report_file.h"
#include "mete/dataset/trace_file.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// More decisions than these are a program that chatters; the figure would be nothing but marks.
constexpr std::size_t kMostDecisions = 5000;
/// The agent frontier's FRONTIER_STATE (docs/agents/frontier.md).
enum : int { kIdentify = 1, kProbe = 2, kSettled = 3, kUnlike = 4, kShelter = 5, kBlind = 6 };

const StoryPart& gpu_part() {
  static const StoryPart part{"GPU",
                              "GPU 0",
                              "GPU 0 ",
                              "gpu",
                              "AGENT_GPU_CORE_FREQUENCY_MAX_CONTROL-gpu-0",
                              "GPU_CORE_FREQUENCY_STATUS-gpu-0",
                              "GPU_POWER-gpu-0",
                              {"gpu-energy (J)"},
                              "GPU_PHI"};
  return part;
}

/// Clock and power of all packages together: what a trace has by default.
const StoryPart& package_part() {
  static const StoryPart part{"package",
                              "All packages together",
                              "CPU 0 ",
                              "package",
                              "AGENT_CPU_FREQUENCY_MAX_CONTROL-package-0",
                              "CPU_FREQUENCY_STATUS",
                              "CPU_POWER",
                              {"package-energy (J)", "dram-energy (J)"},
                              "CPU_PHI"};
  return part;
}

/// Packages if those were steered, or if the trace tells of no GPU.
const StoryPart& part_of(const Table& trace) {
  const StoryPart& gpu = gpu_part();
  const StoryPart& package = package_part();
  if (trace.find(package.asked) != nullptr) return package;
  const bool has_gpu = trace.find(gpu.clock) != nullptr || trace.find(gpu.power) != nullptr;
  return has_gpu ? gpu : package;
}

std::vector<double> numbers_of(const Json& json, std::size_t size) {
  std::vector<double> out;
  for (const Json& item : json.items()) out.push_back(item.as_number(kNan));
  out.resize(size, kNan);
  return out;
}

std::optional<AgentCurve> curve_of(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return std::nullopt;
  AgentCurve curve;
  const std::size_t n = (*json)["clock"].items().size();
  curve.clock = numbers_of((*json)["clock"], n);
  curve.believed_time = numbers_of((*json)["believed_time"], n);
  curve.believed_doubt = numbers_of((*json)["believed_doubt"], n);
  curve.believed_energy = numbers_of((*json)["believed_energy"], n);
  curve.found_time = numbers_of((*json)["found_time"], n);
  curve.found_doubt = numbers_of((*json)["found_doubt"], n);
  curve.found_energy = numbers_of((*json)["found_energy"], n);
  for (const Json& item : (*json)["tried"].items()) curve.tried.push_back(item.as_bool());
  curve.tried.resize(n);
  if ((*json)["settled"].is_number()) curve.settled = (*json)["settled"].as_number();
  return curve;
}

/// The goal in the policy's words; nothing for an agent that has none.
std::optional<EvaluationGoal> goal_of(const std::string& policy, const std::string& agent,
                                      const std::string& phi) {
  const auto json = parse_json(policy);
  if (!json) return std::nullopt;
  EvaluationGoal goal;
  if (const double bound = (*json)["MAX_SLOWDOWN"].as_number(kNan); std::isfinite(bound)) {
    goal.max_slowdown = bound;
    return goal;
  }
  goal.phi = (*json)[phi].as_number(kNan);
  if (std::isfinite(*goal.phi)) return goal;
  if (!agent.starts_with("frontier")) return std::nullopt;
  goal.phi = 0.5;  // what it takes when nothing is said
  return goal;
}

void read_host(const ReportHost& host, AgentStory& story) {
  story.seconds = host.application.runtime().value_or(kNan);
  story.joules = kNan;
  for (const auto& energy : story.part.energies) {
    const double joules = host.application.find(energy).value_or(kNan);
    if (std::isnan(joules)) continue;
    story.joules = std::isnan(story.joules) ? joules : story.joules + joules;
  }
  std::string words;
  for (const auto& [key, value] : host.agent_values) {
    if (key.starts_with(story.part.prefix + "Frontier Phase ")) words = value;
    if (!key.starts_with(story.part.prefix + "Frontier Curve ")) continue;
    if (auto curve = curve_of(value)) {
      curve->words = words;
      story.curves.push_back(std::move(*curve));
    }
  }
}

/// One row of the trace.
struct Moment {
  double time = kNan, asked = kNan;
  int state = 0;  ///< 0: the agent tells none
  int work = 0;   ///< 0: not known
};

struct Reason {
  std::string_view kind;  ///< empty: no decision
  std::string why;
};

std::string hertz(double clock) { return format_quantity(clock, "Hz", 4); }

/// From what the agent did to what it was for, by the states before and after.
Reason reason_of(const Moment& before, const Moment& now) {
  const bool moved = now.asked != before.asked && !std::isnan(now.asked);
  if (now.state == 0) {
    if (moved) return {"asks", fmt::format("asks for {}", hertz(now.asked))};
    return {};
  }
  if (now.state == before.state && now.work == before.work && !moved) return {};
  switch (now.state) {
    case kIdentify:
      if (before.state == kUnlike || before.state == kSettled || before.state == kProbe) {
        return {"other work", "what runs looks like other work: the top clock, to tell which"};
      }
      return {"identify", "measures the work at the top clock"};
    case kProbe:
      return {"probe",
              fmt::format("tries {}: what does it cost, what does it save?", hertz(now.asked))};
    case kSettled:
      if (before.state == kUnlike && now.work == before.work && !moved) {
        return {"dead band", "what is seen is within the dead band again: nothing changes"};
      }
      if (before.state == kUnlike) {
        return {"other work", fmt::format("work {}, met before: its clock, {}, at once", now.work,
                                          hertz(now.asked))};
      }
      if (before.state == kSettled && moved) {
        return {"settle", fmt::format("reviews what the bound leaves: {}", hertz(now.asked))};
      }
      return {"settle", fmt::format("settles at {}: of the clocks tried it serves the goal best",
                                    hertz(now.asked))};
    case kUnlike:
      return {"dead band", "what is seen leaves the dead band; one step more to be sure"};
    case kShelter:
      return {"other work",
              "work changes faster than it can be told apart: the top clock for a while"};
    case kBlind:
      // The first interval of a run has nothing to be compared with.
      if (before.state == 0) return {};
      return {"other work", "clock or power cannot be seen"};
    default:
      return {};
  }
}

Table decisions_of(const std::vector<Moment>& moments, AgentStory& story) {
  std::vector<double> time;
  std::vector<double> clock;
  std::vector<std::string> kind;
  std::vector<std::string> why;
  Moment before;
  for (const Moment& now : moments) {
    const bool moved = now.asked != before.asked && !std::isnan(now.asked);
    if (moved && !std::isnan(before.asked)) ++story.changes;
    if (auto reason = reason_of(before, now);
        !reason.kind.empty() && time.size() < kMostDecisions) {
      time.push_back(now.time);
      clock.push_back(now.asked);
      kind.emplace_back(reason.kind);
      why.push_back(std::move(reason.why));
    }
    before = now;
  }
  story.last_asked = before.asked;
  Table table;
  table.add_numbers("time", "s", std::move(time));
  table.add_numbers("clock", "Hz", std::move(clock));
  table.add_texts("kind", std::move(kind));
  table.add_texts("why", std::move(why));
  return table;
}

/// The column, or NaN in every row where the trace has none.
std::vector<double> column_of(const Table& table, std::string_view name) {
  const Column* column = table.find(name);
  if (column == nullptr || column->is_text()) return std::vector<double>(table.rows(), kNan);
  return column->numbers();
}

Result<void> read_samples(const Table& trace, AgentStory& story) {
  METE_TRY(const auto* told, trace.numbers("TIME"));
  std::vector<double> time(*told);
  const double start = time.empty() ? 0 : time.front();
  for (double& t : time) t -= start;
  const auto running = column_of(trace, story.part.clock);
  const auto power = column_of(trace, story.part.power);
  const auto asked = column_of(trace, story.part.asked);
  const auto state = column_of(trace, fmt::format("FRONTIER_STATE-{}-0", story.part.domain));
  const auto work = column_of(trace, fmt::format("FRONTIER_PHASE-{}-0", story.part.domain));
  const auto whole = [](double value) {
    return value >= 0 && value < 1e6 ? static_cast<int>(value) : 0;
  };
  std::vector<Moment> moments;
  for (std::size_t i = 0; i < time.size(); ++i) {
    moments.push_back({time[i], asked[i], whole(state[i]), whole(work[i])});
  }
  story.made = decisions_of(moments, story);
  story.samples.add_numbers("time", "s", std::move(time));
  story.samples.add_numbers("clock", "Hz", running);
  story.samples.add_numbers("asked", "Hz", asked);
  story.samples.add_numbers("power", "W", power);
  return {};
}

}  // namespace

Result<AgentStory> read_agent_story(const std::string& report, const std::string& trace) {
  METE_TRY(const ReportFile file, ReportFile::read(report));
  AgentStory story;
  METE_TRY(const Table samples, read_trace_table(trace));
  story.part = part_of(samples);
  story.agent = file.agent;
  story.goal = goal_of(file.policy, file.agent, story.part.phi);
  read_host(file.hosts.front(), story);
  METE_TRY_VOID(read_samples(samples, story));
  return story;
}

}  // namespace mete
