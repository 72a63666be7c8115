// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/torch_agent.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "mete/base/text.h"
#include "mete/control/agents/steered_domain.h"
#include "mete/control/clock_choice.h"
#include "mete/learn/clock_model.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kGiga = 1e9;
constexpr std::size_t kSignals = kClockModelInputs - 1;
/// libtorch's first calls for a number of rows take 25 ms: they are made before the loop starts.
constexpr int kWarmUps = 3;

enum PolicyIndex : std::size_t { kFreqMin, kFreqMax, kPhi, kPolicySize };

const std::array<ModelFeature, kClockModelInputs>& features_of(const SteeredKind& kind) {
  return kind.domain == Domain::package ? kCpuClockModelFeatures : kClockModelFeatures;
}

AgentInfo make_info(const SteeredKind& kind) {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  AgentInfo info;
  info.name = "torch";
  info.description = std::string(kTorchDescription);
  info.policy = {
      {kind.field("FREQ_MIN"), "lowest clock to choose; NAN: the device's lowest", "Hz", kNan, 0,
       kAny},
      {kind.field("FREQ_MAX"), "highest clock to choose; NAN: the device's highest", "Hz", kNan, 0,
       kAny},
      {kind.field("PHI"), "the goal: 0 performance .. 1 energy; NAN: 0.5", "1", 0.5, 0, 1}};
  info.domain = kind.domain;
  info.control = std::string(kind.control);
  info.period_seconds = 0.05;
  info.domains = steered_domains();
  for (std::size_t i = 0; i < kSignals; ++i) {
    info.signals.emplace_back(features_of(kind)[i].name);
  }
  return info;
}

/// A model that says what it was trained on must have been trained on what it will be shown.
Result<void> check_features(const Model& model, const SteeredKind& kind) {
  const auto& trained = model.metadata()["features"].items();
  if (trained.empty()) return {};
  const auto& shown = features_of(kind);
  const std::string first = trained.front()["name"].as_string();
  if (first == shown.front().name) return {};
  return fail(Errc::invalid,
              "the model was trained on {} and what follows it, but the agent torch steers a {} "
              "here, by {}; choose a model for it, or another --agent torch@domain",
              first, kind.label, shown.front().name);
}

/// One GPU's clock and what it takes to change it.
struct Part {
  ClockChoice choice;
  double dead_band = 0;     ///< Hz
  double current = kNan;    ///< the clock asked for last
  int direction = 0;        ///< +1 up, -1 down, 0 neither: where the last steps wanted to go
  int steps = 0;            ///< how many of them in a row
  std::uint64_t blind = 0;  ///< steps without an answer

  double decide(double wanted) noexcept {
    if (std::isnan(wanted)) {
      ++blind;
      direction = 0;
      steps = 0;
      return current = choice.top();
    }
    const double clock = choice.nearest(wanted);
    if (std::isnan(current)) return current = clock;
    const int way = std::abs(clock - current) <= dead_band ? 0 : (clock > current ? 1 : -1);
    steps = way != 0 && way == direction ? steps + 1 : 1;
    direction = way;
    if (way != 0 && steps >= kPersistence) {
      current = clock;
      direction = 0;
      steps = 0;
    }
    return current;
  }
};

class TorchAgent final : public Agent {
 public:
  TorchAgent(std::unique_ptr<Model> model, const SteeredKind& kind)
      : kind_(kind), info_(make_info(kind)), model_(std::move(model)) {}
  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    if (model_ == nullptr) {
      return fail(Errc::invalid,
                  "the agent torch needs a model: give --model FILE.pt, which `mete train` writes");
    }
    METE_TRY_VOID(check_features(*model_, kind_));
    if (policy.size() != kPolicySize) {
      return fail(Errc::invalid, "policy: the agent torch takes {} values", +kPolicySize);
    }
    if (!(policy[kPhi] >= 0 && policy[kPhi] <= 1)) {
      return fail(Errc::invalid, "policy: {} is {}, expected 0 (performance) to 1 (energy)",
                  info_.policy[kPhi].name, policy[kPhi]);
    }
    parts_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      Part part;
      METE_TRY(part.choice,
               ClockChoice::make(parts[i], i, policy[kFreqMin], policy[kFreqMax],
                                 info_.policy[kFreqMin].name, info_.policy[kFreqMax].name));
      part.dead_band = kDeadBandShare * (part.choice.top() - part.choice.bottom());
      parts_.push_back(std::move(part));
    }
    rows_.assign(parts_.size() * kClockModelInputs, 0.0);
    outputs_.assign(parts_.size(), kNan);
    for (int i = 0; i < kWarmUps; ++i) model_->predict(rows_, outputs_);
    return {};
  }

  void step(const Observation& observation, PolicyValues policy,
            std::span<double> decisions) noexcept override {
    const std::size_t parts = std::min({observation.parts, parts_.size(), decisions.size()});
    for (std::size_t p = 0; p < parts; ++p) {
      const auto row = observation.row(p);
      auto* const out = &rows_[p * kClockModelInputs];
      for (std::size_t i = 0; i < kSignals; ++i) out[i] = i < row.size() ? row[i] : kNan;
      out[kSignals] = policy[kPhi];
    }
    model_->predict(rows_, outputs_);
    for (std::size_t p = 0; p < parts; ++p) {
      // A model that others wrote may make a number even of a missing value.
      const auto* const row = &rows_[p * kClockModelInputs];
      const bool seen = std::all_of(row, row + kSignals, [](double v) { return std::isfinite(v); });
      decisions[p] = parts_[p].decide(seen ? kGiga * outputs_[p] : kNan);
    }
  }

  std::vector<std::pair<std::string, std::string>> report_lines() const override {
    std::vector<std::pair<std::string, std::string>> lines;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      if (parts_[p].blind == 0) continue;
      lines.emplace_back(fmt::format("{} {} Steps Without An Answer", kind_.label, p),
                         fmt::format("{}", parts_[p].blind));
    }
    return lines;
  }

 private:
  const SteeredKind& kind_;
  AgentInfo info_;
  std::unique_ptr<Model> model_;
  std::vector<Part> parts_;
  std::vector<double> rows_;
  std::vector<double> outputs_;
};

}  // namespace

Result<std::unique_ptr<Agent>> make_torch_agent(const AgentContext& context) {
  std::unique_ptr<Model> model;
  if (!context.model_path.empty()) {
    METE_TRY(model, load_model(context.model_path));
  }
  return make_model_agent(std::move(model), context.domain);
}

std::unique_ptr<Agent> make_model_agent(std::unique_ptr<Model> model, Domain domain) {
  return std::make_unique<TorchAgent>(std::move(model), steered_kind(domain));
}

}  // namespace mete
