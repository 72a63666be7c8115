// Small random graphs, profiles and placements, and a machine on which every kernel is a hash of
// its operands' bytes: two plans do the same work exactly if they leave the same bytes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "mete/base/rng.h"
#include "mete/execute/execution_plan.h"
#include "mete/graph/layers.h"
#include "mete/graph/ops.h"
#include "mete/graph/training.h"
#include "mete/kernel/layout.h"

namespace mete::test {

/// A training step of a few layers on vectors and small images, with a table of embeddings.
inline Result<Graph> random_step(Rng& rng) {
  GraphBuilder b("random");
  TensorId x = b.input("images", {2, 4, 6, 6});
  const auto layers = 2 + rng.below(4);
  for (std::size_t i = 0; i < layers; ++i) {
    switch (rng.below(5)) {
      case 0:
        x = conv_layer(b, x, {.channels = 4, .kernel = {3, 3}, .pad = {1, 1}});
        break;
      case 1:
        x = relu_layer(b, x);
        break;
      case 2:
        x = batch_norm_layer(b, x);
        break;
      case 3:
        x = add_layer(b, x, relu_layer(b, x));
        break;
      default:
        x = conv_layer(b, x, {.channels = 4, .kernel = {1, 1}, .bias = false});
    }
  }
  x = flatten_layer(b, x);
  x = dense_layer(b, x, 8);
  if (rng.below(2) == 0) {
    const TensorId rows = b.input("rows", {2}, DataType::i64);
    x = add_layer(b, x, embedding_layer(b, rows, 16, 8));
  }
  classify(b, relu_layer(b, x));
  METE_TRY(const Graph forward, b.finish());
  return training_step(forward, 0.1);
}

/// Everything that a plan needs to know of a graph.
struct Subject {
  Graph graph;
  std::vector<Layout> layouts;
  Liveness liveness;
  GraphProfile profile;
};

inline Subject subject_of(Graph graph, Rng& rng) {
  Subject s;
  s.graph = std::move(graph);
  s.layouts = assign_layouts(s.graph);
  std::vector<bool> copied;
  for (NodeId n = 0; n < s.graph.nodes.size(); ++n) {
    copied.push_back(s.graph.nodes[n].op->reuse == Reuse::view &&
                     !is_free_view(s.graph, n, s.layouts));
  }
  s.liveness = liveness_of(s.graph, s.graph.nodes.size(), false, copied);
  s.profile.copies = {.fast_to_slow = 2e9, .slow_to_fast = 4e9};
  s.profile.environment.machine = "made by rule";
  for (NodeId n = 0; n < s.graph.nodes.size(); ++n) {
    s.profile.of_node.push_back(kNoProfile);
    if (is_free_view(s.graph, n, s.layouts)) continue;
    s.profile.of_node.back() = static_cast<std::uint32_t>(s.profile.kernels.size());
    const NodeSlots slots = slots_of(s.graph, s.liveness, n);
    KernelProfile kernel;
    kernel.slots = slots.groups.size();
    const bool table = slots.groups.size() < 4 && rng.below(2) == 0;
    const double fast = 1e-7 * (1 + rng.uniform());
    kernel.timings.push_back({.slow_mask = 0, .repeats = 1, .median_seconds = fast});
    for (std::uint32_t mask = 1; mask <= kernel.all_slow(); ++mask) {
      if (!table && (mask & (mask - 1)) != 0) continue;  // single slots, for additive kernels
      double seconds = fast;
      for (std::size_t b = 0; b < slots.groups.size(); ++b) {
        const auto bytes = static_cast<double>(s.liveness.groups[slots.groups[b]].bytes);
        if (((mask >> b) & 1U) != 0) seconds += bytes * 3e-10 * (0.5 + rng.uniform());
      }
      kernel.timings.push_back({.slow_mask = mask, .repeats = 1, .median_seconds = seconds});
    }
    s.profile.kernels.push_back(std::move(kernel));
  }
  return s;
}

inline std::vector<Home> random_homes(const Subject& s, Rng& rng) {
  auto homes = homes_of(s.graph, s.liveness, Home::slow);
  for (auto& home : homes) {
    if (home == Home::slow && rng.below(2) == 0) home = Home::fast;
  }
  return homes;
}

/// Any legal placement, with some of its moves in chunks.
inline Placement random_placement(const Problem& problem, Rng& rng) {
  const auto forced = forced_fast(problem);
  Placement out;
  for (std::uint32_t t = 0; t < problem.tensors.size(); ++t) {
    const auto& uses = problem.tensors[t].uses;
    TensorPlacement place;
    for (std::size_t j = 0; j < uses.size(); ++j) {
      place.in_fast.push_back(forced[t][j] || rng.below(2) == 0 ? 1 : 0);
    }
    for (std::size_t j = 0; j + 1 < uses.size(); ++j) {
      const bool may = place.in_fast[j] == 1 && place.in_fast[j + 1] == 1;
      place.kept_fast.push_back(may && rng.below(2) == 0 ? 1 : 0);
    }
    bool unwritten = place.in_fast[0] == 1;
    for (std::uint32_t gap = 0; gap + 1 < uses.size(); ++gap) {
      if (place.kept_fast[gap] == 1) continue;
      std::uint32_t from = uses[gap] + 1;
      const auto carry = [&](bool to_fast, std::uint32_t first, std::uint32_t end) {
        std::uint64_t left = problem.tensors[t].bytes;
        std::uint32_t last = first;
        for (std::uint32_t k = first; k < end && left > 0; ++k) {
          if (rng.below(3) != 0) continue;
          const std::uint64_t bytes = rng.below(3) == 0 ? left : 1 + rng.below(left);
          out.chunks.push_back(
              {.tensor = t, .gap = gap, .to_fast = to_fast, .kernel = k, .bytes = bytes});
          left -= bytes;
          last = k + 1;
        }
        return last;
      };
      if (unwritten) from = std::max(from, carry(false, uses[0] + 1, uses[gap + 1]));
      unwritten = false;
      if (place.in_fast[gap + 1] == 1) carry(true, from, uses[gap + 1]);
    }
    out.tensors.push_back(std::move(place));
  }
  return out;
}

/// Runs plans on bytes. Kernels mix the bytes of their inputs into their outputs.
class HashMachine {
 public:
  HashMachine(const ExecutionPlan& plan, const Graph& graph, bool copies_late)
      : plan_(plan), graph_(graph), late_(copies_late) {
    Rng garbage(late_ ? 1 : 2);
    for (const bool fast : {true, false}) {
      pools_[fast ? 1 : 0].resize(fast ? plan.fast_bytes : plan.slow_bytes);
      for (auto& byte : pools_[fast ? 1 : 0]) byte = static_cast<std::uint8_t>(garbage.next());
    }
    for (const auto& held : plan.begins) fill(held);
  }

