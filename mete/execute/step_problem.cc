// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/step_problem.h"

#include <algorithm>

#include "mete/execute/packing.h"

namespace mete {
namespace {

/// The node updates the memory of its input where it lies.
bool updates(const GraphNode& node) { return node.op->reuse == Reuse::must; }

class StepProblemMaker {
 public:
  StepProblemMaker(const Graph& graph, const Liveness& liveness, const GraphProfile& profile,
                   std::span<const Home> homes)
      : graph_(graph), liveness_(liveness), profile_(profile) {
    out_.homes.assign(homes.begin(), homes.end());
    out_.problem.name = graph.name;
    out_.problem.rates = {.fast_to_slow = profile.copies.fast_to_slow,
                          .slow_to_fast = profile.copies.slow_to_fast};
    const auto& e = profile.environment;
    out_.problem.source = fmt::format("profiled on {}, {} threads, {}; slow memory {}", e.machine,
                                      e.threads, e.libraries, e.slow_tier);
    now_.assign(liveness.groups.size(), kNoTensor);
    kept_to_end_.assign(liveness.groups.size(), false);
    last_node_.assign(liveness.groups.size(), kNoNode);
  }

  Result<StepProblem> make() {
    METE_TRY_VOID(check_sizes());
    for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
      if (profile_.of_node[n] == kNoProfile) continue;
      for (const auto g : slots_of(graph_, liveness_, n).groups) last_node_[g] = n;
    }
    for (const auto id : graph_.results) kept_to_end_[liveness_.group_of[id]] = true;
    add_start();
    for (NodeId n = 0; n < graph_.nodes.size(); ++n) {
      if (profile_.of_node[n] != kNoProfile) METE_TRY_VOID(add_node(n));
    }
    add_end();
    METE_TRY_VOID(check(out_.problem));
    return std::move(out_);
  }

 private:
  Result<void> check_sizes() const {
    if (profile_.of_node.size() != graph_.nodes.size()) {
      return fail(Errc::invalid, "the profile is of a graph of {} nodes; {} has {}",
                  profile_.of_node.size(), graph_.name, graph_.nodes.size());
    }
    if (out_.homes.size() != liveness_.groups.size()) {
      return fail(Errc::internal, "homes for {} pieces of memory of {}", out_.homes.size(),
                  liveness_.groups.size());
    }
    return {};
  }

  std::uint32_t new_version(std::uint32_t g) {
    const std::uint64_t bytes = liveness_.groups[g].bytes;
    const auto t =
        out_.problem.add_tensor((bytes + kPackAlignment - 1) / kPackAlignment * kPackAlignment);
    const bool first = now_[g] == kNoTensor;
    const std::uint32_t version = first ? 0 : out_.tensors[now_[g]].version + 1;
    if (!first) out_.tensors[now_[g]].last_version = false;
    out_.tensors.push_back({g, version, first, true});
    now_[g] = t;
    return t;
  }

  [[nodiscard]] double read_seconds(std::uint32_t g) const {
    return static_cast<double>(liveness_.groups[g].bytes) / out_.problem.rates.slow_to_fast;
  }

  /// An additive kernel of 0 seconds, but for what each slot says that being fast or slow costs.
  struct Slot {
    std::uint32_t tensor = 0;
    double fast = 0;
    double slow = 0;
  };
  void add_marker(std::string name, KernelOrigin origin, const std::vector<Slot>& slots) {
    std::vector<std::uint32_t> touched;
    std::vector<double> slow;
    double fast = 0;
    for (const auto& slot : slots) {
      touched.push_back(slot.tensor);
      slow.push_back(slot.slow - slot.fast);
      fast += slot.fast;
    }
    // Rounding must not make all-slow take less than no time.
    double least = fast;
    for (const double s : slow) least += std::min(0.0, s);
    if (least < 0) fast *= 1 + 1e-9;
    out_.problem.add_additive_kernel(std::move(name), touched, fast, slow);
    out_.kernels.push_back(origin);
  }

  /// What a version costs to have in fast or slow memory when it begins, where its home is.
  [[nodiscard]] Slot beginning(std::uint32_t g, std::uint32_t t) const {
    Slot slot{.tensor = t};
    if (out_.homes[g] == Home::slow) slot.fast = read_seconds(g);
    if (out_.homes[g] == Home::fast) slot.slow = kCannotRun;
    return slot;
  }

  void add_start() {
    std::vector<Slot> slots;
    for (std::uint32_t g = 0; g < liveness_.groups.size(); ++g) {
      if (!liveness_.groups[g].persistent) continue;
      slots.push_back(beginning(g, new_version(g)));
      const Home home = out_.homes[g];
      if (home == Home::still || home == Home::open || home == Home::fast) kept_to_end_[g] = true;
    }
    add_marker("start", {.kind = KernelOrigin::Kind::start}, slots);
  }

