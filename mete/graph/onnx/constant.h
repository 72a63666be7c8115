// Values that are known before anything runs: shapes and the arithmetic on them, scalars, small
// tables. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mete/graph/onnx/onnx_file.h"
#include "mete/graph/onnx/onnx_shapes.h"

namespace mete {

/// What is larger than that is data, not a shape, and is left to the graph.
inline constexpr std::uint64_t kMostFolded = 1U << 16U;

/// Elements in row-major order: in `reals` for floating types, else in `integers`.
struct OnnxConstant {
  OnnxType type = OnnxType::i64;
  Shape shape;
  std::vector<std::int64_t> integers = {};
  std::vector<double> reals = {};

  [[nodiscard]] bool is_real() const { return type == OnnxType::f32 || type == OnnxType::f64; }
  [[nodiscard]] std::size_t size() const { return is_real() ? reals.size() : integers.size(); }
  [[nodiscard]] double real(std::size_t i) const {
    return is_real() ? reals[i] : static_cast<double>(integers[i]);
  }
  static OnnxConstant of_integers(std::vector<std::int64_t> values);
};

/// Nothing for types that cannot be computed with (text, 16-bit floats), or that are too large.
std::optional<OnnxConstant> constant_of(const OnnxTensor& tensor);
/// As a graph holds it: 32-bit floats, or 64-bit integers.
std::string graph_bytes(const OnnxConstant& constant);

/// The results of a node whose inputs are all known (nullptr: left out). Nothing if it cannot be
/// folded: the graph will tell what is wrong with it, or run it.
std::optional<std::vector<OnnxConstant>> fold(const OnnxNode& node,
                                              std::span<const OnnxConstant* const> inputs,
                                              std::int64_t opset);

}  // namespace mete
