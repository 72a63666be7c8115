// From an ONNX file to a graph, node by node: what is known under each name, and what a conversion
// of one node may ask and set. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mete/graph/graph.h"
#include "mete/graph/onnx/attributes.h"
#include "mete/graph/onnx/constant.h"
#include "mete/graph/onnx/onnx.h"

namespace mete {

/// What a name stands for: a tensor of the graph, a known value, or data of the file that becomes a
/// tensor once an op reads it.
struct OnnxItem {
  TensorId id = kNoTensor;
  std::optional<OnnxConstant> constant = {};
  OnnxTensor* stored = nullptr;
  const OnnxInput* input = nullptr;
  bool parameter = false;  ///< `stored` is a weight
  bool unknown = false;    ///< comes from a node that is not supported
  OnnxType type = OnnxType::f32;
  Shape shape = {};
};

class OnnxImporter;

/// One node, while it is converted. Shapes are always known.
class OnnxScope {
 public:
  OnnxScope(OnnxImporter& importer, const OnnxNode& node, std::vector<OnnxItem*> inputs);

  [[nodiscard]] const OnnxNode& node() const { return node_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_.size(); }
  [[nodiscard]] bool has(std::size_t i) const {
    return i < inputs_.size() && inputs_[i] != nullptr;
  }
  [[nodiscard]] const Shape& shape(std::size_t i) const { return inputs_[i]->shape; }
  [[nodiscard]] bool is_float(std::size_t i) const;
  /// The known values, or nullptr.
  [[nodiscard]] const OnnxConstant* constant(std::size_t i) const;
  /// The one known number; nothing if there are more, or none.
  [[nodiscard]] std::optional<double> number(std::size_t i) const;
  /// The graph's tensor; whole numbers too.
  Result<TensorId> any(std::size_t i);
  /// `unsupported` if the input holds anything but floats.
  [[nodiscard]] Result<void> expect_float(std::size_t i) const;
  /// The graph's tensor of 32-bit floats.
  Result<TensorId> tensor(std::size_t i);
  /// The same elements under another shape; weights that nothing else has read yet take it at once.
  Result<TensorId> tensor_as(std::size_t i, const Shape& shape);
  /// What training does not change, though the file stores it as a weight: running averages.
  void demote(std::size_t i) { inputs_[i]->parameter = false; }
  /// Known values as a tensor.
  TensorId make(const OnnxConstant& constant);

  [[nodiscard]] bool wanted(std::size_t output) const;
  void set(std::size_t output, TensorId id);
  void set_constant(std::size_t output, OnnxConstant constant);
  /// A constant of a node: a weight, if this file keeps its weights so.
  void set_value(std::size_t output, const OnnxTensor& tensor);
  /// The result is what the input is.
  void pass(std::size_t input, std::size_t output = 0);

  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const {
    return integer_of(node_, name, fallback);
  }
  [[nodiscard]] double real(std::string_view name, double fallback) const {
    return real_of(node_, name, fallback);
  }
  /// From the attribute, or from that input if it is known.
  [[nodiscard]] std::optional<Sizes> integers(std::string_view name,
                                              std::size_t input = kNoInput) const {
    return integers_of(node_, name, input, constants_);
  }
  [[nodiscard]] std::int64_t opset() const;
  [[nodiscard]] const OnnxOptions& options() const;
  [[nodiscard]] GraphBuilder& builder();
  TensorId add(const Op& op, std::vector<TensorId> in, Attributes a = {});
  TensorId reshape(TensorId id, const Shape& shape);
  TensorId transpose(TensorId id, std::vector<std::size_t> order);
  TensorId affine(TensorId id, double scale, double offset);
  void set_loss(TensorId id);

