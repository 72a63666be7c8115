// `mete.execution/1`: an execution plan as JSON. Places are one number: the offset, and -1 - offset
// in slow memory. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <charconv>
#include <cmath>

#include "mete/base/json.h"
#include "mete/execute/execution_plan.h"

namespace mete {
namespace {

constexpr std::string_view kFormat = "mete.execution/1";
constexpr std::string_view kKinds[] = {"run", "copy", "begin", "wait"};
constexpr std::size_t kMostSteps = 8'000'000;
constexpr std::int64_t kMostOffset = std::int64_t{1} << 60;

Json json_of(PoolPlace place) {
  const auto offset = static_cast<std::int64_t>(place.offset);
  return place.fast ? offset : -1 - offset;
}

Json json_of(const std::vector<PoolPlace>& places) {
  Json out = Json::array();
  for (const auto& place : places) out.push(json_of(place));
  return out;
}

Json json_of(const std::vector<HeldTensor>& held) {
  Json out = Json::array();
  for (const auto& h : held) {
    out.push(Json::object({{"tensor", std::int64_t{h.tensor}}, {"at", json_of(h.place)}}));
  }
  return out;
}

Json json_of(const PlanStep& step) {
  Json out = Json::object({{"do", kKinds[static_cast<std::size_t>(step.kind)]}});
  if (step.kind == StepKind::run) {
    out.set("node", std::int64_t{step.node});
    out.set("inputs", json_of(step.inputs));
    out.set("outputs", json_of(step.outputs));
  } else if (step.kind != StepKind::wait) {
    out.set("tensor", std::int64_t{step.tensor});
    out.set("from", json_of(step.from));
    out.set("to", json_of(step.to));
    out.set("bytes", static_cast<std::int64_t>(step.bytes));
  }
  if (step.predicted_seconds > 0) out.set("predicted_seconds", step.predicted_seconds);
  return out;
}

Json json_of(const ProfileEnvironment& environment) {
  return Json::object({{"machine", environment.machine},
                       {"libraries", environment.libraries},
                       {"fast_tier", environment.fast_tier},
                       {"slow_tier", environment.slow_tier},
                       {"emulated", environment.emulated},
                       {"threads", environment.threads}});
}

/// Only shown and compared, so that nothing in it can be wrong; older files have none.
ProfileEnvironment read_environment(const Json& json) {
  const std::int64_t threads = json["threads"].as_integer(1);
  return {.machine = json["machine"].as_string(),
          .libraries = json["libraries"].as_string(),
          .fast_tier = json["fast_tier"].as_string(),
          .slow_tier = json["slow_tier"].as_string(),
          .emulated = json["emulated"].as_bool(),
          .threads = static_cast<int>(std::clamp<std::int64_t>(threads, 1, 1 << 20))};
}

class ExecutionReader {
 public:
  explicit ExecutionReader(std::string where) : where_(std::move(where)) {}

  Result<ExecutionPlan> read(const Json& json) {
    if (json["format"].as_string() != kFormat) {
      return refuse(fmt::format("expected \"format\": \"{}\"", kFormat));
    }
    ExecutionPlan plan;
    plan.graph = json["graph"].as_string();
    plan.solver = json["solver"].as_string();
    METE_TRY(plan.shapes, digest_of(json["shapes"].as_string()));
    METE_TRY(plan.fast_bytes, size_of(json["fast_bytes"], "fast_bytes"));
    METE_TRY(plan.slow_bytes, size_of(json["slow_bytes"], "slow_bytes"));
    METE_TRY(plan.predicted_seconds, seconds_of(json["predicted_seconds"]));
    plan.predicted_in = read_environment(json["predicted_in"]);
    METE_TRY(plan.begins, held_of(json["begins"], "begins"));
    METE_TRY(plan.results, held_of(json["results"], "results"));
    const auto& steps = json["steps"].items();
    if (!json["steps"].is_array() || steps.size() > kMostSteps) {
      return refuse("expected a list of steps");
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      at_ = fmt::format("step {}", i);
      METE_TRY(auto step, step_of(steps[i]));
      plan.steps.push_back(std::move(step));
    }
    return plan;
  }

 private:
  [[nodiscard]] Error refuse(std::string_view what) const {
    return at_.empty() ? fail(Errc::invalid, "{}: {}", where_, what)
                       : fail(Errc::invalid, "{}: {}: {}", where_, at_, what);
  }

  Result<std::uint64_t> size_of(const Json& json, std::string_view name) const {
    if (!json.is_integer() || json.as_integer() < 0 || json.as_integer() > kMostOffset) {
      return refuse(fmt::format("{}: expected a number of bytes", name));
    }
    return static_cast<std::uint64_t>(json.as_integer());
  }

  Result<std::uint64_t> digest_of(const std::string& text) const {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size()) {
      return refuse("shapes: expected 16 hexadecimal digits");
    }
    return value;
  }

