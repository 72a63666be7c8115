// What a conversion of one node may ask and set. SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {

OnnxScope::OnnxScope(OnnxImporter& importer, const OnnxNode& node, std::vector<OnnxItem*> inputs)
    : importer_(importer), node_(node), inputs_(std::move(inputs)) {
  for (const auto* item : inputs_) {
    constants_.push_back(item != nullptr && item->constant ? &*item->constant : nullptr);
  }
}

bool OnnxScope::is_float(std::size_t i) const { return inputs_[i]->type == OnnxType::f32; }

const OnnxConstant* OnnxScope::constant(std::size_t i) const {
  return i < constants_.size() ? constants_[i] : nullptr;
}

std::optional<double> OnnxScope::number(std::size_t i) const {
  const auto* known = constant(i);
  // A weight of one element is a weight: training changes it.
  if (known == nullptr || known->size() != 1 || inputs_[i]->parameter) return std::nullopt;
  return known->real(0);
}

Result<TensorId> OnnxScope::any(std::size_t i) { return tensor_as(i, shape(i)); }

Result<void> OnnxScope::expect_float(std::size_t i) const {
  if (is_float(i) || (inputs_[i]->constant && inputs_[i]->constant->is_real())) return {};
  return fail(Errc::unsupported, "of {}", onnx_type_name(inputs_[i]->type));
}

Result<TensorId> OnnxScope::tensor(std::size_t i) {
  METE_TRY_VOID(expect_float(i));
  return any(i);
}

Result<TensorId> OnnxScope::tensor_as(std::size_t i, const Shape& shape) {
  METE_TRY(const TensorId id, importer_.materialise(*inputs_[i], shape));
  if (id == kNoTensor || builder().shape(id) == shape) return id;
  return reshape(id, shape);
}

TensorId OnnxScope::make(const OnnxConstant& constant) {
  OnnxItem item;
  item.constant = constant;
  item.type = constant.type;
  item.shape = constant.shape;
  const auto id = importer_.materialise(item, item.shape);
  return id ? *id : kNoTensor;
}

bool OnnxScope::wanted(std::size_t output) const {
  return output < node_.outputs.size() && importer_.read_.contains(node_.outputs[output]);
}

void OnnxScope::set(std::size_t output, TensorId id) {
  if (output >= node_.outputs.size() || node_.outputs[output].empty() || id == kNoTensor) return;
  OnnxItem item;
  item.id = id;
  item.shape = builder().shape(id);
  const bool whole = builder().graph().tensors[id].type.type == DataType::i64;
  item.type = whole ? OnnxType::i64 : OnnxType::f32;
  importer_.items_.insert_or_assign(node_.outputs[output], std::move(item));
}

void OnnxScope::set_constant(std::size_t output, OnnxConstant constant) {
  if (output >= node_.outputs.size()) return;
  OnnxItem item;
  item.type = constant.type;
  item.shape = constant.shape;
  item.constant = std::move(constant);
  importer_.items_.insert_or_assign(node_.outputs[output], std::move(item));
}

void OnnxScope::set_value(std::size_t output, const OnnxTensor& tensor) {
  if (output >= node_.outputs.size()) return;
  OnnxItem item;
  item.constant = constant_of(tensor);
  item.type = tensor.type;
  item.shape = Shape{tensor.dims};
  item.parameter = importer_.weights_in_nodes_ && tensor.type == OnnxType::f32 &&
                   !tensor.dims.empty() && item.shape.elements() > 1;
  if (item.parameter || !item.constant) {
    item.stored = &importer_.owned_.emplace_back(tensor);
    item.stored->name = node_.outputs[output];
  }
  importer_.items_.insert_or_assign(node_.outputs[output], std::move(item));
}

void OnnxScope::pass(std::size_t input, std::size_t output) {
  if (output >= node_.outputs.size() || node_.outputs[output].empty()) return;
  // The tensor must be one, not one for each name.
  if (!inputs_[input]->constant || inputs_[input]->parameter) {
    if (!importer_.materialise(*inputs_[input], inputs_[input]->shape)) return;
  }
  const OnnxItem item = *inputs_[input];
  importer_.items_.insert_or_assign(node_.outputs[output], item);
}

std::int64_t OnnxScope::opset() const { return importer_.opset_; }
const OnnxOptions& OnnxScope::options() const { return importer_.options_; }
GraphBuilder& OnnxScope::builder() { return importer_.builder_; }

TensorId OnnxScope::add(const Op& op, std::vector<TensorId> in, Attributes a) {
  return builder().add(op, std::move(in), std::move(a));
}

TensorId OnnxScope::reshape(TensorId id, const Shape& shape) {
  if (builder().failed() || builder().shape(id) == shape) return id;
  Attributes a;
  a.shape = shape;
  return add(kReshapeOp, {id}, a);
}

TensorId OnnxScope::transpose(TensorId id, std::vector<std::size_t> order) {
  bool moves = false;
  for (std::size_t i = 0; i < order.size(); ++i) moves = moves || order[i] != i;
  if (!moves) return id;
  Attributes a;
  a.order = std::move(order);
  return add(kTransposeOp, {id}, a);
}

TensorId OnnxScope::affine(TensorId id, double scale, double offset) {
  Attributes a;
  a.scale = scale;
  a.offset = offset;
  return add(kAffineOp, {id}, a);
}

void OnnxScope::set_loss(TensorId id) { builder().set_loss(id); }

}  // namespace mete