 private:
  friend class OnnxImporter;
  OnnxImporter& importer_;
  const OnnxNode& node_;
  std::vector<OnnxItem*> inputs_;
  std::vector<const OnnxConstant*> constants_;
};

/// `unsupported` with the reason for a form of the op that has no counterpart.
using OnnxConvert = Result<void> (*)(OnnxScope& scope);
struct OnnxConversion {
  std::string_view op;
  OnnxConvert convert;
};
/// nullptr if ONNX's op of that name is not supported.
OnnxConvert find_onnx_conversion(std::string_view op);
/// One list per file of conversions.
std::span<const OnnxConversion> onnx_element_conversions();
std::span<const OnnxConversion> onnx_window_conversions();
std::span<const OnnxConversion> onnx_matrix_conversions();
std::span<const OnnxConversion> onnx_shape_conversions();
std::span<const OnnxConversion> onnx_norm_conversions();
std::span<const OnnxConversion> onnx_sum_conversions();

/// One side of an op on two tensors that fit together: an input, or a tensor made from one.
struct OnnxSide {
  OnnxScope& scope;
  Shape shape;
  std::size_t input = kNoInput;
  TensorId id = kNoTensor;

  static OnnxSide of_input(OnnxScope& scope, std::size_t i) { return {scope, scope.shape(i), i}; }
  static OnnxSide of_tensor(OnnxScope& scope, TensorId id) {
    return {scope, scope.builder().shape(id), kNoInput, id};
  }
  [[nodiscard]] Result<TensorId> as(const Shape& wanted) const;
};
/// a + b (kAddOp) or a x b (kMultiplyOp): by bias or scale where one is a vector along an axis,
/// else repeated to the shape of both.
Result<TensorId> join_sides(OnnxScope& scope, const Op& op, OnnxSide a, OnnxSide b);

/// Replaces the nodes that exporters write for GELU and layer normalisation by one each.
void fuse_onnx_patterns(OnnxFile& file);

class OnnxImporter {
 public:
  OnnxImporter(OnnxFile& file, std::string name, std::string folder, const OnnxOptions& options);
  Result<OnnxModel> run();

 private:
  friend class OnnxScope;
  struct Refusal {
    std::size_t count = 0;
    std::string first;
  };

  Result<void> check_file();
  Result<void> add_inputs();
  Result<void> add_initializers();
  Result<void> define(const std::string& name, OnnxItem item);
  /// An input's axes with all sizes; adds what is missing to `open_`.
  Shape fixed_shape(const OnnxInput& input);
  Result<void> add_node(const OnnxNode& node);
  Result<void> convert(const OnnxNode& node, std::vector<OnnxItem*> inputs, OnnxConvert how);
  Result<bool> try_fold(const OnnxNode& node, const OnnxScope& scope);
  Result<void> add_results(OnnxModel& model);
  void refuse_op(const OnnxNode& node, const std::string& what);
  [[nodiscard]] Error refusals() const;
  [[nodiscard]] Error missing(const OnnxNode& node, const std::string& input) const;
  [[nodiscard]] std::string told(const OnnxNode& node) const;
  Result<TensorId> materialise(OnnxItem& item, const Shape& shape);
  Result<TensorId> materialise_stored(OnnxItem& item, const Shape& shape);

  OnnxFile& file_;
  std::string name_;
  std::string folder_;
  const OnnxOptions& options_;
  GraphBuilder builder_;
  std::int64_t opset_ = 0;
  bool weights_in_nodes_ = true;  ///< no initialiser is a weight: some exporters use constants
  std::unordered_map<std::string, OnnxItem> items_;
  std::set<std::string> read_;  ///< names that a node or the graph's results read
  std::vector<OnnxValue> values_;
  std::deque<OnnxTensor> owned_;  ///< large constants of nodes
  std::map<std::string, Refusal> refused_;
  std::vector<std::string> open_;  ///< axes without a size: "'x' axis 0 (batch)"
  std::vector<std::string> open_flags_;
  std::set<std::string> used_dims_;
};

/// The data of a tensor in a file of its own, which must lie in the model's folder or below.
Result<std::string> read_external_data(const OnnxTensor& tensor, const std::string& folder);
/// The rule for its path alone.
Result<void> check_external_path(const OnnxTensor& tensor);

}  // namespace mete
