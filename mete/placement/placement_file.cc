// Reads and writes mete.placement/1. What is read is judged before it is believed.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "mete/placement/placement.h"

namespace mete {
namespace {

constexpr std::string_view kFormat = "mete.placement/1";
// The file's seconds are shortest-form doubles of a sum made in another order.
constexpr double kSecondsTolerance = 1e-9;

Json bits_json(const std::vector<std::uint8_t>& bits) {
  Json out = Json::array();
  for (const auto bit : bits) out.push(static_cast<int>(bit));
  return out;
}

Json figures_json(const PlanFigures& f) {
  return Json::object({{"format", kFormat},
                       {"problem", f.problem},
                       {"source", f.source},
                       {"solver", f.solver},
                       {"seed", std::to_string(f.seed)},
                       {"limit_bytes", static_cast<std::int64_t>(f.limit_bytes)},
                       {"peak_bytes", static_cast<std::int64_t>(f.peak_bytes)},
                       {"seconds", f.seconds},
                       {"all_fast_seconds", f.all_fast_seconds},
                       {"lower_bound_seconds", f.lower_bound_seconds},
                       {"gap", f.gap}});
}

using IndexOfId = std::unordered_map<std::int64_t, std::uint32_t>;

IndexOfId index_of(const Problem& problem) {
  IndexOfId index;
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    index.emplace(static_cast<std::int64_t>(problem.tensors[t].id), static_cast<std::uint32_t>(t));
  }
  return index;
}

Result<std::vector<std::uint8_t>> bits_of(const Json& json) {
  if (!json.is_array()) return fail(Errc::invalid, "expected in_fast and kept_fast, lists of 0/1");
  std::vector<std::uint8_t> out;
  for (const Json& item : json.items()) {
    const auto bit = item.as_integer(-1);
    if (bit != 0 && bit != 1) return fail(Errc::invalid, "a value is neither 0 nor 1");
    out.push_back(static_cast<std::uint8_t>(bit));
  }
  return out;
}

Result<std::uint64_t> count_of(const Json& json, std::string_view key) {
  const Json& value = json[key];
  if (!value.is_integer() || value.as_integer() < 0) {
    return fail(Errc::invalid, "expected {}, a number from 0", key);
  }
  return static_cast<std::uint64_t>(value.as_integer());
}

Result<double> number_of(const Json& json, std::string_view key) {
  if (!json[key].is_number()) return fail(Errc::invalid, "expected {}, a number", key);
  return json[key].as_number();
}

Result<void> read_tensors(const Json& list, const IndexOfId& index, Placement& placement) {
  if (!list.is_array()) return fail(Errc::invalid, "expected tensors, a list");
  std::vector<bool> seen(placement.tensors.size(), false);
  std::size_t i = 0;
  for (const Json& item : list.items()) {
    const auto found = index.find(item["id"].as_integer(-1));
    if (found == index.end() || seen[found->second]) {
      return fail(Errc::invalid,
                  "tensors[{}]: its id is not in the problem, or was given before; is this the "
                  "plan of another problem?",
                  i);
    }
    seen[found->second] = true;
    auto& place = placement.tensors[found->second];
    auto in_fast = bits_of(item["in_fast"]);
    auto kept_fast = bits_of(item["kept_fast"]);
    if (!in_fast) return in_fast.error().within(fmt::format("tensors[{}]", i));
    if (!kept_fast) return kept_fast.error().within(fmt::format("tensors[{}]", i));
    place.in_fast = std::move(*in_fast);
    place.kept_fast = std::move(*kept_fast);
    ++i;
  }
  return {};
}

Result<void> read_chunks(const Json& list, const IndexOfId& index, Placement& placement) {
  for (const Json& item : list.items()) {
    const auto where = fmt::format("chunks[{}]", placement.chunks.size());
    const auto found = index.find(item["tensor"].as_integer(-1));
    const auto direction = item["to"].as_string();
    if (found == index.end() || (direction != "fast" && direction != "slow")) {
      return fail(Errc::invalid, "{}: expected a tensor of the problem, and to: fast or slow",
                  where);
    }
    MoveChunk chunk{.tensor = found->second, .to_fast = direction == "fast"};
    const auto gap = count_of(item, "gap");
    const auto kernel = count_of(item, "kernel");
    const auto bytes = count_of(item, "bytes");
    for (const auto* number : {&gap, &kernel, &bytes}) {
      if (!*number) return number->error().within(where);
    }
    if (*gap >= kMostProblemKernels || *kernel >= kMostProblemKernels) {
      return fail(Errc::invalid, "{}: no such gap or kernel", where);
    }
    chunk.gap = static_cast<std::uint32_t>(*gap);
    chunk.kernel = static_cast<std::uint32_t>(*kernel);
    chunk.bytes = *bytes;
    placement.chunks.push_back(chunk);
  }
  return {};
}

Result<PlanFigures> figures_of(const Json& json) {
  PlanFigures f;
  f.problem = json["problem"].as_string();
  f.source = json["source"].as_string();
  f.solver = json["solver"].as_string();
  f.seed = std::strtoull(json["seed"].as_string().c_str(), nullptr, 10);
  METE_TRY(f.limit_bytes, count_of(json, "limit_bytes"));
  METE_TRY(f.peak_bytes, count_of(json, "peak_bytes"));
  METE_TRY(f.seconds, number_of(json, "seconds"));
  METE_TRY(f.all_fast_seconds, number_of(json, "all_fast_seconds"));
  METE_TRY(f.lower_bound_seconds, number_of(json, "lower_bound_seconds"));
  METE_TRY(f.gap, number_of(json, "gap"));
  return f;
}

Result<StoredPlan> plan_of(const Json& json, const Problem& problem) {
  if (json["format"].as_string() != kFormat) {
    return fail(Errc::invalid, "expected a placement (\"format\": \"{}\")", kFormat);
  }
  StoredPlan plan;
  METE_TRY(plan.figures, figures_of(json));
  plan.placement.tensors.resize(problem.tensors.size());
  const auto index = index_of(problem);
  METE_TRY_VOID(read_tensors(json["tensors"], index, plan.placement));
  METE_TRY_VOID(read_chunks(json["chunks"], index, plan.placement));
  METE_TRY(const auto verdict, validate(problem, plan.placement, plan.figures.limit_bytes));
  if (verdict.peak_bytes != plan.figures.peak_bytes ||
      !(std::abs(verdict.seconds - plan.figures.seconds) <=
        kSecondsTolerance * std::max(1.0, verdict.seconds))) {
    return fail(Errc::invalid,
                "says {} s and {} bytes, but this placement takes {} s and {} bytes; is this the "
                "plan of another problem?",
                plan.figures.seconds, plan.figures.peak_bytes, verdict.seconds, verdict.peak_bytes);
  }
  return plan;
}

}  // namespace

