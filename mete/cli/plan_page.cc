// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/plan_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/execute/packing.h"
#include "mete/execute/residence.h"
#include "mete/plot/memory_plots.h"

namespace mete {
namespace {

/// Of the all-fast peak: those of AutoTM's case study of Inception.
constexpr std::array kFractions{0.01,    0.0125,  1.0 / 60, 0.025,   0.05, 0.1,
                                1.0 / 9, 1.0 / 8, 1.0 / 7,  1.0 / 6, 0.2,  0.25,
                                1.0 / 3, 0.5,     2.0 / 3,  0.75,    1.0};
/// Packing for a picture need not be the best there is.
constexpr double kPictureEffort = 0.2;

bool in_fast(const Problem& problem, const Placement& placement, std::uint32_t tensor,
             std::uint32_t kernel) {
  const auto& uses = problem.tensors[tensor].uses;
  const auto at = std::lower_bound(uses.begin(), uses.end(), kernel) - uses.begin();
  return placement.tensors[tensor].in_fast[static_cast<std::size_t>(at)] != 0;
}

double kernel_seconds(const Problem& problem, const Placement& placement, std::uint32_t k) {
  const ProblemKernel& kernel = problem.kernels[k];
  std::size_t mask = 0;
  double seconds = kernel.fast_seconds;
  for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
    if (in_fast(problem, placement, kernel.tensors[b], k)) continue;
    mask |= std::size_t{1} << b;
    if (kernel.additive()) seconds += kernel.slow_seconds[b];
  }
  return kernel.additive() ? seconds : kernel.seconds[mask];
}

/// Seconds at each of the residence's points of time (three a kernel, and the end).
std::vector<double> times_of(const Problem& problem, const Placement& placement,
                             const Residence& residence) {
  const std::size_t kernels = problem.kernels.size();
  std::vector<double> length(3 * kernels + 1, 0.0);
  std::vector<std::array<double, 2>> beside(kernels);  // chunks: to slow, to fast
  const auto rate = [&](bool to_fast) {
    return to_fast ? problem.rates.slow_to_fast : problem.rates.fast_to_slow;
  };
  for (const auto& move : residence.moves) {
    if (move.rest_bytes > 0) {
      length[move.rest_time] += static_cast<double>(move.rest_bytes) / rate(move.to_fast);
    }
    for (const auto& chunk : move.chunks) {
      beside[chunk.kernel][move.to_fast ? 1 : 0] +=
          static_cast<double>(chunk.bytes) / rate(move.to_fast);
    }
  }
  for (std::uint32_t k = 0; k < kernels; ++k) {
    length[run_time(k)] =
        std::max({kernel_seconds(problem, placement, k), beside[k][0], beside[k][1]});
  }
  std::vector<double> times(length.size() + 1, 0.0);
  for (std::size_t i = 0; i < length.size(); ++i) times[i + 1] = times[i] + length[i];
  return times;
}

struct PoolMap {
  std::vector<std::uint32_t> stays;  ///< of each item
  Packing packing;
};

PoolMap map_of(const Problem& problem, const Residence& residence, bool fast) {
  PoolMap map;
  const auto items = items_of(problem, residence.stays, fast, &map.stays);
  map.packing = pack(items, {.effort = kPictureEffort});
  return map;
}

std::string tensor_name(const Problem& problem, const std::vector<std::string>& names,
                        std::uint32_t tensor) {
  if (tensor < names.size()) return names[tensor];
  const auto& uses = problem.tensors[tensor].uses;
  return fmt::format("tensor {} of {}", problem.tensors[tensor].id,
                     problem.kernels[uses.front()].op);
}

/// Bytes that kernels make, and that they read, and how many of them are fast.
struct Traffic {
  double input = 0, input_fast = 0, output = 0, output_fast = 0;
};

Traffic traffic_of_plan(const Problem& problem, const Placement& placement) {
  Traffic sum;
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    const auto bytes = static_cast<double>(problem.tensors[t].bytes);
    for (std::size_t j = 0; j < problem.tensors[t].uses.size(); ++j) {
      const double fast = placement.tensors[t].in_fast[j] != 0 ? bytes : 0;
      (j == 0 ? sum.output : sum.input) += bytes;
      (j == 0 ? sum.output_fast : sum.input_fast) += fast;
    }
  }
  return sum;
}

}  // namespace

