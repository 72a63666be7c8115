// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/ffnet_agent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "mete/base/text.h"
#include "mete/control/clock_choice.h"
#include "mete/signal/info.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

AgentInfo make_info() {
  return {
      .name = "ffnet",
      .description = std::string(kFfnetDescription),
      .policy = {{"PERF_ENERGY_BIAS", "the goal: 0 performance .. 1 energy; NAN: 0", "1", 0, 0, 1}},
      .domain = Domain::gpu,
      .signals = {},
      .control = "GPU_CORE_FREQUENCY_MAX_CONTROL",
      .period_seconds = 0.02};
}

/// The column of an observation that carries the signal; a network may name one twice, or by names
/// of two generations.
std::size_t column_of(std::vector<std::string>& signals, std::string_view name) {
  const auto canonical = canonical_name(name);
  const auto found = std::find(signals.begin(), signals.end(), canonical);
  const auto column = static_cast<std::size_t>(found - signals.begin());
  if (found == signals.end()) signals.emplace_back(canonical);
  return column;
}

/// A delta input of one part: its two columns, and what they showed last.
struct Delta {
  std::size_t numerator = 0;
  std::size_t denominator = 0;
  double last_numerator = kNan;
  double last_denominator = kNan;

  /// NaN at the first step, and for the step after one without a reading.
  double next(double n, double d) noexcept {
    const double change = (n - last_numerator) / (d - last_denominator);
    last_numerator = n;
    last_denominator = d;
    return change;
  }
};