  void add_end() {
    std::vector<Slot> slots;
    for (std::uint32_t g = 0; g < liveness_.groups.size(); ++g) {
      if (!kept_to_end_[g] || now_[g] == kNoTensor) continue;
      Slot slot{.tensor = now_[g]};
      if (out_.homes[g] == Home::fast) slot.slow = kCannotRun;
      out_.problem.tensors[now_[g]].returns = out_.homes[g] == Home::open;
      slots.push_back(slot);
    }
    add_marker("end", {.kind = KernelOrigin::Kind::end}, slots);
  }

  Result<void> add_node(NodeId n) {
    const auto& node = graph_.nodes[n];
    const NodeSlots slots = slots_of(graph_, liveness_, n);
    if (profile_.of_node[n] >= profile_.kernels.size() ||
        profile_.kernels[profile_.of_node[n]].slots != slots.groups.size()) {
      return fail(Errc::invalid, "node {} ({}): the profile is not of this graph", n,
                  node.op->name);
    }
    const KernelProfile& kernel = profile_.kernels[profile_.of_node[n]];
    std::vector<std::uint32_t> touched;
    for (const auto g : slots.groups) {
      touched.push_back(now_[g] == kNoTensor ? new_version(g) : now_[g]);
    }
    const std::size_t updated = updates(node) ? slots.of_input[node.op->reused] : touched.size();
    // What lives in fast memory is updated there; what lives in slow memory goes back.
    const bool stays = updated < touched.size() && out_.homes[slots.groups[updated]] == Home::fast;
    double write_back = 0;
    if (updated < touched.size() && out_.homes[slots.groups[updated]] == Home::slow) {
      write_back =
          write_back_seconds(liveness_.groups[slots.groups[updated]].bytes, out_.problem.rates);
    }
    if (updated < touched.size() && out_.homes[slots.groups[updated]] == Home::open) {
      auto& tensor = out_.problem.tensors[touched[updated]];
      tensor.changes.push_back(static_cast<std::uint32_t>(tensor.uses.size()));
    }
    const KernelOrigin origin{
        .kind = KernelOrigin::Kind::node, .node = n, .profile = profile_.of_node[n]};
    out_.kernels.push_back(origin);
    const std::string op(node.op->name);
    if (!kernel.complete() || touched.size() > kMostTableSlots) {
      std::vector<double> slow;
      for (std::size_t b = 0; b < touched.size(); ++b) {
        // Faster in slow memory is noise, of which an optimizer would make a habit.
        slow.push_back(std::max(0.0, kernel.seconds(std::uint32_t{1} << b) - kernel.seconds(0)));
        if (b == updated) slow.back() = stays ? kCannotRun : slow.back() - write_back;
      }
      out_.problem.add_additive_kernel(op, touched, kernel.seconds(0) + write_back, slow);
    } else {
      std::vector<double> table;
      for (std::uint32_t mask = 0; mask < (1U << touched.size()); ++mask) {
        const bool in_fast = updated < touched.size() && ((mask >> updated) & 1U) == 0;
        const bool never = stays && ((mask >> updated) & 1U) != 0;
        table.push_back(never ? kCannotRun : kernel.seconds(mask) + (in_fast ? write_back : 0));
      }
      out_.problem.add_kernel(op, touched, table);
    }
    if (updated < touched.size()) begin_version(slots.groups[updated], n);
    return {};
  }

  void begin_version(std::uint32_t g, NodeId n) {
    const Home home = out_.homes[g];
    const bool needed = home == Home::fast || (home == Home::slow && last_node_[g] > n);
    if (!needed) return;
    const auto t = new_version(g);
    add_marker("updated", {.kind = KernelOrigin::Kind::updated, .node = n}, {beginning(g, t)});
  }

  const Graph& graph_;
  const Liveness& liveness_;
  const GraphProfile& profile_;
  StepProblem out_;
  std::vector<std::uint32_t> now_;  ///< per group: its tensor of the problem
  std::vector<bool> kept_to_end_;   ///< per group
  std::vector<NodeId> last_node_;   ///< per group: the last that is a kernel
};

}  // namespace

Result<StepProblem> problem_of(const Graph& graph, const Liveness& liveness,
                               const GraphProfile& profile, std::span<const Home> homes) {
  return StepProblemMaker(graph, liveness, profile, homes).make();
}

std::vector<Home> homes_of(const Graph& graph, const Liveness& liveness, Home home) {
  std::vector<Home> homes(liveness.groups.size(), Home::none);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].role == TensorRole::parameter && liveness.group_of[id] != kNoGroup) {
      homes[liveness.group_of[id]] = home;
    }
  }
  return homes;
}

double write_back_seconds(std::uint64_t bytes, const MoveRates& rates) {
  return static_cast<double>(bytes) / rates.fast_to_slow;
}

}  // namespace mete
