// From a placement to steps: addresses from packing, then kernel by kernel what leaves, what comes,
// what runs. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>

#include "mete/execute/execution_plan.h"
#include "mete/execute/packing.h"
#include "mete/execute/residence.h"

namespace mete {
namespace {

/// Which packed item serves each stay, and when each item is there.
struct PoolItems {
  std::vector<PackItem> items;
  std::map<std::uint32_t, std::uint32_t> home;  ///< group → its item, for memory that stays put
};

void add_span(PackItem& item, LifeSpan span) {
  item.spans.push_back(span);
  std::sort(item.spans.begin(), item.spans.end(),
            [](const LifeSpan& a, const LifeSpan& b) { return a.begin < b.begin; });
  std::vector<LifeSpan> merged;
  for (const auto& s : item.spans) {
    if (!merged.empty() && s.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, s.end);
    } else {
      merged.push_back(s);
    }
  }
  item.spans = std::move(merged);
}

class Drafter {
 public:
  Drafter(const Graph& graph, const Liveness& liveness, const StepProblem& step,
          const Placement& placement, const DraftRequest& request)
      : graph_(graph),
        liveness_(liveness),
        step_(step),
        problem_(step.problem),
        placement_(placement),
        request_(request),
        residence_(residence_of(step.problem, placement)),
        end_time_(write_time(step.problem.kernels.size())),
        now_(liveness.groups.size(), kNoTensor),
        next_use_(step.problem.tensors.size(), 0) {}

