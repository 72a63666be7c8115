// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/fitted_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mete/base/text.h"
#include "mete/placement/solvers/compact/compact.h"

namespace mete {
namespace {

constexpr double kHomesEffort = 0.2;  // finding homes needs good placements, not the best
/// The relaxation leaves some parameters in fast memory by a part: which of them to round up.
constexpr double kThresholds[] = {0.5, 0.05, 0.95};
/// Tightening whole kernels comes first; where it does not help, all of them.
constexpr double kShrink = 0.5;  // of what is above, at each kernel it is above

class Fitter {
 public:
  Fitter(const Graph& graph, const Liveness& liveness, std::span<const Layout> layouts,
         const GraphProfile& profile, const FitRequest& request)
      : graph_(graph),
        liveness_(liveness),
        layouts_(layouts),
        profile_(profile),
        request_(request),
        solve_(request.solve) {}

  Result<FittedPlan> run() {
    METE_TRY_VOID(choose_homes());
    for (out_.rounds = 0;; ++out_.rounds) {
      METE_TRY_VOID(solve_and_draft());
      if (out_.draft.plan.fast_bytes <= request_.solve.limit_bytes) break;
      if (out_.rounds == request_.most_rounds) return above_limit();
      tighten();
    }
    METE_TRY_VOID(settle());
    return std::move(out_);
  }

 private:
  [[nodiscard]] double seconds_since(Nanoseconds began) const {
    return to_seconds(request_.clock->now() - began);
  }

  Result<StepProblem> make_problem(std::span<const Home> homes) {
    const auto began = request_.clock->now();
    auto made = problem_of(graph_, liveness_, profile_, homes);
    out_.make_seconds.push_back(seconds_since(began));
    return made;
  }

  Result<SolvedPlan> timed_solve(const Problem& problem, const SolveRequest& request) {
    const auto began = request_.clock->now();
    auto solved = solve(*request_.solver, problem, request);
    out_.solve_seconds.push_back(seconds_since(began));
    return solved;
  }

  Result<void> choose_homes() {
    if (places_for_good(request_.solver->name)) {
      METE_TRY(out_.step, make_problem(homes_of(graph_, liveness_, Home::still)));
      return {};
    }
    METE_TRY(const auto open, make_problem(homes_of(graph_, liveness_, Home::open)));
    const auto began = request_.clock->now();
    auto relaxed =
        relax_returning(open.problem, request_.solve, request_.solver->name == "asynchronous");
    out_.solve_seconds.push_back(seconds_since(began));
    if (!relaxed && relaxed.error().code != Errc::unsupported) return relaxed.error();
    // Nothing keeps the limit: then neither does this, and the solver says why.
    if (!relaxed) return take_homes(homes_of(graph_, liveness_, Home::slow));
    out_.lower_bound_seconds = relaxed->bound_seconds;
    return try_homes(open, relaxed->fast_at_end);
  }

  Result<void> take_homes(std::span<const Home> homes) {
    METE_TRY(out_.step, make_problem(homes));
    return {};
  }

  /// Takes the homes with the best placement, where thresholds differ.
  Result<void> try_homes(const StepProblem& open, std::span<const double> fast_at_end) {
    std::vector<std::vector<Home>> tried;
    for (const double threshold : kThresholds) {
      auto homes = decided_homes(open, fast_at_end, threshold);
      if (std::find(tried.begin(), tried.end(), homes) == tried.end()) {
        tried.push_back(std::move(homes));
      }
    }
    if (tried.size() == 1) return take_homes(tried.front());
    SolveRequest brief = request_.solve;
    brief.effort *= kHomesEffort;
    double best = std::numeric_limits<double>::infinity();
    for (const auto& homes : tried) {
      METE_TRY(auto step, make_problem(homes));
      const auto solved = timed_solve(step.problem, brief);
      if (!solved && solved.error().code == Errc::gone) return solved.error();
      if (!solved || solved->verdict.seconds >= best) continue;
      best = solved->verdict.seconds;
      out_.step = std::move(step);
    }
    if (std::isinf(best)) return take_homes(homes_of(graph_, liveness_, Home::slow));
    return {};
  }

  Result<void> solve_and_draft() {
    auto solved = timed_solve(out_.step.problem, solve_);
    if (!solved) {
      if (out_.rounds == 0) return solved.error();
      return solved.error().within(
          fmt::format("after {} rounds of giving up memory that packing cannot use", out_.rounds));
    }
    out_.solved = std::move(*solved);
    if (out_.rounds == 0) {
      first_bound_ = out_.solved.plan.figures.lower_bound_seconds;
      first_seconds_ = out_.solved.verdict.seconds;
    }
    keep_warm();
    const auto began = request_.clock->now();
    METE_TRY(out_.draft, draft_plan(graph_, liveness_, out_.step, out_.solved.plan.placement,
                                    {.limit_bytes = request_.solve.limit_bytes,
                                     .seed = request_.solve.seed,
                                     .pack_effort = request_.pack_effort}));
    out_.pack_seconds += seconds_since(began);
    return {};
  }

