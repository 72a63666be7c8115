// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_agent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/control/agents/frontier_part.h"
#include "mete/control/agents/steered_domain.h"
#include "mete/control/clock_choice.h"
#include "mete/learn/response_estimate.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kDefaultPhi = 0.5;
/// Clocks tried of a device that takes any clock between two.
constexpr std::size_t kContinuousClocks = 64;

AgentInfo make_info(const SteeredKind& kind, const FrontierColumns& columns) {
  AgentInfo info;
  info.name = "frontier";
  info.description = std::string(kFrontierDescription);
  info.policy = {
      {kind.field("PHI"), "0: fastest; 1: least energy; NAN: 0.5, unless MAX_SLOWDOWN is given",
       "1", kNan, 0, 1},
      {"MAX_SLOWDOWN", "the least energy that is at most this fraction slower than the top clock",
       "1", kNan, 0, 10},
  };
  info.domain = kind.domain;
  info.domains = steered_domains();
  info.signals = columns.needed;
  info.optional_signals = columns.optional;
  info.control = std::string(kind.control);
  info.period_seconds = 0.05;
  return info;
}

/// The clocks that may be chosen, ascending: at most kMostClocks, the lowest and highest among
/// them.
std::vector<double> candidates(const PartLimits& part) {
  std::vector<double> out;
  const std::size_t have = part.supported.size();
  if (have > 0 && have <= kMostClocks) return part.supported;
  const std::size_t n = have > 0 ? kMostClocks : kContinuousClocks;
  for (std::size_t i = 0; i < n; ++i) {
    const double place = static_cast<double>(i) / static_cast<double>(n - 1);
    if (have > 0) {
      const double at = std::round(place * static_cast<double>(have - 1));
      out.push_back(part.supported[static_cast<std::size_t>(at)]);
    } else {
      out.push_back(part.min + place * (part.max - part.min));
    }
  }
  return out;
}

std::string change_words(double log_ratio) {
  return fmt::format("{:+.1f} %", 100 * (std::exp(log_ratio) - 1));
}

/// From 1, as the report counts phases; NaN while it is not known.
double phase_number(const FrontierPart& part) noexcept {
  if (part.phase() >= part.phases().size()) return kNan;
  double number = 1;
  for (std::size_t i = 0; i < part.phase(); ++i) number += part.phases()[i].used ? 1 : 0;
  return number;
}

class FrontierAgent final : public Agent {
 public:
  FrontierAgent(std::shared_ptr<const ResponseModel> model, const SteeredKind& kind)
      : kind_(kind),
        columns_(frontier_columns(kind.domain)),
        info_(make_info(kind, columns_)),
        model_(std::move(model)) {}

  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    if (policy.size() != 2) {
      return fail(Errc::invalid, "policy: the agent frontier takes {} and MAX_SLOWDOWN",
                  kind_.field("PHI"));
    }
    if (!std::isnan(policy[0]) && !std::isnan(policy[1])) {
      return fail(Errc::invalid,
                  "policy: {} and MAX_SLOWDOWN are two ways to say one thing: give one",
                  kind_.field("PHI"));
    }
    goal_.phi = std::isnan(policy[1]) && std::isnan(policy[0]) ? kDefaultPhi : policy[0];
    goal_.max_slowdown = policy[1];
    parts_.clear();
    std::shared_ptr<const ResponseTable> table;
    std::vector<double> before;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // Checks that the device has a range at all.
      METE_TRY_VOID(ClockChoice::make(parts[i], i, kNan, kNan, "", ""));
      auto clocks = candidates(parts[i]);
      if (!(clocks.front() > 0) || !std::isfinite(clocks.back())) {
        return fail(Errc::unsupported, "{} {}: its clocks are not known", kind_.label, i);
      }
      if (clocks != before) {  // GPUs of one kind share a table
        std::vector<double> shares;
        for (const double clock : clocks) shares.push_back(clock / clocks.back());
        table = std::make_shared<const ResponseTable>(*model_, shares);
        before = clocks;
      }
      parts_.emplace_back(table, std::move(clocks), goal_, columns_);
    }
    return {};
  }

  void step(const Observation& observation, PolicyValues /*policy*/,
            std::span<double> decisions) noexcept override {
    const std::size_t n = std::min({decisions.size(), parts_.size(), observation.parts});
    for (std::size_t i = 0; i < n; ++i) {
      decisions[i] = parts_[i].step(observation.time, observation.row(i));
    }
  }

  std::vector<std::pair<std::string, std::string>> report_lines() const override;

  std::vector<std::string> trace_columns() const override {
    std::vector<std::string> columns;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (const auto* name : {"FRONTIER_STATE", "FRONTIER_PHASE"}) {
        columns.push_back(fmt::format("{}-{}-{}", name, domain_name(info_.domain), i));
      }
    }
    return columns;
  }

  void trace_values(std::span<double> out) const noexcept override {
    for (std::size_t i = 0; i < parts_.size() && 2 * i + 1 < out.size(); ++i) {
      const FrontierPart& part = parts_[i];
      out[2 * i] = static_cast<double>(part.state());
      out[2 * i + 1] = phase_number(part);
    }
  }

 private:
  const SteeredKind& kind_;
  FrontierColumns columns_;
  AgentInfo info_;
  std::shared_ptr<const ResponseModel> model_;
  FrontierGoal goal_;
  std::vector<FrontierPart> parts_;
};

