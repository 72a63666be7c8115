// Reads and writes mete.placement-problem/1. Everything read is hostile until checked.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <unordered_map>

#include "mete/base/gzip.h"
#include "mete/placement/problem.h"

namespace mete {
namespace {

constexpr std::string_view kFormat = "mete.placement-problem/1";
// A JSON value takes some 20 times the room of its shortest text.
constexpr std::size_t kReadLimit = std::size_t{64} << 20U;

using IndexOfId = std::unordered_map<std::int64_t, std::uint32_t>;

Result<double> positive(const Json& json, std::string_view key) {
  const Json& value = json[key];
  if (!value.is_number() || !(value.as_number() > 0)) {
    return fail(Errc::invalid, "move_bytes_per_s: {} is missing or not above 0", key);
  }
  return value.as_number();
}

Result<ProblemTensor> tensor_of(const Json& json, std::size_t i) {
  const auto bad = [i](std::string_view what) {
    return fail(Errc::invalid, "tensors[{}]: {}", i, what);
  };
  const Json& id = json["id"];
  const Json& bytes = json["bytes"];
  const Json& uses = json["uses"];
  if (!id.is_integer() || id.as_integer() < 0) return bad("expected an id, a number from 0");
  if (!bytes.is_integer() || bytes.as_integer() < 0) return bad("expected bytes, a number from 0");
  if (!uses.is_array()) return bad("expected uses, a list of kernels");
  ProblemTensor tensor{.id = static_cast<std::uint64_t>(id.as_integer()),
                       .bytes = static_cast<std::uint64_t>(bytes.as_integer()),
                       .uses = {}};
  tensor.uses.reserve(uses.items().size());
  for (const Json& use : uses.items()) {
    const auto k = use.as_integer(-1);
    if (k < 0 || k >= static_cast<std::int64_t>(kMostProblemKernels)) {
      return bad("a use is not the number of a kernel");
    }
    tensor.uses.push_back(static_cast<std::uint32_t>(k));
  }
  return tensor;
}

/// Numbers, or null for what cannot run.
Result<std::vector<double>> times_of(const Json& json, std::string_view key) {
  if (!json.is_array()) return fail(Errc::invalid, "expected {}, a list of times", key);
  std::vector<double> out;
  out.reserve(json.items().size());
  for (const Json& item : json.items()) {
    if (!item.is_number() && !item.is_null()) {
      return fail(Errc::invalid, "{} holds something that is no time", key);
    }
    out.push_back(item.is_null() ? kCannotRun : item.as_number());
  }
  return out;
}

Result<ProblemKernel> kernel_of(const Json& json, const IndexOfId& index) {
  ProblemKernel kernel;
  kernel.op = json["op"].as_string();
  if (!json["tensors"].is_array()) {
    return fail(Errc::invalid, "expected tensors, the list of those it touches");
  }
  for (const Json& id : json["tensors"].items()) {
    const auto found = index.find(id.as_integer(-1));
    if (found == index.end())
      return fail(Errc::invalid, "touches a tensor that is not in the list");
    kernel.tensors.push_back(found->second);
  }
  if (json.find("seconds") != nullptr) {
    METE_TRY(kernel.seconds, times_of(json["seconds"], "seconds"));
    if (kernel.seconds.empty()) return fail(Errc::invalid, "seconds is an empty list");
    return kernel;
  }
  if (!json["fast_seconds"].is_number()) {
    return fail(Errc::invalid, "expected seconds, or fast_seconds and slow_seconds");
  }
  kernel.fast_seconds = json["fast_seconds"].as_number();
  METE_TRY(kernel.slow_seconds, times_of(json["slow_seconds"], "slow_seconds"));
  return kernel;
}

Result<Problem> problem_of(const Json& json) {
  if (json["format"].as_string() != kFormat) {
    return fail(Errc::invalid, "expected a placement problem (\"format\": \"{}\")", kFormat);
  }
  Problem problem;
  problem.name = json["name"].as_string();
  problem.source = json["source"].as_string();
  if (json["tiers"].is_array() && json["tiers"].items().size() != 2) {
    return fail(Errc::invalid, "{} tiers; expected 2, fast and slow", json["tiers"].items().size());
  }
  METE_TRY(problem.rates.fast_to_slow, positive(json["move_bytes_per_s"], "fast_to_slow"));
  METE_TRY(problem.rates.slow_to_fast, positive(json["move_bytes_per_s"], "slow_to_fast"));
  for (const auto* key : {"tensors", "kernels"}) {
    if (!json[key].is_array()) return fail(Errc::invalid, "expected {}, a list", key);
  }
  IndexOfId index;
  for (const Json& item : json["tensors"].items()) {
    METE_TRY(auto tensor, tensor_of(item, problem.tensors.size()));
    const auto at = static_cast<std::uint32_t>(problem.tensors.size());
    if (!index.emplace(static_cast<std::int64_t>(tensor.id), at).second) {
      return fail(Errc::invalid, "tensors[{}]: the id {} was given before", at, tensor.id);
    }
    problem.tensors.push_back(std::move(tensor));
  }
  for (const Json& item : json["kernels"].items()) {
    auto kernel = kernel_of(item, index);
    if (!kernel) return kernel.error().within(fmt::format("kernels[{}]", problem.kernels.size()));
    const auto id = item["id"].as_integer(static_cast<std::int64_t>(problem.kernels.size()));
    if (id != static_cast<std::int64_t>(problem.kernels.size())) {
      return fail(Errc::invalid, "kernels[{}]: has the id {}; kernels are listed in order from 0",
                  problem.kernels.size(), id);
    }
    problem.kernels.push_back(std::move(*kernel));
  }
  METE_TRY_VOID(check(problem));
  return problem;
}

Json times_json(const std::vector<double>& times) {
  return Json::array_of(times);  // infinity, which is kCannotRun, becomes null
}

}  // namespace

Result<Problem> parse_problem(std::string_view text, const std::string& where) {
  const auto json = parse_json(text);
  if (!json) return json.error().within(where);
  auto problem = problem_of(*json);
  if (!problem) return problem.error().within(where);
  return problem;
}

Result<Problem> read_problem(const std::string& path) {
  METE_TRY(const auto text, read_file_or_gzip(path, kReadLimit));
  return parse_problem(text, path);
}

Json to_json(const Problem& problem) {
  Json tensors = Json::array();
  for (const auto& tensor : problem.tensors) {
    Json uses = Json::array();
    for (const auto k : tensor.uses) uses.push(static_cast<std::int64_t>(k));
    tensors.push(Json::object({{"id", static_cast<std::int64_t>(tensor.id)},
                               {"bytes", static_cast<std::int64_t>(tensor.bytes)},
                               {"uses", std::move(uses)}}));
  }
  Json kernels = Json::array();
  for (const auto& kernel : problem.kernels) {
    Json ids = Json::array();
    for (const auto t : kernel.tensors) {
      ids.push(static_cast<std::int64_t>(problem.tensors[t].id));
    }
    Json out = Json::object(
        {{"id", kernels.items().size()}, {"op", kernel.op}, {"tensors", std::move(ids)}});
    if (kernel.additive()) {
      out.set("fast_seconds", kernel.fast_seconds);
      out.set("slow_seconds", times_json(kernel.slow_seconds));
    } else {
      out.set("seconds", times_json(kernel.seconds));
    }
    kernels.push(std::move(out));
  }
  return Json::object(
      {{"format", kFormat},
       {"name", problem.name},
       {"source", problem.source},
       {"tiers", Json::array_of(std::vector<std::string>{"fast", "slow"})},
       {"move_bytes_per_s", Json::object({{"fast_to_slow", problem.rates.fast_to_slow},
                                          {"slow_to_fast", problem.rates.slow_to_fast}})},
       {"tensors", std::move(tensors)},
       {"kernels", std::move(kernels)}});
}

}  // namespace mete