  [[nodiscard]] bool late() const { return 2 * out_.rounds >= request_.most_rounds; }

  /// The next round begins from this one's placement. Where that has not packed in half of the
  /// rounds, another one may: then they begin anew.
  void keep_warm() {
    solve_.warm = nullptr;
    if (out_.solved.memory_price.empty() || late()) return;
    warm_ = {out_.solved.plan.placement, std::move(out_.solved.memory_price), first_bound_,
             first_seconds_};
    solve_.warm = &warm_;
  }

  /// Less at the kernels where something lies above the limit; for solvers that know no limit of a
  /// kernel's own, less everywhere.
  void tighten() {
    const std::uint64_t limit = request_.solve.limit_bytes;
    const auto above = out_.draft.plan.fast_bytes - limit;
    const bool everywhere =
        request_.solver->name == "numa" || request_.solver->name == "autotm" || late();
    if (everywhere) {
      solve_.limit_bytes -= std::min(solve_.limit_bytes, above + kPackPiece);
      return;
    }
    for (std::size_t k = 0; k < out_.step.problem.kernels.size(); ++k) {
      const auto over = out_.draft.pools.fast_over[k];
      if (over == 0) continue;
      out_.step.problem.kernels[k].reserved_bytes +=
          static_cast<std::uint64_t>(kShrink * static_cast<double>(over)) + kPackPiece;
    }
  }

  [[nodiscard]] Error above_limit() const {
    return fail(
        Errc::unsupported,
        "{}: packed, the plan needs {} of fast memory where there is {}, after {} rounds "
        "of tightening; give it a little more",
        graph_.name, format_quantity(static_cast<double>(out_.draft.plan.fast_bytes), "B", 5),
        format_quantity(static_cast<double>(request_.solve.limit_bytes), "B", 5), out_.rounds);
  }

  /// Figures without what was reserved, which was never a cost of the placement.
  Result<void> settle() {
    for (auto& kernel : out_.step.problem.kernels) kernel.reserved_bytes = 0;
    PlanFigures& figures = out_.solved.plan.figures;
    METE_TRY(out_.solved.verdict,
             validate(out_.step.problem, out_.solved.plan.placement, request_.solve.limit_bytes));
    figures.limit_bytes = std::min(request_.solve.limit_bytes, all_fast_peak(out_.step.problem));
    figures.peak_bytes = out_.solved.verdict.peak_bytes;
    figures.seconds = out_.solved.verdict.seconds;
    figures.lower_bound_seconds = std::min(first_bound_, figures.seconds);
    figures.gap = gap_of(figures.seconds, figures.lower_bound_seconds);
    if (places_for_good(request_.solver->name)) {
      out_.lower_bound_seconds = figures.lower_bound_seconds;
    }
    out_.lower_bound_seconds = std::min(out_.lower_bound_seconds, figures.seconds);
    out_.gap = gap_of(figures.seconds, out_.lower_bound_seconds);
    out_.draft.plan.solver = request_.solver->name;
    out_.draft.plan.predicted_in = profile_.environment;
    return verify(out_.draft.plan, graph_, layouts_, request_.solve.limit_bytes);
  }

  static double gap_of(double seconds, double bound) {
    return seconds > 0 ? (seconds - bound) / seconds : 0;
  }

  static constexpr std::uint64_t kPackPiece = 64;

  const Graph& graph_;
  const Liveness& liveness_;
  std::span<const Layout> layouts_;
  const GraphProfile& profile_;
  const FitRequest& request_;
  SolveRequest solve_;
  WarmStart warm_;
  double first_bound_ = 0;
  double first_seconds_ = 0;
  FittedPlan out_;
};

}  // namespace

bool places_for_good(std::string_view solver) {
  return solver == "all-fast" || solver == "all-slow" || solver == "numa" || solver == "static";
}

std::vector<Home> decided_homes(const StepProblem& open, std::span<const double> fast_at_end,
                                double threshold) {
  std::vector<Home> homes = open.homes;
  for (std::size_t t = 0; t < fast_at_end.size(); ++t) {
    Home& home = homes[open.tensors[t].group];
    if (home == Home::open) home = fast_at_end[t] > threshold ? Home::fast : Home::slow;
  }
  return homes;
}

Result<FittedPlan> fit_plan(const Graph& graph, const Liveness& liveness,
                            std::span<const Layout> layouts, const GraphProfile& profile,
                            const FitRequest& request) {
  return Fitter(graph, liveness, layouts, profile, request).run();
}

}  // namespace mete