  Result<PlanDraft> make() {
    METE_TRY_VOID(check_homes());
    settle_stays();
    METE_TRY_VOID(pack_pools());
    schedule_moves();
    for (std::size_t k = 0; k < problem_.kernels.size(); ++k) add_kernel(k);
    find_results();
    out_.plan.graph = graph_.name;
    out_.plan.shapes = shape_digest(graph_);
    for (const auto& s : out_.plan.steps) out_.plan.predicted_seconds += s.predicted_seconds;
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::uint32_t group_of(std::uint32_t t) const { return step_.tensors[t].group; }
  [[nodiscard]] Home home_of(std::uint32_t t) const { return step_.homes[group_of(t)]; }
  [[nodiscard]] std::uint64_t bytes_of_tensor(std::uint32_t t) const {
    return liveness_.groups[group_of(t)].bytes;
  }
  [[nodiscard]] const KernelOrigin& first_kernel(std::uint32_t t) const {
    return step_.kernels[problem_.tensors[t].uses.front()];
  }
  /// It is there when its first kernel begins: nothing in the step produces it.
  [[nodiscard]] bool begins_ready(std::uint32_t t) const {
    return first_kernel(t).kind != KernelOrigin::Kind::node;
  }
  /// Its last use is the update that makes the next version.
  [[nodiscard]] bool ends_in_update(std::uint32_t t) const {
    const auto& origin = step_.kernels[problem_.tensors[t].uses.back()];
    if (origin.kind != KernelOrigin::Kind::node) return false;
    const auto& node = graph_.nodes[origin.node];
    return node.op->reuse == Reuse::must &&
           liveness_.group_of[node.inputs[node.op->reused]] == group_of(t);
  }

  Result<void> check_homes() const {
    if (std::find(step_.homes.begin(), step_.homes.end(), Home::open) != step_.homes.end()) {
      return fail(Errc::internal, "the homes of parameters are not decided");
    }
    for (std::uint32_t t = 0; t < placement_.tensors.size(); ++t) {
      if (home_of(t) != Home::still) continue;
      const auto& in = placement_.tensors[t].in_fast;
      const auto& kept = placement_.tensors[t].kept_fast;
      const bool moves = std::count(in.begin(), in.end(), in[0]) != std::ssize(in) ||
                         std::count(kept.begin(), kept.end(), in[0]) != std::ssize(kept);
      if (moves) return fail(Errc::internal, "tensor {}: moves, though its home is still", t);
    }
    return {};
  }

  /// What lives from step to step is there before the first use and after the last.
  void settle_stays() {
    for (auto& stay : residence_.stays) {
      const std::uint32_t t = stay.tensor;
      const auto& origin = step_.tensors[t];
      const bool serves_first = stay.first_use == 0;
      const bool serves_last =
          stay.fast ? stay.last_use + std::size_t{1} == problem_.tensors[t].uses.size() : true;
      const bool starts = first_kernel(t).kind == KernelOrigin::Kind::start;
      const Home home = home_of(t);
      const std::uint64_t first = problem_.tensors[t].uses.front();
      if (stay.fast && serves_first && begins_ready(t)) {
        if (home == Home::slow) stay.span.begin = read_time(first);  // it comes from its home
        if (home == Home::fast) stay.span.begin = write_time(first);
        if (home == Home::none || home == Home::still) stay.span.begin = 0;
      }
      if (!stay.fast && starts && placement_.tensors[t].in_fast[0] == 0) stay.span.begin = 0;
      if (stay.fast && serves_last && home == Home::slow && ends_in_update(t)) ++stay.span.end;
      const bool to_the_end = home == Home::still || (home == Home::fast && stay.fast);
      if (to_the_end && serves_last && origin.last_version) stay.span.end = end_time_;
    }
  }

  /// True if the stay lies where its group always lies.
  [[nodiscard]] bool at_home(const Stay& stay) const {
    const Home home = home_of(stay.tensor);
    if (home == Home::still) return true;
    if (home == Home::slow) return !stay.fast;
    if (home != Home::fast || !stay.fast) return false;
    const bool last = stay.last_use + std::size_t{1} == problem_.tensors[stay.tensor].uses.size();
    return stay.first_use == 0 || last;
  }

  PoolItems collect(bool fast) {
    PoolItems pool;
    const auto home_item = [&](std::uint32_t g) {
      const auto [at, fresh] = pool.home.emplace(g, static_cast<std::uint32_t>(pool.items.size()));
      if (fresh) pool.items.push_back({.bytes = liveness_.groups[g].bytes, .spans = {}});
      return at->second;
    };
    if (!fast) {
      for (std::uint32_t g = 0; g < step_.homes.size(); ++g) {
        if (step_.homes[g] == Home::slow) {
          add_span(pool.items[home_item(g)], {0, end_time_});
        }
      }
    }
    item_of_.resize(residence_.stays.size());
    for (std::size_t s = 0; s < residence_.stays.size(); ++s) {
      const Stay& stay = residence_.stays[s];
      if (stay.fast != fast) continue;
      if (at_home(stay)) {
        item_of_[s] = home_item(group_of(stay.tensor));
        add_span(pool.items[item_of_[s]], stay.span);
      } else {
        item_of_[s] = static_cast<std::uint32_t>(pool.items.size());
        pool.items.push_back({.bytes = bytes_of_tensor(stay.tensor), .spans = {stay.span}});
      }
    }
    return pool;
  }

  Result<void> pack_pools() {
    place_of_.resize(residence_.stays.size());
    for (const bool fast : {true, false}) {
      const PoolItems pool = collect(fast);
      PackRequest request{.seed = request_.seed, .effort = request_.pack_effort};
      if (fast && request_.limit_bytes != kNoLimit) {
        request.goal_bytes = request_.limit_bytes;
      } else {
        request.slack = kNotScarce;
      }
      const Packing packing = pack(pool.items, request);
      METE_TRY_VOID(check_packing(pool.items, packing));
      for (std::size_t s = 0; s < residence_.stays.size(); ++s) {
        if (residence_.stays[s].fast == fast) {
          place_of_[s] = {fast, packing.offsets[item_of_[s]]};
        }
      }
      if (!fast) {
        for (const auto& [g, item] : pool.home) home_place_[g] = {false, packing.offsets[item]};
      }
      (fast ? out_.plan.fast_bytes : out_.plan.slow_bytes) = packing.bytes;
      (fast ? out_.pools.fast_peak_bytes : out_.pools.slow_peak_bytes) = packing.peak_bytes;
      if (fast) find_overflow(pool.items, packing);
    }
    for (std::uint32_t s = 0; s < residence_.stays.size(); ++s) {
      (residence_.stays[s].fast ? fast_stays_ : slow_stays_)[residence_.stays[s].tensor].push_back(
          s);
    }
    return {};
  }

  /// At which kernels something lies above the limit, and by how much.
  void find_overflow(const std::vector<PackItem>& items, const Packing& packing) {
    out_.pools.fast_over.assign(problem_.kernels.size(), 0);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::uint64_t end = packing.offsets[i] + items[i].bytes;
      if (request_.limit_bytes == kNoLimit || end <= request_.limit_bytes) continue;
      for (const auto& span : items[i].spans) {
        for (std::uint64_t k = span.begin / 3; run_time(k) < span.end; ++k) {
          auto& over = out_.pools.fast_over[k];
          over = std::max(over, end - request_.limit_bytes);
        }
      }
    }
  }

