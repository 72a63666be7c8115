// Placement problems and plans on a page. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/cli/view_parts.h"
#include "mete/placement/placement.h"
#include "mete/placement/problem.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostPlanBytes = std::size_t{64} << 20U;

/// Bytes that change at kernels, summed up: +bytes at the first, -bytes after the last.
class Level {
 public:
  explicit Level(std::size_t kernels) : change_(kernels + 1, 0) {}
  void add(std::size_t first, std::size_t last, double bytes) {
    change_[first] += bytes;
    change_[last + 1] -= bytes;
  }
  [[nodiscard]] std::vector<double> values() const {
    std::vector<double> out;
    double now = 0;
    for (std::size_t k = 0; k + 1 < change_.size(); ++k) out.push_back(now += change_[k]);
    return out;
  }

 private:
  std::vector<double> change_;
};

double slow_seconds(const ProblemKernel& kernel) {
  if (!kernel.additive()) return kernel.seconds.back();
  double sum = kernel.fast_seconds;
  for (const double more : kernel.slow_seconds) sum += more;
  return sum;
}
double fast_seconds(const ProblemKernel& kernel) {
  return kernel.additive() ? kernel.fast_seconds : kernel.seconds.front();
}
double finite(double value) { return std::isfinite(value) ? value : kNaN; }

std::vector<double> alive_bytes(const Problem& problem) {
  Level level(problem.kernels.size());
  for (const auto& tensor : problem.tensors) {
    if (!tensor.uses.empty())
      level.add(tensor.uses.front(), tensor.uses.back(), static_cast<double>(tensor.bytes));
  }
  return level.values();
}

/// Fast memory at each kernel, moves beside kernels included (docs/formats/placement.md).
std::vector<double> fast_bytes(const Problem& problem, const Placement& placement) {
  Level level(problem.kernels.size());
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    const auto& tensor = problem.tensors[t];
    const auto& where = placement.tensors[t];
    const auto bytes = static_cast<double>(tensor.bytes);
    for (std::size_t use = 0; use < tensor.uses.size(); ++use) {
      if (where.in_fast[use] == 0) continue;
      const bool kept = use + 1 < tensor.uses.size() && where.kept_fast[use] != 0;
      level.add(tensor.uses[use], kept ? tensor.uses[use + 1] - 1 : tensor.uses[use], bytes);
    }
  }
  // A write holds the tensor from its use to its last chunk, a read from its first chunk to the
  // use.
  std::map<std::tuple<std::uint32_t, std::uint32_t, bool>, std::pair<std::size_t, std::size_t>>
      moves;
  for (const auto& chunk : placement.chunks) {
    const auto found =
        moves.try_emplace({chunk.tensor, chunk.gap, chunk.to_fast}, chunk.kernel, chunk.kernel)
            .first;
    found->second.first = std::min<std::size_t>(found->second.first, chunk.kernel);
    found->second.second = std::max<std::size_t>(found->second.second, chunk.kernel);
  }
  for (const auto& [move, ends] : moves) {
    const auto [t, gap, to_fast] = move;
    const auto& uses = problem.tensors[t].uses;
    const std::size_t first = to_fast ? ends.first : uses[gap] + 1;
    const std::size_t last = to_fast ? uses[gap + 1] - 1 : ends.second;
    if (first <= last) level.add(first, last, static_cast<double>(problem.tensors[t].bytes));
  }
  return level.values();
}

double planned_seconds(const Problem& problem, const Placement& placement, std::size_t k,
                       std::vector<std::size_t>& next_use) {
  const auto& kernel = problem.kernels[k];
  std::size_t mask = 0;
  double seconds = kernel.fast_seconds;
  for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
    const auto t = kernel.tensors[b];
    const bool slow = placement.tensors[t].in_fast[next_use[t]++] == 0;
    if (!slow) continue;
    if (kernel.additive()) {
      seconds += kernel.slow_seconds[b];
    } else {
      mask |= std::size_t{1} << b;
    }
  }
  return kernel.additive() ? seconds : kernel.seconds[mask];
}

ExplorerTable kernel_table(const Problem& problem, const Placement* placement,
                           const std::string& name) {
  Table table;
  std::vector<double> index;
  std::vector<std::string> ops;
  std::vector<double> fast;
  std::vector<double> slow;
  std::vector<double> planned;
  std::vector<double> touched;
  std::vector<std::size_t> next_use(problem.tensors.size(), 0);
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
    const auto& kernel = problem.kernels[k];
    index.push_back(static_cast<double>(k));
    ops.push_back(kernel.op);
    fast.push_back(fast_seconds(kernel));
    slow.push_back(finite(slow_seconds(kernel)));
    if (placement != nullptr) planned.push_back(planned_seconds(problem, *placement, k, next_use));
    double bytes = 0;
    for (const auto t : kernel.tensors) bytes += static_cast<double>(problem.tensors[t].bytes);
    touched.push_back(bytes);
  }
  table.add_numbers("kernel", "", std::move(index));
  table.add_texts("op", std::move(ops));
  if (placement != nullptr) {
    table.add_numbers("fast memory", "B", fast_bytes(problem, *placement));
    table.add_numbers("seconds planned", "s", std::move(planned));
  }
  table.add_numbers("bytes alive", "B", alive_bytes(problem));
  table.add_numbers("seconds all-fast", "s", std::move(fast));
  table.add_numbers("seconds all-slow", "s", std::move(slow));
  table.add_numbers("bytes touched", "B", std::move(touched));
  auto out = explore(table, name + ": kernels", {"kernel"});
  out.panels = {{"kernel", placement != nullptr ? "fast memory" : "bytes alive", "", {}},
                {"op", placement != nullptr ? "seconds planned" : "seconds all-fast", "", {}}};
  return out;
}

