// The judge of execution plans. It knows the graph and nothing of placements, and is written to be
// read. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>

#include "mete/execute/execution_plan.h"

namespace mete {
namespace {

constexpr std::uint64_t kOperandAlignment = 64;

/// Bytes of one pool, and which bytes of which value they hold.
class PoolContents {
 public:
  struct Segment {
    std::uint64_t end = 0;
    TensorId value = kNoTensor;
    std::uint64_t start = 0;  ///< which byte of the value is its first
  };

  void erase(std::uint64_t begin, std::uint64_t end) {
    if (begin >= end) return;
    split(begin);
    split(end);
    segments_.erase(segments_.lower_bound(begin), segments_.lower_bound(end));
  }

  void write(std::uint64_t begin, std::uint64_t bytes, TensorId value, std::uint64_t start) {
    if (bytes == 0) return;
    erase(begin, begin + bytes);
    segments_[begin] = {begin + bytes, value, start};
  }

  /// What lies in [begin, begin + bytes), if that is one run of bytes of one value.
  [[nodiscard]] bool one_value(std::uint64_t begin, std::uint64_t bytes, Segment& found) const {
    auto at = segments_.upper_bound(begin);
    if (at == segments_.begin()) return false;
    --at;
    if (at->second.end <= begin) return false;
    found = {begin + bytes, at->second.value, at->second.start + (begin - at->first)};
    std::uint64_t covered = at->second.end;
    while (covered < begin + bytes) {
      ++at;
      if (at == segments_.end() || at->first != covered || at->second.value != found.value ||
          at->second.start != found.start + (covered - begin)) {
        return false;
      }
      covered = at->second.end;
    }
    return true;
  }

  [[nodiscard]] bool empty(std::uint64_t begin, std::uint64_t end) const {
    auto at = segments_.lower_bound(begin);
    if (at != segments_.end() && at->first < end) return false;
    return at == segments_.begin() || std::prev(at)->second.end <= begin;
  }

 private:
  void split(std::uint64_t at) {
    auto next = segments_.upper_bound(at);
    if (next == segments_.begin()) return;
    auto& [begin, segment] = *std::prev(next);
    if (begin == at || segment.end <= at) return;
    segments_[at] = {segment.end, segment.value, segment.start + (at - begin)};
    segment.end = at;
  }

  std::map<std::uint64_t, Segment> segments_;  ///< by first byte; never two that overlap
};

/// A copy that has begun and nobody has waited for.
struct Flight {
  PoolPlace from, to;
  std::uint64_t bytes = 0;
  PoolContents::Segment carried;
};

bool overlap(PoolPlace a, std::uint64_t a_bytes, PoolPlace b, std::uint64_t b_bytes) {
  return a.fast == b.fast && a.offset < b.offset + b_bytes && b.offset < a.offset + a_bytes;
}

class Verifier {
 public:
  Verifier(const ExecutionPlan& plan, const Graph& graph, std::span<const Layout> layouts)
      : plan_(plan), graph_(graph), layouts_(layouts), owner_(graph.tensors.size(), kNoTensor) {
    for (TensorId id = 0; id < graph.tensors.size(); ++id) {
      value_.push_back(id);
      if (graph.tensors[id].role == TensorRole::parameter) owner_[id] = id;
    }
  }

  Result<void> run(std::uint64_t limit) {
    if (plan_.fast_bytes > limit) {
      return fail(Errc::invalid, "its fast pool holds {} bytes, above the limit of {}",
                  plan_.fast_bytes, limit);
    }
    METE_TRY_VOID(begin());
    for (step_ = 0; step_ < plan_.steps.size(); ++step_) METE_TRY_VOID(follow(plan_.steps[step_]));
    METE_TRY_VOID(skip_views(static_cast<NodeId>(graph_.nodes.size())));
    return end();
  }

 private:
  template <class... Args>
  Error refuse(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Errc::invalid, "step {}: {}", step_,
                fmt::format(format, std::forward<Args>(args)...));
  }

  PoolContents& pool(bool fast) { return fast ? fast_ : slow_; }

  [[nodiscard]] std::string place_text(PoolPlace place) const {
    return fmt::format("{} + {}", place.fast ? "fast" : "slow", place.offset);
  }

  [[nodiscard]] const std::string& name(TensorId id) const { return graph_.tensors[id].name; }

  Result<void> check_place(PoolPlace place, std::uint64_t bytes) const {
    const std::uint64_t size = place.fast ? plan_.fast_bytes : plan_.slow_bytes;
    if (bytes <= size && place.offset <= size - bytes) return {};
    return refuse("{} bytes at {} are outside of the pool of {}", bytes, place_text(place), size);
  }