class FfnetAgent final : public Agent {
 public:
  FfnetAgent() = default;
  FfnetAgent(FeedForwardNet net, FrequencyMap map)
      : net_(std::move(net)), map_(std::move(map)), ready_(true) {
    for (const auto& name : net_.signal_inputs()) {
      columns_.push_back(column_of(info_.signals, name));
    }
    for (const auto& input : net_.delta_inputs()) {
      Delta delta;
      delta.numerator = column_of(info_.signals, input.numerator);
      delta.denominator = column_of(info_.signals, input.denominator);
      deltas_.push_back(delta);
    }
    for (const auto& region : net_.outputs()) regions_.push_back(map_.find(region));
    inputs_.assign(net_.inputs(), kNan);
    clocks_.assign(regions_.size(), kNan);
  }
  const AgentInfo& info() const override { return info_; }
  bool knows_any_region() const {
    return std::any_of(regions_.begin(), regions_.end(),
                       [](const auto* r) { return r != nullptr; });
  }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    if (!ready_) {
      return fail(Errc::invalid,
                  "the agent ffnet needs a network and its frequency map: give --model NET.json "
                  "and --frequency-map MAP.json, in GEOPM's forms");
    }
    if (policy.size() != 1) {
      return fail(Errc::invalid, "policy: the agent ffnet takes PERF_ENERGY_BIAS");
    }
    if (policy[0] < 0 || policy[0] > 1) {
      return fail(Errc::invalid,
                  "policy: PERF_ENERGY_BIAS is {}, expected 0 (performance) to 1 (energy)",
                  policy[0]);
    }
    choices_.clear();
    part_deltas_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      METE_TRY(auto choice, ClockChoice::make(parts[i], i, kNan, kNan, "", ""));
      choices_.push_back(std::move(choice));
      part_deltas_.insert(part_deltas_.end(), deltas_.begin(), deltas_.end());
    }
    logits_.assign(parts.size() * regions_.size(), kNan);
    blind_.assign(parts.size(), 0);
    return {};
  }

  void step(const Observation& observation, PolicyValues policy,
            std::span<double> decisions) noexcept override {
    const std::size_t parts = std::min({observation.parts, choices_.size(), decisions.size()});
    for (std::size_t p = 0; p < parts; ++p) {
      look(p, observation.row(p));
      const auto logits = std::span(logits_).subspan(p * regions_.size(), regions_.size());
      net_.forward(inputs_, logits);
      for (std::size_t r = 0; r < regions_.size(); ++r) {
        clocks_[r] =
            regions_[r] == nullptr ? choices_[p].top() : frequency_at(*regions_[r], policy[0]);
      }
      const double wanted = mix_frequencies(logits, clocks_);
      blind_[p] += std::isnan(wanted) ? 1U : 0U;
      decisions[p] = std::isnan(wanted) ? kNan : choices_[p].nearest(wanted);
    }
  }

  /// GEOPM's names: `<output>_gpu_<N>`, the raw scores.
  std::vector<std::string> trace_columns() const override {
    std::vector<std::string> columns;
    for (std::size_t p = 0; p < choices_.size(); ++p) {
      for (const auto& name : net_.outputs()) columns.push_back(fmt::format("{}_gpu_{}", name, p));
    }
    return columns;
  }
  void trace_values(std::span<double> out) const noexcept override {
    std::copy_n(logits_.begin(), std::min(out.size(), logits_.size()), out.begin());
  }

  std::vector<std::pair<std::string, std::string>> report_lines() const override {
    std::vector<std::pair<std::string, std::string>> lines;
    std::vector<std::string> unknown;
    for (std::size_t r = 0; r < regions_.size(); ++r) {
      if (regions_[r] == nullptr) unknown.push_back(net_.outputs()[r]);
    }
    if (!unknown.empty()) lines.emplace_back("Regions At The Top Clock", join(unknown, ", "));
    for (std::size_t p = 0; p < blind_.size(); ++p) {
      if (blind_[p] == 0) continue;
      lines.emplace_back(fmt::format("GPU {} Steps Without An Answer", p),
                         fmt::format("{}", blind_[p]));
    }
    return lines;
  }

 private:
  /// Fills inputs_ from one part's row.
  void look(std::size_t part, std::span<const double> row) noexcept {
    const auto at = [row](std::size_t column) { return column < row.size() ? row[column] : kNan; };
    std::size_t i = 0;
    for (const auto column : columns_) inputs_[i++] = at(column);
    for (std::size_t d = 0; d < deltas_.size(); ++d) {
      Delta& delta = part_deltas_[part * deltas_.size() + d];
      inputs_[i++] = delta.next(at(delta.numerator), at(delta.denominator));
    }
  }

  AgentInfo info_ = make_info();
  FeedForwardNet net_;
  FrequencyMap map_;
  bool ready_ = false;
  std::vector<std::size_t> columns_;                 ///< [signal input]
  std::vector<Delta> deltas_;                        ///< as they start
  std::vector<const std::vector<double>*> regions_;  ///< [output] its clocks in map_, or nullptr
  std::vector<ClockChoice> choices_;                 ///< [part]
  std::vector<Delta> part_deltas_;                   ///< [part * deltas + delta]
  std::vector<double> inputs_;
  std::vector<double> clocks_;  ///< [output] at the present phi
  std::vector<double> logits_;  ///< [part * outputs + output]
  std::vector<std::uint64_t> blind_;
};

}  // namespace

Result<std::unique_ptr<Agent>> make_ffnet_agent(const AgentContext& context) {
  if (context.model_path.empty() && context.frequency_map_path.empty()) {
    return std::unique_ptr<Agent>(std::make_unique<FfnetAgent>());
  }
  if (context.model_path.empty() || context.frequency_map_path.empty()) {
    return fail(Errc::invalid, "the agent ffnet needs {} too",
                context.model_path.empty() ? "its network: give --model NET.json"
                                           : "the network's map: give --frequency-map MAP.json");
  }
  METE_TRY(auto net, FeedForwardNet::load(context.model_path));
  METE_TRY(auto map, FrequencyMap::load(context.frequency_map_path));
  auto made = make_ffnet_agent(std::move(net), std::move(map));
  if (!made) return made.error().within(context.frequency_map_path);
  return made;
}

Result<std::unique_ptr<Agent>> make_ffnet_agent(FeedForwardNet net, FrequencyMap map) {
  const auto expected = join(net.outputs(), ", ");
  auto agent = std::make_unique<FfnetAgent>(std::move(net), std::move(map));
  if (!agent->knows_any_region()) {
    return fail(Errc::invalid, "no clocks for any of the network's outputs; expected some of {}",
                expected);
  }
  return std::unique_ptr<Agent>(std::move(agent));
}

}  // namespace mete