  [[nodiscard]] PoolPlace slow_place(std::uint32_t t) const {
    const auto found = slow_stays_.find(t);
    if (found != slow_stays_.end()) return place_of_[found->second.front()];
    return home_place_.at(group_of(t));
  }

  [[nodiscard]] PoolPlace fast_place(std::uint32_t t, std::uint32_t use) const {
    for (const auto s : fast_stays_.at(t)) {
      if (residence_.stays[s].first_use <= use && use <= residence_.stays[s].last_use) {
        return place_of_[s];
      }
    }
    return {};
  }

  [[nodiscard]] PoolPlace place_at(std::uint32_t t, std::uint32_t use) const {
    return placement_.tensors[t].in_fast[use] == 1 ? fast_place(t, use) : slow_place(t);
  }

  [[nodiscard]] double move_seconds(std::uint64_t bytes, bool to_fast) const {
    return static_cast<double>(bytes) /
           (to_fast ? problem_.rates.slow_to_fast : problem_.rates.fast_to_slow);
  }

  /// A part of a tensor's move. Sizes are rounded up in the problem, not in what is copied.
  [[nodiscard]] PlanStep part_of(const TensorMove& move, StepKind kind, std::uint64_t from,
                                 std::uint64_t bytes) const {
    const std::uint64_t all = bytes_of_tensor(move.tensor);
    const PoolPlace fast = fast_place(move.tensor, move.to_fast ? move.gap + 1 : move.gap);
    const PoolPlace slow = slow_place(move.tensor);
    PlanStep s;
    s.kind = kind;
    s.tensor = liveness_.groups[group_of(move.tensor)].tensors.front();
    s.from = move.to_fast ? slow : fast;
    s.to = move.to_fast ? fast : slow;
    s.from.offset += from;
    s.to.offset += from;
    s.bytes = std::min(bytes, all - std::min(all, from));
    return s;
  }

  void schedule_moves() {
    for (const auto& move : residence_.moves) {
      std::uint64_t from = 0;
      for (const auto& chunk : move.chunks) {
        auto step = part_of(move, StepKind::begin, from, chunk.bytes);
        from += chunk.bytes;
        (move.to_fast ? bytes_in_ : bytes_out_)[chunk.kernel] += chunk.bytes;
        if (step.bytes > 0) beside_[chunk.kernel].push_back(std::move(step));
      }
      auto step = part_of(move, StepKind::copy, from, move.rest_bytes);
      step.predicted_seconds = move_seconds(move.rest_bytes, move.to_fast);
      if (step.bytes > 0) at_[move.rest_time].push_back(std::move(step));
    }
    for (std::uint32_t t = 0; t < problem_.tensors.size(); ++t) schedule_home_moves(t);
  }

  /// A parameter that lives in slow memory comes from there, and goes back when it is updated.
  void schedule_home_moves(std::uint32_t t) {
    if (home_of(t) != Home::slow) return;
    const auto& in_fast = placement_.tensors[t].in_fast;
    const auto& uses = problem_.tensors[t].uses;
    PlanStep s;
    s.kind = StepKind::copy;
    s.tensor = liveness_.groups[group_of(t)].tensors.front();
    s.bytes = bytes_of_tensor(t);
    if (s.bytes == 0) return;
    if (begins_ready(t) && in_fast.front() == 1) {
      s.from = slow_place(t);
      s.to = fast_place(t, 0);
      s.predicted_seconds = move_seconds(s.bytes, true);
      at_[read_time(uses.front())].push_back(s);
    }
    if (ends_in_update(t) && in_fast.back() == 1) {
      s.from = fast_place(t, static_cast<std::uint32_t>(uses.size() - 1));
      s.to = slow_place(t);
      s.predicted_seconds = move_seconds(s.bytes, false);
      at_[write_time(uses.back() + std::uint64_t{1})].push_back(s);
    }
  }

  void take_moves(std::uint64_t time) {
    const auto found = at_.find(time);
    if (found == at_.end()) return;
    for (auto& s : found->second) out_.plan.steps.push_back(std::move(s));
  }