  /// The value that reading this tensor must give now: a parameter's is that of its last update.
  [[nodiscard]] TensorId expected(TensorId id) const { return value_[id]; }

  Result<void> check_read(TensorId id, PoolPlace place) {
    const std::uint64_t bytes = graph_.tensors[id].bytes();
    METE_TRY_VOID(check_place(place, bytes));
    for (const auto& flight : flights_) {
      if (overlap(place, bytes, flight.to, flight.bytes)) {
        return refuse("reads {} at {}, which is still on its way", name(id), place_text(place));
      }
    }
    if (bytes == 0) return {};
    PoolContents::Segment found;
    if (!pool(place.fast).one_value(place.offset, bytes, found)) {
      return refuse("reads {} at {}, where it is not, or not whole", name(id), place_text(place));
    }
    if (found.value != expected(id) || found.start != 0) {
      return refuse("reads {} at {}, where {} lies", name(id), place_text(place),
                    found.value == expected(id) ? "another part of it" : name(found.value));
    }
    return {};
  }

  Result<void> check_write(PoolPlace place, std::uint64_t bytes) const {
    METE_TRY_VOID(check_place(place, bytes));
    for (const auto& flight : flights_) {
      if (overlap(place, bytes, flight.from, flight.bytes) ||
          overlap(place, bytes, flight.to, flight.bytes)) {
        return refuse("writes to {} while a copy of it is on its way", place_text(place));
      }
    }
    return {};
  }

  Result<void> begin() {
    for (const auto& held : plan_.begins) {
      if (held.tensor >= graph_.tensors.size() ||
          graph_.tensors[held.tensor].role == TensorRole::intermediate) {
        return fail(Errc::invalid, "what the step begins with: tensor {} is no parameter or input",
                    held.tensor);
      }
      const std::uint64_t bytes = graph_.tensors[held.tensor].bytes();
      METE_TRY_VOID(check_place(held.place, bytes));
      if (held.place.offset % kOperandAlignment != 0 ||
          !pool(held.place.fast).empty(held.place.offset, held.place.offset + bytes)) {
        return fail(Errc::invalid, "what the step begins with: {} at {} lies on another, or askew",
                    name(held.tensor), place_text(held.place));
      }
      pool(held.place.fast).write(held.place.offset, bytes, held.tensor, 0);
    }
    return {};
  }

  Result<void> follow(const PlanStep& step) {
    switch (step.kind) {
      case StepKind::run:
        return run_node(step);
      case StepKind::copy:
      case StepKind::begin: {
        METE_TRY(auto flight, take_off(step));
        if (step.kind == StepKind::begin) {
          pool(step.to.fast).erase(step.to.offset, step.to.offset + step.bytes);
          flights_.push_back(flight);
        } else {
          land(flight);
        }
        return {};
      }
      case StepKind::wait:
        for (const auto& flight : flights_) land(flight);
        flights_.clear();
        return {};
    }
    return refuse("is of no kind");
  }

  Result<Flight> take_off(const PlanStep& step) {
    METE_TRY_VOID(check_place(step.from, step.bytes));
    METE_TRY_VOID(check_write(step.to, step.bytes));
    if (step.bytes == 0) return refuse("copies nothing");
    if (overlap(step.from, step.bytes, step.to, step.bytes)) {
      return refuse("copies from {} onto itself", place_text(step.from));
    }
    for (const auto& flight : flights_) {
      if (overlap(step.from, step.bytes, flight.to, flight.bytes)) {
        return refuse("copies from {}, which is still on its way", place_text(step.from));
      }
    }
    Flight flight{step.from, step.to, step.bytes, {}};
    if (!pool(step.from.fast).one_value(step.from.offset, step.bytes, flight.carried)) {
      return refuse("copies {} bytes from {}, which are not of one tensor", step.bytes,
                    place_text(step.from));
    }
    return flight;
  }

  void land(const Flight& flight) {
    pool(flight.to.fast)
        .write(flight.to.offset, flight.bytes, flight.carried.value, flight.carried.start);
  }

  /// Views between the last node that ran and this one cost no step: they are their inputs.
  Result<void> skip_views(NodeId until) {
    for (; next_node_ < until; ++next_node_) {
      if (!is_free_view(graph_, next_node_, layouts_)) {
        return refuse("node {} ({}) should have run before it", next_node_,
                      graph_.nodes[next_node_].op->name);
      }
      const auto& node = graph_.nodes[next_node_];
      value_[node.outputs[0]] = value_[node.inputs[node.op->reused]];
      owner_[node.outputs[0]] = owner_[node.inputs[node.op->reused]];
    }
    return {};
  }

