// What exporters write for ops that ONNX did not have at the time: GELU as
// x * (1 + erf(x / sqrt 2)) / 2, and layer normalisation as its arithmetic. Each becomes one node,
// so that its memory and work are those of the op. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <optional>
#include <set>
#include <unordered_map>

#include "mete/graph/onnx/attributes.h"
#include "mete/graph/onnx/importer.h"

namespace mete {
namespace {

class Patterns {
 public:
  explicit Patterns(OnnxFile& file) : file_(file) {
    for (std::size_t i = 0; i < file.nodes.size(); ++i) {
      for (const auto& output : file.nodes[i].outputs) makers_[output] = i;
      for (const auto& input : file.nodes[i].inputs) readers_[input].push_back(i);
    }
    for (const auto& output : file.outputs) results_.insert(output);
    for (const auto& tensor : file.initializers) weights_[tensor.name] = &tensor;
  }

  void run() {
    gone_.assign(file_.nodes.size(), false);
    for (std::size_t i = 0; i < file_.nodes.size(); ++i) {
      if (!gelu(i)) layer_norm(i);
    }
    std::vector<OnnxNode> left;
    for (std::size_t i = 0; i < gone_.size(); ++i) {
      if (!gone_[i]) left.push_back(std::move(file_.nodes[i]));
    }
    file_.nodes = std::move(left);
  }

 private:
  /// The node that makes it, if it is that op, as ONNX means it, with so many inputs.
  const OnnxNode* maker(const std::string& name, std::string_view op, std::size_t inputs) {
    const auto found = makers_.find(name);
    if (found == makers_.end()) return nullptr;
    const OnnxNode& node = file_.nodes[found->second];
    const bool fits = node.op == op && node.domain.empty() && node.inputs.size() == inputs &&
                      node.outputs.size() == 1 && !gone_[found->second];
    return fits ? &node : nullptr;
  }

  /// The data that a name stands for, as a weight or by a node; nullptr if it is computed.
  const OnnxTensor* data(const std::string& name) {
    if (const auto weight = weights_.find(name); weight != weights_.end()) return weight->second;
    const auto* node = maker(name, "Constant", 0);
    const auto* value = node == nullptr ? nullptr : node->find("value");
    return value == nullptr || value->tensors.empty() ? nullptr : &value->tensors[0];
  }

  /// The one number that a name stands for.
  std::optional<double> number(const std::string& name) {
    const OnnxTensor* tensor = data(name);
    const auto known = tensor == nullptr ? std::nullopt : constant_of(*tensor);
    return known && known->size() == 1 ? std::optional{known->real(0)} : std::nullopt;
  }

  bool is_number(const std::string& name, double wanted) {
    const auto known = number(name);
    return known && std::fabs(*known - wanted) < 1e-4 * wanted;
  }

  /// Of two inputs, one is that number: the other one; nullptr if neither is.
  const std::string* beside(const OnnxNode* node, double wanted) {
    if (node == nullptr) return nullptr;
    if (is_number(node->inputs[1], wanted)) return &node->inputs[0];
    return is_number(node->inputs[0], wanted) ? &node->inputs[1] : nullptr;
  }

  /// True if only `nodes` read what those nodes make: then they can go, but for the last.
  bool alone(const std::set<std::size_t>& nodes, std::size_t last) {
    for (const std::size_t i : nodes) {
      if (i == last) continue;
      for (const auto& output : file_.nodes[i].outputs) {
        if (results_.contains(output)) return false;
        for (const std::size_t reader : readers_[output]) {
          if (!nodes.contains(reader)) return false;
        }
      }
    }
    return true;
  }

  bool replace(const std::vector<const OnnxNode*>& nodes, std::size_t last, OnnxNode by) {
    std::set<std::size_t> indices = {last};
    for (const auto* node : nodes) {
      indices.insert(static_cast<std::size_t>(node - file_.nodes.data()));
    }
    if (!alone(indices, last)) return false;
    for (const std::size_t i : indices) gone_[i] = i != last;
    by.name = file_.nodes[last].name;
    by.outputs = file_.nodes[last].outputs;
    file_.nodes[last] = std::move(by);
    return true;
  }

  /// x / sqrt 2, through `erf` and plus 1: x; the nodes join `found`.
  const std::string* half_way(const std::string& name, std::vector<const OnnxNode*>& found) {
    const auto* plus = maker(name, "Add", 2);
    const auto* inner = beside(plus, 1);
    const auto* erf = inner == nullptr ? nullptr : maker(*inner, "Erf", 1);
    if (erf == nullptr) return nullptr;
    const auto* divided = maker(erf->inputs[0], "Div", 2);
    const auto* scaled = maker(erf->inputs[0], "Mul", 2);
    const std::string* x = nullptr;
    if (divided != nullptr && is_number(divided->inputs[1], std::numbers::sqrt2)) {
      x = &divided->inputs[0];
      found.push_back(divided);
    } else if (scaled != nullptr) {
      x = beside(scaled, 1 / std::numbers::sqrt2);
      found.push_back(scaled);
    }
    found.push_back(plus);
    found.push_back(erf);
    return x;
  }

