// A graph in plain memory of this process, run node by node: how results of kernels are compared,
// and how tests run whole models. Nothing is placed or moved here; that is the execute room's.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/rng.h"
#include "mete/graph/graph.h"
#include "mete/graph/liveness.h"
#include "mete/kernel/kernel.h"

namespace mete {

struct GraphRunOptions {
  std::vector<Layout> layouts = {};  ///< one per tensor; empty: all plain
  /// Results overwrite inputs where liveness allows; such inputs cannot be read after the run.
  /// Otherwise only views share memory, and what is updated where it lies (SGD).
  bool in_place = false;
  int threads = 1;
};

/// The graph must outlive it. One thread uses it.
class GraphRun {
 public:
  /// Chooses a kernel for every node but free views. Takes all the memory that the graph's tensors
  /// need, each in a place of its own. Errors name the layer.
  static Result<GraphRun> make(const Graph& graph, std::span<KernelLibrary* const> libraries,
                               GraphRunOptions options = {});

  /// All nodes in order. `failed` if a kernel wrote beyond its results.
  Result<void> run();
  Result<void> run_node(NodeId node);

  /// Fills inputs and parameters (initial_values.h): the same seed, the same numbers in any layout.
  void fill(std::uint64_t seed);
  /// `plain`: all elements of the tensor, in the plain layout.
  void set(TensorId id, const void* plain);
  void set(TensorId id, std::span<const float> plain) { set(id, plain.data()); }
  void set(TensorId id, std::span<const std::int64_t> plain) { set(id, plain.data()); }
  /// All elements of an f32 tensor, in the plain layout.
  [[nodiscard]] std::vector<float> values(TensorId id) const;

  /// Where the tensor lies, in its own layout.
  [[nodiscard]] std::byte* data(TensorId id) const;
  [[nodiscard]] const std::vector<Layout>& layouts() const { return options_.layouts; }
  /// Its kernel is nullptr for a free view.
  [[nodiscard]] const ChosenKernel& chosen(NodeId node) const { return kernels_[node]; }

 private:
  struct FreeBytes {
    void operator()(std::byte* bytes) const noexcept;
  };
  using Buffer = std::unique_ptr<std::byte[], FreeBytes>;

  GraphRun(const Graph& graph, GraphRunOptions options)
      : graph_(&graph), options_(std::move(options)) {}
  Result<void> choose(std::span<KernelLibrary* const> libraries);
  Result<void> take_memory(const std::vector<bool>& copied_views);
  [[nodiscard]] bool intact(TensorId id) const;

  const Graph* graph_;
  GraphRunOptions options_;
  std::vector<ChosenKernel> kernels_;  ///< per node
  Liveness liveness_;
  std::vector<Buffer> buffers_;  ///< per memory group
};

}  // namespace mete
