// What an op is: how the shapes of its results follow from its inputs, how much it computes, how
// its gradient is built, and which memory it may reuse. An op knows nothing of devices: kernels
// that run it are another room's. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/shape.h"

namespace mete {

struct GradientScope;

/// The settings of all ops; each reads those that it names.
struct Attributes {
  std::array<std::int64_t, 2> kernel = {1, 1};     ///< pooling window: height, width
  std::array<std::int64_t, 2> stride = {1, 1};     ///< height, width
  std::array<std::int64_t, 2> dilation = {1, 1};   ///< height, width
  std::array<std::int64_t, 4> pad = {0, 0, 0, 0};  ///< top, left, bottom, right
  std::int64_t groups = 1;
  bool count_padding = false;  ///< average pooling: divide by the whole window at the border too
  bool transpose_a = false;    ///< matrix multiply: the last two axes of the first factor
  bool transpose_b = false;
  double scale = 1;   ///< matrix multiply: of the product; SGD: the learning rate; affine: of x
  double offset = 0;  ///< affine: added after the scale
  double low = 0;     ///< clip: finite, as is high
  double high = 0;
  double epsilon = 1e-5;   ///< batch norm, layer norm
  std::size_t axis = 1;    ///< bias, concat, slice, scale
  std::int64_t begin = 0;  ///< slice: [begin, end) along the axis
  std::int64_t end = 0;
  Shape shape;  ///< reshape, broadcast, reduce-sum: the result; backward ops: of the
                ///< tensor wanted
  std::vector<std::size_t> order;  ///< transpose: result axis i is input axis order[i]
};

/// What one run of an op computes. A multiply-add of a convolution or matrix product is one MAC;
/// biases, norms, activations and pooling count as `other`, by the table in docs/models.md.
struct OpWork {
  std::uint64_t macs = 0;
  std::uint64_t other = 0;

  [[nodiscard]] std::uint64_t flops() const { return plus(times(2, macs), other); }
};

using Types = std::span<const TensorType>;

/// How a result shares memory with an input.
enum class Reuse : std::uint8_t {
  none,
  may,   ///< the first result may overwrite input `reused`, if nobody needs it later
  view,  ///< the result is that input's bytes under another shape
  must,  ///< the op updates that input where it lies (SGD)
};

struct Op {
  std::string_view name = {};
  std::size_t inputs = 1;  ///< how many; 0: one or more
  /// The results' types, or `invalid` saying what does not fit. Inputs are as many as `inputs`.
  Result<std::vector<TensorType>> (*infer)(Types in, const Attributes& a) = nullptr;
  OpWork (*work)(Types in, Types out, const Attributes& a) = nullptr;
  /// Adds the nodes that compute the wanted input gradients; nullptr: it has none.
  void (*gradient)(GradientScope& scope) = nullptr;
  Reuse reuse = Reuse::none;
  std::size_t reused = 0;
};

/// All ops: an explicit array, in ops.cc.
std::span<const Op* const> builtin_ops();
/// nullptr if there is none of that name.
const Op* find_op(std::string_view name);

}  // namespace mete