std::string placement_text(const Problem& problem, const StoredPlan& plan) {
  Json json = figures_json(plan.figures);
  Json tensors = Json::array();
  for (std::size_t t = 0; t < plan.placement.tensors.size(); ++t) {
    const auto& place = plan.placement.tensors[t];
    tensors.push(Json::object({{"id", static_cast<std::int64_t>(problem.tensors[t].id)},
                               {"in_fast", bits_json(place.in_fast)},
                               {"kept_fast", bits_json(place.kept_fast)}}));
  }
  json.set("tensors", std::move(tensors));
  if (!plan.placement.chunks.empty()) {
    Json chunks = Json::array();
    for (const auto& chunk : plan.placement.chunks) {
      chunks.push(
          Json::object({{"tensor", static_cast<std::int64_t>(problem.tensors[chunk.tensor].id)},
                        {"gap", static_cast<std::int64_t>(chunk.gap)},
                        {"to", chunk.to_fast ? "fast" : "slow"},
                        {"kernel", static_cast<std::int64_t>(chunk.kernel)},
                        {"bytes", static_cast<std::int64_t>(chunk.bytes)}}));
    }
    json.set("chunks", std::move(chunks));
  }
  return json.dump(-1) + "\n";
}

Result<StoredPlan> parse_placement(std::string_view text, const Problem& problem,
                                   const std::string& where) {
  const auto json = parse_json(text);
  if (!json) return json.error().within(where);
  auto plan = plan_of(*json, problem);
  if (!plan) return plan.error().within(where);
  return plan;
}

}  // namespace mete
