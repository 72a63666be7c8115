// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/run_graph.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "mete/kernel/initial_values.h"

namespace mete {
namespace {

constexpr std::size_t kAlignment = 64;
/// Behind each piece of memory, so that a kernel which writes beyond its result is found.
constexpr std::size_t kGuard = 64;
constexpr auto kGuardByte = std::byte{0xA5};
/// As floats these are not numbers, as row numbers they are refused: what is read before it is
/// written shows.
constexpr int kUnwritten = 0xFF;

}  // namespace

void GraphRun::FreeBytes::operator()(std::byte* bytes) const noexcept { std::free(bytes); }

Result<GraphRun> GraphRun::make(const Graph& graph, std::span<KernelLibrary* const> libraries,
                                GraphRunOptions options) {
  if (options.layouts.empty()) options.layouts.assign(graph.tensors.size(), Layout::plain);
  if (options.layouts.size() != graph.tensors.size()) {
    return fail(Errc::internal, "{}: {} layouts given for {} tensors", graph.name,
                options.layouts.size(), graph.tensors.size());
  }
  GraphRun run(graph, std::move(options));
  METE_TRY_VOID(run.choose(libraries));
  std::vector<bool> copied(graph.nodes.size(), false);
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    copied[n] = graph.nodes[n].op->reuse == Reuse::view && run.kernels_[n].kernel != nullptr;
  }
  METE_TRY_VOID(run.take_memory(copied));
  return run;
}

Result<void> GraphRun::choose(std::span<KernelLibrary* const> libraries) {
  for (NodeId n = 0; n < graph_->nodes.size(); ++n) {
    if (is_free_view(*graph_, n, options_.layouts)) {
      kernels_.emplace_back();
      continue;
    }
    auto chosen = choose_kernel(libraries, job_of(*graph_, n, options_.layouts, options_.threads));
    if (!chosen) return chosen.error().within(graph_->layers[graph_->nodes[n].layer].name);
    kernels_.push_back(std::move(*chosen));
  }
  return {};
}

Result<void> GraphRun::take_memory(const std::vector<bool>& copied_views) {
  liveness_ = liveness_of(*graph_, graph_->nodes.size(), options_.in_place, copied_views);
  for (const auto& group : liveness_.groups) {
    const std::size_t size = (group.bytes + kGuard + kAlignment - 1) / kAlignment * kAlignment;
    Buffer buffer(static_cast<std::byte*>(std::aligned_alloc(kAlignment, size)));
    if (buffer == nullptr) {
      return fail(Errc::failed, "{}: no memory for a tensor of {} bytes; choose a smaller batch",
                  graph_->name, group.bytes);
    }
    std::memset(buffer.get(), kUnwritten, group.bytes);
    std::fill_n(buffer.get() + group.bytes, kGuard, kGuardByte);
    buffers_.push_back(std::move(buffer));
  }
  return {};
}

std::byte* GraphRun::data(TensorId id) const { return buffers_[liveness_.group_of[id]].get(); }

bool GraphRun::intact(TensorId id) const {
  const std::byte* guard = data(id) + liveness_.groups[liveness_.group_of[id]].bytes;
  return std::all_of(guard, guard + kGuard, [](std::byte each) { return each == kGuardByte; });
}

Result<void> GraphRun::run() {
  for (NodeId n = 0; n < graph_->nodes.size(); ++n) METE_TRY_VOID(run_node(n));
  return {};
}

Result<void> GraphRun::run_node(NodeId node) {
  const GraphNode& of = graph_->nodes[node];
  if (kernels_[node].kernel == nullptr) return {};
  std::vector<const void*> in;
  std::vector<void*> out;
  for (const auto id : of.inputs) in.push_back(data(id));
  for (const auto id : of.outputs) out.push_back(data(id));
  const std::string& layer = graph_->layers[of.layer].name;
  if (auto done = kernels_[node].kernel->run(in, out); !done) return done.error().within(layer);
  for (const auto id : of.outputs) {
    if (intact(id)) continue;
    return fail(Errc::failed, "{}: {} wrote beyond the end of {}", layer,
                kernels_[node].kernel->implementation(), graph_->tensors[id].name);
  }
  return {};
}

void GraphRun::fill(std::uint64_t seed) {
  const Rng rng(seed);
  for (TensorId id = 0; id < graph_->tensors.size(); ++id) {
    if (graph_->tensors[id].producer != kNoNode) continue;
    std::vector<std::int64_t> plain((graph_->tensors[id].bytes() + 7) / 8);
    fill_initial(*graph_, id, plain.data(), rng.fork(id));
    set(id, plain.data());
  }
}

void GraphRun::set(TensorId id, const void* plain) {
  convert_layout(graph_->tensors[id].type, plain, Layout::plain, data(id), options_.layouts[id]);
}

std::vector<float> GraphRun::values(TensorId id) const {
  const TensorType& type = graph_->tensors[id].type;
  std::vector<float> plain(type.shape.elements());
  convert_layout(type, data(id), options_.layouts[id], plain.data(), Layout::plain);
  return plain;
}

}  // namespace mete