  Result<void> run_node(const PlanStep& step) {
    if (step.node >= graph_.nodes.size()) return refuse("node {} does not exist", step.node);
    if (step.node < next_node_) return refuse("node {} has run already", step.node);
    METE_TRY_VOID(skip_views(step.node));
    const auto& node = graph_.nodes[step.node];
    if (is_free_view(graph_, step.node, layouts_)) {
      return refuse("node {} is a view: there is nothing to run", step.node);
    }
    next_node_ = step.node + 1;
    if (step.inputs.size() != node.inputs.size() || step.outputs.size() != node.outputs.size()) {
      return refuse("node {} ({}) has {} inputs and {} outputs; the step names {} and {}",
                    step.node, node.op->name, node.inputs.size(), node.outputs.size(),
                    step.inputs.size(), step.outputs.size());
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      METE_TRY_VOID(check_read(node.inputs[i], step.inputs[i]));
      if (step.inputs[i].offset % kOperandAlignment != 0) return refuse("input {} lies askew", i);
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      METE_TRY_VOID(check_output(step, node, i));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) write_output(step, node, i);
    return {};
  }

  Result<void> check_output(const PlanStep& step, const GraphNode& node, std::size_t i) {
    const PoolPlace place = step.outputs[i];
    const std::uint64_t bytes = graph_.tensors[node.outputs[i]].bytes();
    METE_TRY_VOID(check_write(place, bytes));
    if (place.offset % kOperandAlignment != 0) return refuse("output {} lies askew", i);
    const bool may_reuse =
        i == 0 && (node.op->reuse == Reuse::may || node.op->reuse == Reuse::must);
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      if (!overlap(place, bytes, step.inputs[j], graph_.tensors[node.inputs[j]].bytes())) continue;
      if (may_reuse && j == node.op->reused && place == step.inputs[j]) continue;
      return refuse("node {} ({}): output {} lies on input {}", step.node, node.op->name, i, j);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (overlap(place, bytes, step.outputs[j], graph_.tensors[node.outputs[j]].bytes())) {
        return refuse("node {} ({}): outputs {} and {} lie on each other", step.node, node.op->name,
                      j, i);
      }
    }
    if (i == 0 && node.op->reuse == Reuse::must && place != step.inputs[node.op->reused]) {
      return refuse("node {} ({}) must update its input where it lies", step.node, node.op->name);
    }
    return {};
  }

  void write_output(const PlanStep& step, const GraphNode& node, std::size_t i) {
    const TensorId id = node.outputs[i];
    if (i == 0 && node.op->reuse == Reuse::must) {
      // From here on the parameter, by whatever name, is what the update made of it.
      const TensorId owner = owner_[node.inputs[node.op->reused]];
      owner_[id] = owner;
      for (TensorId other = 0; other < value_.size(); ++other) {
        if (owner != kNoTensor && owner_[other] == owner) value_[other] = id;
      }
    }
    value_[id] = id;
    pool(step.outputs[i].fast).write(step.outputs[i].offset, graph_.tensors[id].bytes(), id, 0);
  }

  Result<void> end() {
    if (!flights_.empty()) return refuse("nobody waits for {} copies", flights_.size());
    for (const auto& held : plan_.begins) {
      if (graph_.tensors[held.tensor].role == TensorRole::input) continue;
      auto there = check_read(held.tensor, held.place);
      if (!there) return there.error().within("after the step, for the next one");
    }
    for (const auto id : graph_.results) {
      const auto at = std::find_if(plan_.results.begin(), plan_.results.end(),
                                   [id](const HeldTensor& held) { return held.tensor == id; });
      if (at == plan_.results.end()) return refuse("the result {} is nowhere", name(id));
      METE_TRY_VOID(check_read(id, at->place));
    }
    return {};
  }

  const ExecutionPlan& plan_;
  const Graph& graph_;
  std::span<const Layout> layouts_;
  PoolContents fast_, slow_;
  std::vector<Flight> flights_;
  std::vector<TensorId> value_;  ///< per tensor: what reading it must give
  std::vector<TensorId> owner_;  ///< per tensor: the parameter whose memory it is
  NodeId next_node_ = 0;
  std::size_t step_ = 0;
};

}  // namespace

Result<void> verify(const ExecutionPlan& plan, const Graph& graph, std::span<const Layout> layouts,
                    std::uint64_t limit_bytes) {
  if (layouts.size() != graph.tensors.size()) {
    return fail(Errc::internal, "{} layouts for {} tensors", layouts.size(), graph.tensors.size());
  }
  return Verifier(plan, graph, layouts).run(limit_bytes);
}

}  // namespace mete