  /// Factors x, (1 + erf) and 1/2, multiplied in any order.
  bool gelu(std::size_t last) {
    const OnnxNode& node = file_.nodes[last];
    if (node.op != "Mul" || node.inputs.size() != 2) return false;
    std::vector<std::string> factors;
    std::vector<const OnnxNode*> found;
    for (const auto& input : node.inputs) {
      const auto* inner = factors.size() < 2 ? maker(input, "Mul", 2) : nullptr;
      if (inner == nullptr) {
        factors.push_back(input);
      } else {
        found.push_back(inner);
        factors.insert(factors.end(), inner->inputs.begin(), inner->inputs.end());
      }
    }
    if (factors.size() != 3) return false;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string& a = factors[(i + 1) % 3];
      const std::string& b = factors[(i + 2) % 3];
      auto all = found;
      const auto* x = half_way(factors[i], all);
      if (x == nullptr) continue;
      if ((a == *x && is_number(b, 0.5)) || (b == *x && is_number(a, 0.5))) {
        OnnxNode by;
        by.op = "Gelu";
        by.inputs = {*x};
        return replace(all, last, std::move(by));
      }
    }
    return false;
  }

  /// A mean along the last axis that keeps it. Which axis that is, is known only by its number
  /// where it is -1.
  const OnnxNode* row_mean(const std::string& name) {
    const auto* node = maker(name, "ReduceMean", 1);
    if (node == nullptr) node = maker(name, "ReduceMean", 2);
    if (node == nullptr || integer_of(*node, "keepdims", 1) == 0) return nullptr;
    if (node->inputs.size() == 2) return is_minus_one(node->inputs[1]) ? node : nullptr;
    const auto* axes = node->find("axes");
    const bool last = axes != nullptr && axes->integers.size() == 1 && axes->integers[0] == -1;
    return last ? node : nullptr;
  }

  bool is_minus_one(const std::string& name) {
    const auto known = number(name);
    return known && *known == -1;
  }

  /// The node x - mean(x) that makes it.
  const OnnxNode* centred(const std::string& name, std::vector<const OnnxNode*>& found) {
    const auto* minus = maker(name, "Sub", 2);
    const auto* mean = minus == nullptr ? nullptr : row_mean(minus->inputs[1]);
    if (mean == nullptr || mean->inputs[0] != minus->inputs[0]) return nullptr;
    found.push_back(minus);
    found.push_back(mean);
    return minus;
  }

  /// (x - mean) / sqrt(mean((x - mean)^2) + epsilon) * scale + shift.
  bool layer_norm(std::size_t last) {
    const OnnxNode& node = file_.nodes[last];
    if (node.op != "Add" || node.inputs.size() != 2) return false;
    for (std::size_t side = 0; side < 2; ++side) {
      const auto* times_scale = maker(node.inputs[side], "Mul", 2);
      if (times_scale == nullptr) continue;
      for (std::size_t of = 0; of < 2; ++of) {
        std::vector<const OnnxNode*> found = {times_scale};
        double epsilon = 0;
        const auto* x = normalised(times_scale->inputs[of], found, epsilon);
        if (x == nullptr || !is_vector(times_scale->inputs[1 - of]) ||
            !is_vector(node.inputs[1 - side])) {
          continue;
        }
        OnnxNode by;
        by.op = "LayerNormalization";
        by.inputs = {*x, times_scale->inputs[1 - of], node.inputs[1 - side]};
        OnnxAttribute attribute;
        attribute.name = "epsilon";
        attribute.kind = OnnxAttribute::Kind::real;
        attribute.reals = {static_cast<float>(epsilon)};
        by.attributes.push_back(std::move(attribute));
        if (replace(found, last, std::move(by))) return true;
      }
    }
    return false;
  }

  bool is_vector(const std::string& name) {
    const OnnxTensor* tensor = data(name);
    return tensor != nullptr && tensor->dims.size() == 1;
  }

  const std::string* normalised(const std::string& name, std::vector<const OnnxNode*>& found,
                                double& epsilon) {
    const auto* ratio = maker(name, "Div", 2);
    if (ratio == nullptr) return nullptr;
    const auto* above = centred(ratio->inputs[0], found);
    const auto* root = maker(ratio->inputs[1], "Sqrt", 1);
    const auto* plus = root == nullptr ? nullptr : maker(root->inputs[0], "Add", 2);
    const auto* variance = plus == nullptr ? nullptr : row_mean(plus->inputs[0]);
    if (above == nullptr || variance == nullptr) return nullptr;
    const auto known = number(plus->inputs[1]);
    const auto* square = maker(variance->inputs[0], "Pow", 2);
    if (!known || square == nullptr || !is_number(square->inputs[1], 2)) return nullptr;
    const auto* below = centred(square->inputs[0], found);
    if (below == nullptr || below->inputs[0] != above->inputs[0]) return nullptr;
    found.insert(found.end(), {ratio, root, plus, variance, square});
    epsilon = *known;
    return &above->inputs[0];
  }

  OnnxFile& file_;
  std::unordered_map<std::string, std::size_t> makers_;
  std::unordered_map<std::string, std::vector<std::size_t>> readers_;
  std::unordered_map<std::string, const OnnxTensor*> weights_;
  std::set<std::string> results_;
  std::vector<bool> gone_;
};

}  // namespace

void fuse_onnx_patterns(OnnxFile& file) { Patterns(file).run(); }

}  // namespace mete
