// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/kernel.h"

#include <algorithm>

#include "mete/base/plugin.h"
#include "mete/base/text.h"
#include "mete/graph/ops.h"

namespace mete {

Result<KernelLibrary*> open_dnn_library() {
  return open_plugin<KernelLibrary>({.file = "mete_blas.so",
                                     .symbol = kDnnPluginSymbol,
                                     .abi = kDnnPluginAbi,
                                     .need = "running networks on the CPU needs oneDNN",
                                     .packages = "libopenblas-openmp-dev libdnnl-dev"});
}

Result<ChosenKernel> choose_kernel(std::span<KernelLibrary* const> libraries,
                                   const KernelJob& job) {
  ChosenKernel chosen;
  for (KernelLibrary* library : libraries) {
    auto kernel = library->make(job);
    if (kernel) {
      chosen.kernel = std::move(*kernel);
      chosen.library = library->name();
      return chosen;
    }
    chosen.refusals.push_back(fmt::format("{}: {}", library->name(), kernel.error().what));
  }
  return fail(Errc::unsupported, "{}: no kernel runs it ({})", job.op->name,
              chosen.refusals.empty() ? "no library was asked" : join(chosen.refusals, "; "));
}

KernelJob job_of(const Graph& graph, NodeId node, std::span<const Layout> layouts, int threads) {
  const GraphNode& of = graph.nodes[node];
  KernelJob job{of.op, of.attributes, {}, {}, threads};
  for (const auto id : of.inputs) job.inputs.push_back({graph.tensors[id].type, layouts[id]});
  for (const auto id : of.outputs) job.outputs.push_back({graph.tensors[id].type, layouts[id]});
  return job;
}

OperandTraffic traffic_of(const Graph& graph, NodeId node) {
  const GraphNode& of = graph.nodes[node];
  OperandTraffic traffic;
  for (const auto id : of.inputs) traffic.read.push_back(graph.tensors[id].bytes());
  for (const auto id : of.outputs) traffic.written.push_back(graph.tensors[id].bytes());
  // Ops by name: a graph that a plugin made has that plugin's copies of them.
  const auto is = [&of](const Op& op) { return of.op->name == op.name; };
  if (is(kEmbeddingOp)) {
    traffic.read[0] = std::min(traffic.read[0], traffic.written[0]);
  } else if (is(kEmbeddingSgdOp)) {
    traffic.read[0] = std::min(traffic.read[0], traffic.read[1]);
    traffic.written[0] = traffic.read[0];
  } else if (is(kSliceOp)) {
    traffic.read[0] = traffic.written[0];
  }
  return traffic;
}

}  // namespace mete