PlacementStory story_of(const Problem& problem, const Placement& placement,
                        const std::vector<std::string>& names) {
  const Residence residence = residence_of(problem, placement);
  const auto times = times_of(problem, placement, residence);
  const auto at = [&times](std::uint64_t point) {
    return times[std::min<std::size_t>(point, times.size() - 1)];
  };
  PlacementStory story;
  story.seconds = times.back();
  std::vector<std::string> tensor, pool;
  std::vector<double> from, to, offset, bytes;
  std::vector<double> fast_delta(times.size() + 1, 0.0);
  for (const bool fast : {true, false}) {
    const PoolMap map = map_of(problem, residence, fast);
    (fast ? story.fast_pool : story.slow_pool) = static_cast<double>(map.packing.bytes);
    for (std::size_t i = 0; i < map.stays.size(); ++i) {
      const Stay& stay = residence.stays[map.stays[i]];
      const double size = static_cast<double>(problem.tensors[stay.tensor].bytes);
      tensor.push_back(tensor_name(problem, names, stay.tensor));
      pool.emplace_back(fast ? "fast" : "slow");
      from.push_back(at(stay.span.begin));
      to.push_back(at(stay.span.end));
      offset.push_back(static_cast<double>(map.packing.offsets[i]));
      bytes.push_back(size);
      if (!fast) continue;
      fast_delta[std::min<std::size_t>(stay.span.begin, times.size())] += size;
      fast_delta[std::min<std::size_t>(stay.span.end, times.size())] -= size;
    }
  }
  std::vector<double> alive(problem.kernels.size() + 1, 0.0);
  for (const auto& one : problem.tensors) {
    alive[one.uses.front()] += static_cast<double>(one.bytes);
    alive[one.uses.back() + 1] -= static_cast<double>(one.bytes);
  }
  std::vector<double> time, fast_now, alive_now;
  double fast_sum = 0;
  double alive_sum = 0;
  std::size_t point = 0;
  for (std::uint32_t k = 0; k < problem.kernels.size(); ++k) {
    for (; point <= run_time(k); ++point) fast_sum += fast_delta[point];
    alive_sum += alive[k];
    time.push_back(at(run_time(k)));
    fast_now.push_back(fast_sum);
    alive_now.push_back(alive_sum);
  }
  story.kernels.add_numbers("time", "s", std::move(time));
  story.kernels.add_numbers("fast", "B", std::move(fast_now));
  story.kernels.add_numbers("alive", "B", std::move(alive_now));
  story.stays.add_texts("tensor", std::move(tensor));
  story.stays.add_texts("pool", std::move(pool));
  story.stays.add_numbers("from", "s", std::move(from));
  story.stays.add_numbers("to", "s", std::move(to));
  story.stays.add_numbers("offset", "B", std::move(offset));
  story.stays.add_numbers("bytes", "B", std::move(bytes));
  return story;
}

void add_case(Table& cases, const Problem& problem, const SolvedPlan& solved) {
  if (cases.columns().empty()) {
    cases.add_texts("optimizer");
    cases.add_numbers("fast_bytes", "B");
    cases.add_numbers("slowdown", "1");
    cases.add_numbers("input_fast", "1");
    cases.add_numbers("output_fast", "1");
    cases.add_numbers("to_slow_bytes", "B");
    cases.add_numbers("to_fast_bytes", "B");
  }
  const auto& figures = solved.plan.figures;
  const Traffic traffic = traffic_of_plan(problem, solved.plan.placement);
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : kNoValue; };
  auto& columns = cases.columns();
  columns[0].texts().push_back(figures.solver);
  const std::array<double, 6> values{static_cast<double>(figures.limit_bytes),
                                     figures.seconds / figures.all_fast_seconds - 1,
                                     share(traffic.input_fast, traffic.input),
                                     share(traffic.output_fast, traffic.output),
                                     static_cast<double>(solved.verdict.bytes_to_slow),
                                     static_cast<double>(solved.verdict.bytes_to_fast)};
  for (std::size_t c = 0; c < values.size(); ++c) columns[c + 1].numbers().push_back(values.at(c));
}

