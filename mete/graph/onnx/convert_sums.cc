// Conversions of sums and averages along axes, and of axes exchanged for channels.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {
namespace {

struct Reduction {
  std::vector<std::size_t> axes;
  Shape kept;    ///< with 1 along the axes
  Shape result;  ///< as ONNX wants it
  std::int64_t count = 1;
};

Result<Reduction> reduction_of(const OnnxScope& s) {
  if (!s.has(0)) return fail(Errc::invalid, "its first input is missing");
  const Shape& in = s.shape(0);
  const auto given = s.integers("axes", 1);
  if (!given && s.has(1)) return fail(Errc::unsupported, "along computed axes");
  Reduction r;
  if (given && !given->empty()) {
    METE_TRY(r.axes, axes_of(*given, in.rank()));
  } else if (s.integer("noop_with_empty_axes", 0) == 0) {
    for (std::size_t i = 0; i < in.rank(); ++i) r.axes.push_back(i);
  }
  r.kept = in;
  for (const std::size_t axis : r.axes) {
    r.kept[axis] = 1;
    r.count *= in[axis];  // a tensor has fewer than 2^44 elements
  }
  r.result = r.kept;
  if (s.integer("keepdims", 1) == 0) {
    const Sizes gone(r.axes.begin(), r.axes.end());
    METE_TRY(r.result, squeezed(r.kept, &gone));
  }
  return r;
}

TensorId summed(OnnxScope& s, TensorId x, const Reduction& r) {
  Attributes a;
  a.shape = r.kept;
  return r.axes.empty() ? x : s.add(kReduceSumOp, {x}, a);
}

Result<void> reduce_sum(OnnxScope& s) {
  METE_TRY(const Reduction r, reduction_of(s));
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, s.reshape(summed(s, x, r), r.result));
  return {};
}

Result<void> reduce_sum_square(OnnxScope& s) {
  METE_TRY(const Reduction r, reduction_of(s));
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, s.reshape(summed(s, s.add(kMultiplyOp, {x, x}), r), r.result));
  return {};
}

/// Over whole images it is pooling, as frameworks' own layers are.
Result<void> reduce_mean(OnnxScope& s) {
  METE_TRY(const Reduction r, reduction_of(s));
  METE_TRY(const TensorId x, s.tensor(0));
  TensorId y = kNoTensor;
  if (s.shape(0).rank() == 4 && r.axes == std::vector<std::size_t>{2, 3}) {
    Attributes a;
    a.kernel = {s.shape(0)[2], s.shape(0)[3]};
    y = s.add(kAveragePoolOp, {x}, a);
  } else {
    y = s.affine(summed(s, x, r), 1.0 / static_cast<double>(r.count), 0);
  }
  s.set(0, s.reshape(y, r.result));
  return {};
}

Result<std::int64_t> block_of(const OnnxScope& s) {
  if (!s.has(0) || s.shape(0).rank() != 4) return fail(Errc::invalid, "expected images");
  const std::int64_t block = s.integer("blocksize", 0);
  constexpr std::int64_t kMost = 1 << 20;
  if (block < 1 || block > kMost) return fail(Errc::invalid, "blocks of {}", block);
  return block;
}

Result<void> depth_to_space(OnnxScope& s) {
  METE_TRY(const std::int64_t n, block_of(s));
  const Shape in = s.shape(0);
  if (in[1] % (n * n) != 0) {
    return fail(Errc::invalid, "{} channels do not make blocks of {} x {}", in[1], n, n);
  }
  const std::int64_t depth = in[1] / (n * n);
  const bool depth_first = text_of(s.node(), "mode", "DCR") == "DCR";
  const Shape parts = depth_first ? Shape{in[0], n, n, depth, in[2], in[3]}
                                  : Shape{in[0], depth, n, n, in[2], in[3]};
  const std::vector<std::size_t> order = depth_first ? std::vector<std::size_t>{0, 3, 4, 1, 5, 2}
                                                     : std::vector<std::size_t>{0, 1, 4, 2, 5, 3};
  METE_TRY(const TensorId x, s.tensor(0));
  const TensorId moved = s.transpose(s.reshape(x, parts), order);
  s.set(0, s.reshape(moved, Shape{in[0], depth, in[2] * n, in[3] * n}));
  return {};
}

Result<void> space_to_depth(OnnxScope& s) {
  METE_TRY(const std::int64_t n, block_of(s));
  const Shape in = s.shape(0);
  if (in[2] % n != 0 || in[3] % n != 0) {
    return fail(Errc::invalid, "images of {} do not divide into blocks of {}", in.text(), n);
  }
  METE_TRY(const TensorId x, s.tensor(0));
  const Shape parts{in[0], in[1], in[2] / n, n, in[3] / n, n};
  const TensorId moved = s.transpose(s.reshape(x, parts), {0, 3, 5, 1, 2, 4});
  s.set(0, s.reshape(moved, Shape{in[0], in[1] * n * n, in[2] / n, in[3] / n}));
  return {};
}

constexpr OnnxConversion kList[] = {
    {"ReduceSum", reduce_sum},        {"ReduceSumSquare", reduce_sum_square},
    {"ReduceMean", reduce_mean},      {"DepthToSpace", depth_to_space},
    {"SpaceToDepth", space_to_depth},
};

}  // namespace

std::span<const OnnxConversion> onnx_sum_conversions() { return kList; }

}  // namespace mete