  Result<double> seconds_of(const Json& json) const {
    const double seconds = json.as_number();
    if ((!json.is_null() && !json.is_number()) || !(seconds >= 0) || !std::isfinite(seconds)) {
      return refuse("predicted_seconds: expected a time");
    }
    return seconds;
  }

  Result<std::uint32_t> number_of(const Json& json, std::string_view name) const {
    if (!json.is_integer() || json.as_integer() < 0 || json.as_integer() >= kNoTensor) {
      return refuse(fmt::format("{}: expected a number from 0", name));
    }
    return static_cast<std::uint32_t>(json.as_integer());
  }

  Result<PoolPlace> place_of(const Json& json, std::string_view name) const {
    if (!json.is_integer() || json.as_integer() > kMostOffset ||
        json.as_integer() < -1 - kMostOffset) {
      return refuse(fmt::format("{}: expected a place", name));
    }
    const std::int64_t at = json.as_integer();
    return PoolPlace{at >= 0, static_cast<std::uint64_t>(at >= 0 ? at : -1 - at)};
  }

  Result<std::vector<PoolPlace>> places_of(const Json& json, std::string_view name) const {
    if (!json.is_array()) return refuse(fmt::format("{}: expected a list of places", name));
    std::vector<PoolPlace> out;
    for (const auto& item : json.items()) {
      METE_TRY(const auto place, place_of(item, name));
      out.push_back(place);
    }
    return out;
  }

  Result<std::vector<HeldTensor>> held_of(const Json& json, std::string_view name) const {
    if (!json.is_array()) return refuse(fmt::format("expected a list of {}", name));
    std::vector<HeldTensor> out;
    for (const auto& item : json.items()) {
      HeldTensor held;
      METE_TRY(held.tensor, number_of(item["tensor"], name));
      METE_TRY(held.place, place_of(item["at"], name));
      out.push_back(held);
    }
    return out;
  }

  Result<PlanStep> step_of(const Json& json) const {
    PlanStep step;
    const std::string kind = json["do"].as_string();
    std::size_t k = 0;
    while (k < std::size(kKinds) && kKinds[k] != kind) ++k;
    if (k == std::size(kKinds)) return refuse("do: expected run, copy, begin or wait");
    step.kind = static_cast<StepKind>(k);
    METE_TRY(step.predicted_seconds, seconds_of(json["predicted_seconds"]));
    if (step.kind == StepKind::run) {
      METE_TRY(step.node, number_of(json["node"], "node"));
      METE_TRY(step.inputs, places_of(json["inputs"], "inputs"));
      METE_TRY(step.outputs, places_of(json["outputs"], "outputs"));
    } else if (step.kind != StepKind::wait) {
      METE_TRY(step.tensor, number_of(json["tensor"], "tensor"));
      METE_TRY(step.from, place_of(json["from"], "from"));
      METE_TRY(step.to, place_of(json["to"], "to"));
      METE_TRY(step.bytes, size_of(json["bytes"], "bytes"));
    }
    return step;
  }

  std::string where_;
  std::string at_;
};

void mix(std::uint64_t& hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x100000001B3ULL;  // FNV-1a, word by word
  hash ^= hash >> 32U;
}

}  // namespace

std::uint64_t shape_digest(const Graph& graph) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const auto& tensor : graph.tensors) {
    mix(hash, static_cast<std::uint64_t>(tensor.type.type));
    mix(hash, tensor.type.shape.rank());
    for (std::size_t axis = 0; axis < tensor.type.shape.rank(); ++axis) {
      mix(hash, static_cast<std::uint64_t>(tensor.type.shape[axis]));
    }
  }
  for (const auto& node : graph.nodes) {
    for (const char c : node.op->name) mix(hash, static_cast<unsigned char>(c));
    for (const auto id : node.inputs) mix(hash, id);
    for (const auto id : node.outputs) mix(hash, id);
  }
  return hash;
}

std::string execution_text(const ExecutionPlan& plan) {
  Json steps = Json::array();
  for (const auto& step : plan.steps) steps.push(json_of(step));
  const Json json = Json::object({{"format", kFormat},
                                  {"graph", plan.graph},
                                  {"shapes", fmt::format("{:016x}", plan.shapes)},
                                  {"solver", plan.solver},
                                  {"fast_bytes", static_cast<std::int64_t>(plan.fast_bytes)},
                                  {"slow_bytes", static_cast<std::int64_t>(plan.slow_bytes)},
                                  {"predicted_seconds", plan.predicted_seconds},
                                  {"predicted_in", json_of(plan.predicted_in)},
                                  {"begins", json_of(plan.begins)},
                                  {"results", json_of(plan.results)},
                                  {"steps", std::move(steps)}});
  return json.dump(-1) + "\n";
}

Result<ExecutionPlan> parse_execution(std::string_view text, const std::string& where) {
  const auto json = parse_json(text);
  if (!json) return json.error().within(where);
  return ExecutionReader(where).read(*json);
}

}  // namespace mete