  void add_kernel(std::size_t k) {
    take_moves(write_time(k));
    take_moves(read_time(k));
    const auto beside = beside_.find(static_cast<std::uint32_t>(k));
    if (beside != beside_.end()) {
      for (auto& s : beside->second) out_.plan.steps.push_back(std::move(s));
    }
    std::map<std::uint32_t, PoolPlace> places;  // by group
    for (const auto t : problem_.kernels[k].tensors) {
      const auto use = next_use_[t]++;
      places[group_of(t)] = place_at(t, use);
      now_[group_of(t)] = t;
    }
    double seconds = 0;
    if (step_.kernels[k].kind == KernelOrigin::Kind::start) add_begins(k);
    if (step_.kernels[k].kind == KernelOrigin::Kind::node) seconds = add_run(k, places);
    if (beside == beside_.end()) return;
    PlanStep wait;
    wait.kind = StepKind::wait;
    const auto kernel = static_cast<std::uint32_t>(k);
    const double moving =
        std::max(move_seconds(bytes_in_[kernel], true), move_seconds(bytes_out_[kernel], false));
    wait.predicted_seconds = std::max(0.0, moving - seconds);
    out_.plan.steps.push_back(wait);
  }

  void add_begins(std::size_t k) {
    for (const auto t : problem_.kernels[k].tensors) {
      const std::uint32_t g = group_of(t);
      const PoolPlace place = home_of(t) == Home::slow ? slow_place(t) : place_at(t, 0);
      for (const auto id : liveness_.groups[g].tensors) {
        if (graph_.tensors[id].producer == kNoNode) {
          out_.plan.begins.push_back({id, place});
          break;
        }
      }
    }
  }

  double add_run(std::size_t k, const std::map<std::uint32_t, PoolPlace>& places) {
    const KernelOrigin& origin = step_.kernels[k];
    const auto& node = graph_.nodes[origin.node];
    PlanStep s;
    s.node = origin.node;
    for (const auto id : node.inputs) s.inputs.push_back(places.at(liveness_.group_of[id]));
    for (const auto id : node.outputs) s.outputs.push_back(places.at(liveness_.group_of[id]));
    s.predicted_seconds = run_seconds(k, places);
    out_.plan.steps.push_back(s);
    return s.predicted_seconds;
  }

  /// The problem's time of a kernel, less the copy back that is a step of its own.
  [[nodiscard]] double run_seconds(std::size_t k,
                                   const std::map<std::uint32_t, PoolPlace>& places) const {
    const ProblemKernel& kernel = problem_.kernels[k];
    double seconds = kernel.fast_seconds;
    double write_back = 0;
    std::size_t mask = 0;
    for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
      const std::uint32_t t = kernel.tensors[b];
      if (places.at(group_of(t)).fast) {
        if (home_of(t) == Home::slow && ends_in_update(t) && problem_.tensors[t].uses.back() == k) {
          write_back = write_back_seconds(bytes_of_tensor(t), problem_.rates);
        }
      } else if (kernel.additive()) {
        seconds += kernel.slow_seconds[b];
      } else {
        mask |= std::size_t{1} << b;
      }
    }
    if (!kernel.additive()) seconds = kernel.seconds[mask];
    return std::max(0.0, seconds - write_back);
  }

  void find_results() {
    for (const auto id : graph_.results) {
      const std::uint32_t t = now_[liveness_.group_of[id]];
      const auto last = static_cast<std::uint32_t>(problem_.tensors[t].uses.size() - 1);
      out_.plan.results.push_back({id, place_at(t, last)});
    }
  }

  static constexpr double kNotScarce = 0.002;  // not worth a long search

  const Graph& graph_;
  const Liveness& liveness_;
  const StepProblem& step_;
  const Problem& problem_;
  const Placement& placement_;
  const DraftRequest& request_;
  Residence residence_;
  std::uint64_t end_time_;
  std::vector<std::uint32_t> item_of_;  ///< per stay
  std::vector<PoolPlace> place_of_;     ///< per stay
  std::map<std::uint32_t, PoolPlace> home_place_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> fast_stays_, slow_stays_;  ///< by tensor
  std::map<std::uint64_t, std::vector<PlanStep>> at_;      ///< moves the step waits for, by time
  std::map<std::uint32_t, std::vector<PlanStep>> beside_;  ///< by kernel
  std::map<std::uint32_t, std::uint64_t> bytes_in_, bytes_out_;
  std::vector<std::uint32_t> now_;       ///< per group: the tensor it is now
  std::vector<std::uint32_t> next_use_;  ///< per tensor
  PlanDraft out_;
};

}  // namespace

Result<PlanDraft> draft_plan(const Graph& graph, const Liveness& liveness, const StepProblem& step,
                             const Placement& placement, const DraftRequest& request) {
  return Drafter(graph, liveness, step, placement, request).make();
}

}  // namespace mete
