// Convolutions and their gradients. Images are taken as they lie where oneDNN has a fast
// implementation for that, else in the layout that it likes best, with copies before and after.
// Filters are reordered on each run unless they lie as wanted: see docs/kernels.md for what
// that costs. SPDX-License-Identifier: BSD-3-Clause
#include <optional>

#include "mete/kernel/blas/dnn_program.h"

namespace mete::blas {
namespace {

/// The three tensors of a convolution, whichever of them is made.
struct ConvShapes {
  MemoryDesc image;
  MemoryDesc filter;
  MemoryDesc result;
  MemoryDims stride;
  MemoryDims dilation;
  MemoryDims pad_before;
  MemoryDims pad_after;
};

/// Filters of groups have an axis more; their elements lie the same.
MemoryDesc filter_desc(const KernelOperand& operand, std::int64_t groups) {
  if (groups == 1) return desc_of(operand);
  auto dims = dims_of(operand.type.shape);
  dims[0] /= groups;
  dims.insert(dims.begin(), groups);
  return plain_desc(dims);
}

ConvShapes shapes_of(const KernelJob& job, const KernelOperand& image, const KernelOperand& filter,
                     const KernelOperand& result) {
  const auto& a = job.attributes;
  return {desc_of(image),
          filter_desc(filter, a.groups),
          desc_of(result),
          {a.stride[0], a.stride[1]},
          {a.dilation[0] - 1, a.dilation[1] - 1},  // oneDNN counts the gaps
          {a.pad[0], a.pad[1]},
          {a.pad[2], a.pad[3]}};
}

/// Any layout for the filter, and for the images too if `free`.
ConvShapes loosened(ConvShapes shapes, bool free) {
  shapes.filter = any_desc(shapes.filter.dims());
  if (free) {
    shapes.image = any_desc(shapes.image.dims());
    shapes.result = any_desc(shapes.result.dims());
  }
  return shapes;
}

using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardFilter = dnnl::convolution_backward_weights;

Forward::primitive_desc describe_forward(const ConvShapes& s) {
  return {{dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, s.image,
           s.filter, s.result, s.stride, s.dilation, s.pad_before, s.pad_after},
          own_scratchpad(),
          dnn_engine()};
}
BackwardData::primitive_desc describe_data(const ConvShapes& s) {
  return {{dnnl::algorithm::convolution_direct, s.image, s.filter, s.result, s.stride, s.dilation,
           s.pad_before, s.pad_after},
          own_scratchpad(),
          dnn_engine(),
          describe_forward(loosened(s, true))};
}
BackwardFilter::primitive_desc describe_filter(const ConvShapes& s) {
  return {{dnnl::algorithm::convolution_direct, s.image, s.filter, s.result, s.stride, s.dilation,
           s.pad_before, s.pad_after},
          own_scratchpad(),
          dnn_engine(),
          describe_forward(loosened(s, true))};
}

/// The images as given, unless that is slow or impossible and another layout is not.
template <class Describe>
auto best(const ConvShapes& shapes, Describe describe) {
  using Desc = decltype(describe(shapes));
  std::optional<Desc> given;
  try {
    given = describe(loosened(shapes, false));
    if (implementation_rank(given->impl_info_str()) == 2) return *given;
  } catch (const dnnl::error&) {
    // The next one, or its refusal, is what counts.
  }
  const Desc free = describe(loosened(shapes, true));
  if (given &&
      implementation_rank(given->impl_info_str()) >= implementation_rank(free.impl_info_str())) {
    return *given;
  }
  return free;
}

}  // namespace

MadeKernel make_conv(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto shapes = shapes_of(job, job.inputs[0], job.inputs[1], job.outputs[0]);
    const auto how = best(shapes, describe_forward);
    const auto image = program.bring(0, shapes.image, how.src_desc());
    const auto filter = program.bring(1, shapes.filter, how.weights_desc());
    const auto result = program.prepare(0, shapes.result, how.dst_desc());
    program.add(Forward(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, how.src_desc(), image},
                 {DNNL_ARG_WEIGHTS, how.weights_desc(), filter},
                 {DNNL_ARG_DST, how.dst_desc(), result}});
    program.take(0, shapes.result, how.dst_desc(), result);
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_conv_backward_data(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto shapes = shapes_of(job, job.outputs[0], job.inputs[1], job.inputs[0]);
    const auto how = best(shapes, describe_data);
    const auto result = program.bring(0, shapes.result, how.diff_dst_desc());
    const auto filter = program.bring(1, shapes.filter, how.weights_desc());
    const auto image = program.prepare(0, shapes.image, how.diff_src_desc());
    program.add(BackwardData(how), how.scratchpad_desc(),
                {{DNNL_ARG_DIFF_DST, how.diff_dst_desc(), result},
                 {DNNL_ARG_WEIGHTS, how.weights_desc(), filter},
                 {DNNL_ARG_DIFF_SRC, how.diff_src_desc(), image}});
    program.take(0, shapes.image, how.diff_src_desc(), image);
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_conv_backward_filter(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto shapes = shapes_of(job, job.inputs[0], job.outputs[0], job.inputs[1]);
    const auto how = best(shapes, describe_filter);
    const auto image = program.bring(0, shapes.image, how.src_desc());
    const auto result = program.bring(1, shapes.result, how.diff_dst_desc());
    const auto filter = program.prepare(0, shapes.filter, how.diff_weights_desc());
    program.add(BackwardFilter(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, how.src_desc(), image},
                 {DNNL_ARG_DIFF_DST, how.diff_dst_desc(), result},
                 {DNNL_ARG_DIFF_WEIGHTS, how.diff_weights_desc(), filter}});
    program.take(0, shapes.filter, how.diff_weights_desc(), filter);
    return program.finish(how.impl_info_str());
  });
}

}  // namespace mete::blas