ExplorerTable problem_tensors(const Problem& problem, const std::string& name) {
  Table table;
  std::vector<double> id;
  std::vector<double> bytes;
  std::vector<double> uses;
  std::vector<double> first;
  std::vector<double> life;
  for (const auto& tensor : problem.tensors) {
    id.push_back(static_cast<double>(tensor.id));
    bytes.push_back(static_cast<double>(tensor.bytes));
    uses.push_back(static_cast<double>(tensor.uses.size()));
    first.push_back(tensor.uses.empty() ? kNaN : tensor.uses.front());
    life.push_back(tensor.uses.empty() ? kNaN : tensor.uses.back() - tensor.uses.front());
  }
  table.add_numbers("tensor", "", std::move(id));
  table.add_numbers("bytes", "B", std::move(bytes));
  table.add_numbers("uses", "", std::move(uses));
  table.add_numbers("first kernel", "", std::move(first));
  table.add_numbers("kernels alive", "", std::move(life));
  auto out = explore(table, name + ": tensors", {"tensor", "uses"});
  out.panels = {{"tensor", "bytes", "", {}}, {"kernels alive", "bytes", "", {}}};
  return out;
}

/// What the plan's file says of each tensor; its problem may be elsewhere.
Result<ExplorerTable> plan_tensors(const Json& plan, const std::string& path,
                                   const std::string& name) {
  Table table;
  std::vector<double> id;
  std::vector<std::string> where;
  std::vector<double> uses;
  std::vector<double> fast;
  std::vector<double> kept;
  for (const auto& tensor : plan["tensors"].items()) {
    double in_fast = 0;
    double kept_fast = 0;
    const auto& list = tensor["in_fast"].items();
    for (const auto& value : list) in_fast += value.as_number() != 0 ? 1 : 0;
    for (const auto& value : tensor["kept_fast"].items())
      kept_fast += value.as_number() != 0 ? 1 : 0;
    if (list.empty()) return fail(Errc::invalid, "{}: a tensor without in_fast", path);
    const auto count = static_cast<double>(list.size());
    id.push_back(tensor["id"].as_number(kNaN));
    where.emplace_back(in_fast == count ? "fast at all uses"
                       : in_fast == 0   ? "slow at all uses"
                                        : "fast, then slow");
    uses.push_back(count);
    fast.push_back(in_fast / count);
    kept.push_back(kept_fast);
  }
  if (id.empty()) return fail(Errc::invalid, "{}: a plan without tensors", path);
  table.add_numbers("tensor", "", std::move(id));
  table.add_texts("where", std::move(where));
  table.add_numbers("uses", "", std::move(uses));
  table.add_numbers("uses in fast memory", "1", std::move(fast));
  table.add_numbers("gaps kept in fast memory", "", std::move(kept));
  auto out = explore(table, name + ": tensors", {"tensor", "uses"});
  out.panels = {{"tensor", "uses in fast memory", "", {}}, {"where", "uses", "", {}}};
  return out;
}

}  // namespace

Result<void> view_problem(const std::string& path, const std::string& name,
                          ExplorerDocument& document) {
  METE_TRY(const auto problem, read_problem(path));
  document.notes.push_back(fmt::format("{}: {}; {}", name, problem.name, problem.source));
  document.tables.push_back(kernel_table(problem, nullptr, name));
  document.tables.push_back(problem_tensors(problem, name));
  return {};
}

Result<void> view_plan(const std::string& path, const std::string& name,
                       const std::string& problem_path, ExplorerDocument& document) {
  METE_TRY(const auto text, read_file(path, kMostPlanBytes));
  auto plan = parse_json(text);
  if (!plan) return fail(plan.error().code, "{}: {}", path, plan.error().what);
  METE_TRY(auto tensors, plan_tensors(*plan, path, name));
  document.notes.push_back(fmt::format(
      "{}: plan of {} by {}: {:.4g} s a step ({:.4g} s all-fast) in {:.4g} MB of fast memory; {}",
      name, (*plan)["problem"].as_string(), (*plan)["solver"].as_string(),
      (*plan)["seconds"].as_number(), (*plan)["all_fast_seconds"].as_number(),
      (*plan)["peak_bytes"].as_number() / 1e6, (*plan)["source"].as_string()));
  if (problem_path.empty()) {
    document.notes.push_back(
        name + ": name its problem's file too, and the page shows the memory kernel by kernel");
  } else {
    METE_TRY(const auto problem, read_problem(problem_path));
    METE_TRY(const auto stored, parse_placement(text, problem, path));
    document.tables.push_back(kernel_table(problem, &stored.placement, name));
  }
  document.tables.push_back(std::move(tensors));
  return {};
}

}  // namespace mete