Result<Table> case_study(const Problem& problem, const SolveRequest& request,
                         const Context& context) {
  const auto peak = static_cast<double>(all_fast_peak(problem));
  const std::uint64_t least = least_memory(problem).bytes;
  Table cases;
  Progress progress("less fast memory", 2.0 * kFractions.size(), context.clock);
  double done = 0;
  for (const auto* name : {"static", "synchronous"}) {
    METE_TRY(const Solver* solver, find_solver(name));
    for (const double fraction : kFractions) {
      progress.update(done++, fmt::format("{} in {}", name, format_percent(fraction)));
      SolveRequest one = request;
      one.limit_bytes = static_cast<std::uint64_t>(std::ceil(fraction * peak));
      if (one.limit_bytes < least) continue;
      auto solved = solve(*solver, problem, one);
      if (context.interrupt.signal() != 0) {
        return fail(Errc::failed, "interrupted while solving for less fast memory");
      }
      if (solved) add_case(cases, problem, *solved);
    }
  }
  return cases;
}

Result<Page> plan_page(const Problem& problem, const SolvedPlan& solved, const Table& cases) {
  const PlanFigures& f = solved.plan.figures;
  const Verdict& v = solved.verdict;
  const auto size = [](double bytes) { return format_quantity(bytes, "B", 4); };
  Page page;
  page.title = fmt::format("{} with {} of fast memory", f.problem.empty() ? "A step" : f.problem,
                           size(static_cast<double>(f.peak_bytes)));
  page.subtitle = fmt::format("{} plan; {} kernels, {} tensors", f.solver, problem.kernels.size(),
                              problem.tensors.size());
  page.summary = fmt::format(
      "All in fast memory the step would need {} and take {}. With at most {} of it, it is "
      "predicted to take {}; it is proven that no {} plan takes less than {}.",
      size(static_cast<double>(all_fast_peak(problem))),
      format_quantity(f.all_fast_seconds, "s", 4), size(static_cast<double>(f.limit_bytes)),
      format_quantity(f.seconds, "s", 4), f.solver, format_quantity(f.lower_bound_seconds, "s", 5));
  page.badges.push_back({"predicted", "From the profile of each kernel; nothing was run.", true});
  const double slowdown = f.all_fast_seconds > 0 ? f.seconds / f.all_fast_seconds - 1 : kNoValue;
  page.headlines.push_back(
      {"Slower than all fast", format_percent(slowdown), "",
       fmt::format("{} of the step waits for moves", format_quantity(v.stall_seconds, "s", 3)),
       Tone::neutral});
  page.headlines.push_back({"Proven gap", format_percent(f.gap, 3), "",
                            "how much faster the best such plan could be at most", Tone::neutral});
  page.headlines.push_back(
      {"Moved in a step",
       size(static_cast<double>(v.bytes_to_slow) + static_cast<double>(v.bytes_to_fast)), "",
       fmt::format("{} to slow memory, {} to fast", v.moves_to_slow, v.moves_to_fast),
       Tone::neutral});
  const PlacementStory story = story_of(problem, solved.plan.placement);
  METE_TRY(auto use,
           memory_use(story.kernels,
                      {.limit = f.limit_bytes == kNoLimit ? std::nullopt
                                                          : std::optional<double>(f.limit_bytes)}));
  page.blocks.emplace_back(std::move(use));
  METE_TRY(auto places, memory_places(story.stays, {}));
  page.blocks.emplace_back(std::move(places));
  if (cases.rows() > 0) {
    METE_TRY(auto curve, memory_case_study(cases));
    page.blocks.emplace_back(std::move(curve));
  }
  page.measured = {{"Times of kernels", problem.source.empty() ? "not told" : problem.source},
                   {"Fast to slow", format_quantity(problem.rates.fast_to_slow, "B/s", 3)},
                   {"Slow to fast", format_quantity(problem.rates.slow_to_fast, "B/s", 3)},
                   {"Seed", fmt::format("{}", f.seed)},
                   {"mete", METE_VERSION}};
  return page;
}

}  // namespace mete