std::string phase_words(const FrontierPhase& phase, const std::vector<double>& clocks) {
  const std::size_t at = phase.choice;
  const std::string clock = format_quantity(clocks[at], "Hz", 4);
  const std::string seen = fmt::format("{} clocks tried in {} steps, met {} time{}", phase.tried,
                                       phase.steps, phase.visits, phase.visits == 1 ? "" : "s");
  if (!phase.done) return fmt::format("not settled; {}", seen);
  if (at + 1 == clocks.size()) return fmt::format("{}, the top clock; {}", clock, seen);
  const ResponseAnswer& before = phase.believed[at];
  const ResponseAnswer& found = phase.estimate.at(at);
  return fmt::format(
      "{}; believed time {} ± {:.1f} points, energy {}; found time {} ± {:.1f} points, energy {}; "
      "{}",
      clock, change_words(before.log_time), 100 * before.doubt,
      change_words(before.log_time + before.log_power), change_words(found.log_time),
      100 * found.doubt, change_words(found.log_time + found.log_power), seen);
}

/// To four decimals: changes are never known better.
double short_change(double log_ratio) { return std::round((std::exp(log_ratio) - 1) * 1e4) / 1e4; }

/// What was believed of every clock after the highest alone, and what was found, as one line of
/// JSON: changes of time and energy against the highest clock, as fractions.
std::string curve_json(const FrontierPhase& phase, const std::vector<double>& clocks) {
  Json out = Json::object();
  constexpr std::array kNames{"believed_time", "believed_doubt", "believed_energy",
                              "found_time",    "found_doubt",    "found_energy"};
  std::array<Json, kNames.size()> columns;
  Json tried = Json::array();
  Json hertz = Json::array();
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    std::size_t at = 0;
    for (const ResponseAnswer& a : {phase.believed[i], phase.estimate.at(i)}) {
      columns.at(at++).push(short_change(a.log_time));
      columns.at(at++).push(std::round(a.doubt * 1e4) / 1e4);
      columns.at(at++).push(short_change(a.log_time + a.log_power));
    }
    tried.push(phase.known[i]);
    hertz.push(clocks[i]);
  }
  out.set("clock", std::move(hertz));
  for (std::size_t i = 0; i < kNames.size(); ++i) out.set(kNames.at(i), std::move(columns.at(i)));
  out.set("tried", std::move(tried));
  out.set("settled", phase.done ? Json(clocks[phase.choice]) : Json());
  return out.dump(-1);
}

std::vector<std::pair<std::string, std::string>> FrontierAgent::report_lines() const {
  std::vector<std::pair<std::string, std::string>> lines;
  lines.emplace_back("Frontier Goal",
                     goal_.bounded()
                         ? fmt::format("at most {} slower", format_percent(goal_.max_slowdown))
                         : fmt::format("phi {:.4g}", goal_.phi));
  lines.emplace_back("Frontier Model", model_->source());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const FrontierPart& part = parts_[i];
    const std::string label = fmt::format("{} {} Frontier ", kind_.label, i);
    lines.emplace_back(label + "Changes Of Work", fmt::format("{}", part.changes()));
    if (part.shelters() > 0) {
      lines.emplace_back(label + "Shelters", fmt::format("{}", part.shelters()));
    }
    std::size_t number = 0;
    for (const FrontierPhase& phase : part.phases()) {
      if (!phase.used) continue;
      lines.emplace_back(label + fmt::format("Phase {}", ++number),
                         phase_words(phase, part.clocks()));
      lines.emplace_back(label + fmt::format("Curve {}", number), curve_json(phase, part.clocks()));
    }
  }
  return lines;
}

}  // namespace

Result<std::unique_ptr<Agent>> make_frontier_agent(const AgentContext& context) {
  std::shared_ptr<const ResponseModel> model = context.response;
  if (!model && !context.model_path.empty()) {
    METE_TRY(auto loaded, load_response_model(context.model_path));
    model = std::make_shared<const ResponseModel>(std::move(loaded));
  }
  if (!model) model = std::make_shared<const ResponseModel>(ResponseModel::generic());
  return std::unique_ptr<Agent>(
      std::make_unique<FrontierAgent>(std::move(model), steered_kind(context.domain)));
}

}  // namespace mete