  /// False if an address is outside of its pool.
  bool step() {
    for (const auto& held : plan_.begins) {
      if (graph_.tensors[held.tensor].role == TensorRole::input) fill(held);
    }
    for (const auto& s : plan_.steps) {
      if (s.kind == StepKind::run && !run(s)) return false;
      if (s.kind == StepKind::wait) land();
      if (s.kind != StepKind::copy && s.kind != StepKind::begin) continue;
      if (!inside(s.from, s.bytes) || !inside(s.to, s.bytes)) return false;
      flying_.push_back(&s);
      if (s.kind == StepKind::copy || !late_) {
        const PlanStep* last = flying_.back();
        flying_.pop_back();
        copy(*last);
      }
    }
    return true;
  }

  /// What the parameters and results hold.
  std::map<TensorId, std::vector<std::uint8_t>> left() {
    std::map<TensorId, std::vector<std::uint8_t>> out;
    for (const auto& held : plan_.begins) {
      if (graph_.tensors[held.tensor].role != TensorRole::input) out[held.tensor] = bytes_of(held);
    }
    for (const auto& held : plan_.results) out[held.tensor] = bytes_of(held);
    return out;
  }

 private:
  bool inside(PoolPlace place, std::uint64_t bytes) const {
    const auto size = pools_[place.fast ? 1 : 0].size();
    return bytes <= size && place.offset <= size - bytes;
  }
  std::uint8_t* at(PoolPlace place) { return pools_[place.fast ? 1 : 0].data() + place.offset; }

  void fill(const HeldTensor& held) {
    Rng rng(held.tensor + 100);
    if (!inside(held.place, graph_.tensors[held.tensor].bytes())) return;
    for (std::uint64_t i = 0; i < graph_.tensors[held.tensor].bytes(); ++i) {
      at(held.place)[i] = static_cast<std::uint8_t>(rng.next());
    }
  }
  std::vector<std::uint8_t> bytes_of(const HeldTensor& held) {
    if (!inside(held.place, graph_.tensors[held.tensor].bytes())) return {};
    return {at(held.place), at(held.place) + graph_.tensors[held.tensor].bytes()};
  }
  void copy(const PlanStep& s) {
    const std::vector<std::uint8_t> bytes(at(s.from), at(s.from) + s.bytes);
    std::copy(bytes.begin(), bytes.end(), at(s.to));
  }
  void land() {
    for (const auto* s : flying_) copy(*s);
    flying_.clear();
  }

  bool run(const PlanStep& s) {
    const auto& node = graph_.nodes[s.node];
    std::uint64_t hash = s.node + 1;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::uint64_t bytes = graph_.tensors[node.inputs[i]].bytes();
      if (!inside(s.inputs[i], bytes)) return false;
      for (std::uint64_t b = 0; b < bytes; ++b) {
        hash = (hash ^ at(s.inputs[i])[b]) * 0x100000001B3ULL + i;
      }
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const std::uint64_t bytes = graph_.tensors[node.outputs[i]].bytes();
      if (!inside(s.outputs[i], bytes)) return false;
      Rng rng(hash + i);
      for (std::uint64_t b = 0; b < bytes; ++b) {
        at(s.outputs[i])[b] = static_cast<std::uint8_t>(rng.next());
      }
    }
    return true;
  }

  const ExecutionPlan& plan_;
  const Graph& graph_;
  bool late_;
  std::vector<std::uint8_t> pools_[2];
  std::vector<const PlanStep*> flying_;
};

}  // namespace mete::test
