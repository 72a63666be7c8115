// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/graph.h"

#include <utility>

#include <fmt/format.h>

namespace mete {

GraphBuilder::GraphBuilder(std::string name) {
  graph_.name = std::move(name);
  graph_.layers.push_back(GraphLayer{"input"});
}

GraphBuilder::GraphBuilder(Graph graph) : graph_(std::move(graph)) {
  for (const auto& tensor : graph_.tensors) total_bytes_ = plus(total_bytes_, tensor.bytes());
}

void GraphBuilder::refuse(Error error) {
  if (!error_) error_ = std::move(error);
}

TensorId GraphBuilder::add_tensor(std::string name, TensorType type, TensorRole role,
                                  NodeId producer) {
  if (error_) return kNoTensor;
  const std::uint64_t bytes = type.bytes();
  if (bytes == 0) {
    refuse(fail(Errc::invalid, "{}: a tensor of {} has no elements; every size must be 1 or more",
                name, type.shape.text()));
    return kNoTensor;
  }
  total_bytes_ = plus(total_bytes_, bytes);
  if (bytes > kMostGraphTensorBytes || total_bytes_ > kMostGraphBytes) {
    refuse(fail(Errc::invalid,
                "{}: a tensor of {} {} is more than mete counts (64 TiB a tensor, 1 EiB in all); "
                "choose a smaller batch",
                name, type.shape.text(), data_type_name(type.type)));
    return kNoTensor;
  }
  graph_.tensors.push_back(Tensor{std::move(name), std::move(type), role, producer});
  return static_cast<TensorId>(graph_.tensors.size() - 1);
}

TensorId GraphBuilder::input(const std::string& name, Shape shape, DataType type) {
  return add_tensor(name, TensorType{std::move(shape), type}, TensorRole::input, kNoNode);
}

TensorId GraphBuilder::parameter(const std::string& name, Shape shape) {
  return add_tensor(layer_name() + "." + name, TensorType{std::move(shape), DataType::f32},
                    TensorRole::parameter, kNoNode);
}

void GraphBuilder::begin_layer(const std::string& kind) {
  std::size_t* count = nullptr;
  for (auto& entry : kinds_) {
    if (entry.first == kind) count = &entry.second;
  }
  if (count == nullptr) count = &kinds_.emplace_back(kind, std::size_t{0}).second;
  begin_named_layer(fmt::format("{}{}", kind, ++*count));
}

void GraphBuilder::begin_named_layer(std::string name) {
  graph_.layers.push_back(GraphLayer{std::move(name)});
  layer_ = static_cast<std::uint32_t>(graph_.layers.size() - 1);
}

std::vector<TensorId> GraphBuilder::add_all(const Op& op, std::vector<TensorId> inputs,
                                            Attributes a) {
  const std::vector<TensorId> nothing(3, kNoTensor);
  if (error_) return nothing;
  const std::string where = fmt::format("{} ({})", layer_name(), op.name);
  if (inputs.empty() || (op.inputs != 0 && inputs.size() != op.inputs)) {
    refuse(
        fail(Errc::invalid, "{}: {} inputs given, {} expected", where, inputs.size(), op.inputs));
    return nothing;
  }
  std::vector<TensorType> types;
  for (const auto id : inputs) {
    if (id >= graph_.tensors.size()) {
      refuse(fail(Errc::internal, "{}: an input is no tensor of this graph", where));
      return nothing;
    }
    types.push_back(graph_.tensors[id].type);
  }
  auto results = op.infer(types, a);
  if (!results) {
    refuse(results.error().within(where));
    return nothing;
  }
  if (graph_.nodes.size() >= kMostGraphNodes) {
    refuse(fail(Errc::invalid, "{}: more than {} nodes", where, kMostGraphNodes));
    return nothing;
  }
  const auto id = static_cast<NodeId>(graph_.nodes.size());
  GraphNode node{&op, layer_, std::move(a), std::move(inputs), {}, {}};
  for (std::size_t i = 0; i < results->size(); ++i) {
    auto name = fmt::format("{}.{}{}", layer_name(), op.name, i == 0 ? "" : fmt::format(".{}", i));
    node.outputs.push_back(
        add_tensor(std::move(name), (*results)[i], TensorRole::intermediate, id));
  }
  node.work = op.work(types, *results, node.attributes);
  if (node.work.flops() == kTooMany) {
    refuse(fail(Errc::invalid, "{}: more operations than can be counted; choose a smaller batch",
                where));
  }
  if (error_) return nothing;
  auto outputs = node.outputs;
  graph_.nodes.push_back(std::move(node));
  return outputs;
}

TensorId GraphBuilder::add(const Op& op, std::vector<TensorId> inputs, Attributes a) {
  return add_all(op, std::move(inputs), std::move(a)).front();
}

Shape GraphBuilder::shape(TensorId id) const {
  return id < graph_.tensors.size() ? graph_.tensors[id].type.shape : Shape{};
}

Result<Graph> GraphBuilder::finish() {
  if (error_) return *error_;
  return std::move(graph_);
}

}  // namespace mete
