// Conversions of convolution and pooling. Signals of one axis are images of one row.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"
#include "mete/graph/ops/window.h"

namespace mete {
namespace {

Result<Shape> as_image(const Shape& x, const char* what) {
  if (x.rank() == 4) return x;
  if (x.rank() == 3) return Shape{x[0], x[1], 1, x[2]};
  return fail(Errc::unsupported, "on {} of {} axes", what, x.rank());
}

/// One attribute for the axes of an image: those that are not there are 1.
Result<std::array<std::int64_t, 2>> pair_of(const OnnxScope& s, const char* name,
                                            std::size_t axes) {
  std::array<std::int64_t, 2> pair = {1, 1};
  const auto given = s.integers(name);
  if (!given) return pair;
  if (given->size() != axes) {
    return fail(Errc::invalid, "{} {}, {} expected", given->size(), name, axes);
  }
  for (std::size_t i = 0; i < axes; ++i) {
    pair[2 - axes + i] = (*given)[i];
    if ((*given)[i] < 1 || (*given)[i] > kMostWindow) {
      return fail(Errc::invalid, "{} of {}: expected 1 to {}", name, (*given)[i], kMostWindow);
    }
  }
  return pair;
}

/// Padding as given, or by the rule that keeps (size / stride) positions.
Result<void> set_padding(const OnnxScope& s, const Shape& image, std::size_t axes, Attributes& a) {
  const std::string rule = text_of(s.node(), "auto_pad", "NOTSET");
  const auto given = s.integers("pads");
  if (rule == "VALID") return {};
  if (rule == "NOTSET" || rule.empty()) {
    if (!given) return {};
    if (given->size() != 2 * axes) {
      return fail(Errc::invalid, "{} pads, {} expected", given->size(), 2 * axes);
    }
    for (std::size_t i = 0; i < axes; ++i) {
      a.pad[2 - axes + i] = (*given)[i];
      a.pad[4 - axes + i] = (*given)[axes + i];
    }
    return {};
  }
  if (rule != "SAME_UPPER" && rule != "SAME_LOWER") {
    return fail(Errc::unsupported, "with auto_pad {}", shown_name(rule));
  }
  for (std::size_t i = 2 - axes; i < 2; ++i) {
    const std::int64_t size = image[2 + i];
    const std::int64_t positions = (size - 1) / a.stride[i] + 1;
    const std::int64_t reach = a.dilation[i] * (a.kernel[i] - 1) + 1;
    const std::int64_t pad =
        std::max<std::int64_t>((positions - 1) * a.stride[i] + reach - size, 0);
    const std::int64_t small = pad / 2;
    a.pad[i] = rule == "SAME_UPPER" ? small : pad - small;
    a.pad[i + 2] = pad - a.pad[i];
  }
  return {};
}

/// Sizes rounded up: a window more where one begins within the image or the padding before it.
Result<void> round_up(const Shape& image, std::size_t axes, Attributes& a) {
  for (std::size_t i = 2 - axes; i < 2; ++i) {
    if (a.pad[i] < 0 || a.pad[i + 2] < 0 || a.pad[i] > kMostWindow || a.pad[i + 2] > kMostWindow) {
      return fail(Errc::invalid, "padding of {} and {}", a.pad[i], a.pad[i + 2]);
    }
    const std::int64_t reach = a.dilation[i] * (a.kernel[i] - 1) + 1;
    const std::int64_t room = image[2 + i] + a.pad[i] + a.pad[i + 2] - reach;
    if (room < 0) continue;  // refused with the shapes
    std::int64_t last = (room + a.stride[i] - 1) / a.stride[i] * a.stride[i];
    if (last >= image[2 + i] + a.pad[i]) last -= a.stride[i];
    const std::int64_t needed = last + reach - image[2 + i] - a.pad[i];
    if (needed > a.pad[i + 2] && a.count_padding) {
      return fail(Errc::unsupported, "with ceil_mode where padding counts");
    }
    a.pad[i + 2] = std::max(a.pad[i + 2], needed);
  }
  return {};
}

Result<Attributes> window_of(const OnnxScope& s, const Shape& image,
                             std::array<std::int64_t, 2> kernel) {
  const std::size_t axes = s.shape(0).rank() - 2;
  Attributes a;
  a.kernel = kernel;
  METE_TRY(a.stride, pair_of(s, "strides", axes));
  METE_TRY(a.dilation, pair_of(s, "dilations", axes));
  METE_TRY_VOID(set_padding(s, image, axes, a));
  return a;
}

/// The result of an op on images, as the signal that came in.
void set_image(OnnxScope& s, TensorId y) {
  if (y == kNoTensor) return;
  const Shape shape = s.builder().shape(y);
  s.set(0, s.shape(0).rank() == 3 ? s.reshape(y, Shape{shape[0], shape[1], shape[3]}) : y);
}

Result<void> conv(OnnxScope& s) {
  if (!s.has(0) || !s.has(1)) return fail(Errc::invalid, "expected images and filters");
  METE_TRY(const Shape image, as_image(s.shape(0), "images"));
  METE_TRY(const Shape filter, as_image(s.shape(1), "filters"));
  if (s.shape(0).rank() != s.shape(1).rank()) {
    return fail(Errc::invalid, "images of {} with filters of {}", s.shape(0).text(),
                s.shape(1).text());
  }
  if (std::max(filter[2], filter[3]) > kMostWindow) {
    return fail(Errc::invalid, "filters of {}", filter.text());
  }
  METE_TRY(Attributes a, window_of(s, image, {filter[2], filter[3]}));
  a.kernel = {1, 1};  // that of a convolution is its filter's
  a.groups = s.integer("group", 1);
  METE_TRY_VOID(s.expect_float(0));
  METE_TRY_VOID(s.expect_float(1));
  METE_TRY(const TensorId x, s.tensor_as(0, image));
  METE_TRY(const TensorId w, s.tensor_as(1, filter));
  TensorId y = s.add(kConvOp, {x, w}, a);
  if (s.has(2)) {
    METE_TRY(const TensorId bias, s.tensor(2));
    Attributes along;
    along.axis = 1;
    y = s.add(kBiasOp, {y, bias}, along);
  }
  set_image(s, y);
  return {};
}

Result<void> pool(OnnxScope& s, const Op& op) {
  if (!s.has(0)) return fail(Errc::invalid, "expected images");
  METE_TRY(const Shape image, as_image(s.shape(0), "images"));
  METE_TRY(const auto kernel, pair_of(s, "kernel_shape", s.shape(0).rank() - 2));
  METE_TRY(Attributes a, window_of(s, image, kernel));
  a.count_padding = s.integer("count_include_pad", 0) != 0;
  if (s.integer("ceil_mode", 0) != 0) METE_TRY_VOID(round_up(image, s.shape(0).rank() - 2, a));
  METE_TRY_VOID(s.expect_float(0));
  METE_TRY(const TensorId x, s.tensor_as(0, image));
  set_image(s, s.add(op, {x}, a));
  return {};
}

Result<void> whole(OnnxScope& s, const Op& op) {
  if (!s.has(0)) return fail(Errc::invalid, "expected images");
  METE_TRY(const Shape image, as_image(s.shape(0), "images"));
  Attributes a;
  a.kernel = {image[2], image[3]};
  METE_TRY_VOID(s.expect_float(0));
  METE_TRY(const TensorId x, s.tensor_as(0, image));
  set_image(s, s.add(op, {x}, a));
  return {};
}

Result<void> max_pool(OnnxScope& s) { return pool(s, kMaxPoolOp); }
Result<void> average_pool(OnnxScope& s) { return pool(s, kAveragePoolOp); }
Result<void> global_average_pool(OnnxScope& s) { return whole(s, kAveragePoolOp); }
Result<void> global_max_pool(OnnxScope& s) { return whole(s, kMaxPoolOp); }

constexpr OnnxConversion kList[] = {
    {"Conv", conv},
    {"MaxPool", max_pool},
    {"AveragePool", average_pool},
    {"GlobalAveragePool", global_average_pool},
    {"GlobalMaxPool", global_max_pool},
};

}  // namespace

std::span<const OnnxConversion> onnx_window_conversions() { return kList; }

}  // namespace mete
