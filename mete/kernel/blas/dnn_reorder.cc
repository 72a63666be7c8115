// Copies between layouts by oneDNN's reorders: transposes, reshapes, and concats and slices of
// tensors in different layouts. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/blas/dnn_program.h"

namespace mete::blas {
namespace {

/// `size` of an axis from `begin` on, within a tensor.
MemoryDesc part_desc(const KernelOperand& whole, std::size_t axis, std::int64_t begin,
                     std::int64_t size) {
  auto dims = dims_of(whole.type.shape);
  MemoryDims offsets(dims.size(), 0);
  dims[axis] = size;
  offsets[axis] = begin;
  return desc_of(whole).submemory_desc(dims, offsets);
}

}  // namespace

MadeKernel make_reorder_concat(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const std::size_t axis = job.attributes.axis;
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < job.inputs.size(); ++i) {
      const std::int64_t size = job.inputs[i].type.shape[axis];
      program.reorder(desc_of(job.inputs[i]), input_place(i),
                      part_desc(job.outputs[0], axis, begin, size), output_place());
      begin += size;
    }
    return program.finish("reorder");
  });
}

MadeKernel make_reorder_slice(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto& a = job.attributes;
    program.reorder(part_desc(job.inputs[0], a.axis, a.begin, a.end - a.begin), input_place(0),
                    desc_of(job.outputs[0]), output_place());
    return program.finish("reorder");
  });
}

MadeKernel make_transpose(const KernelJob& job) {
  if (job.inputs[0].layout != Layout::plain || job.outputs[0].layout != Layout::plain) {
    return fail(Errc::unsupported, "transpose: takes tensors in the plain layout only");
  }
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto& order = job.attributes.order;
    const auto from = desc_of(job.inputs[0]);
    // The same elements at the places that they have in the result.
    const auto result = dims_of(job.outputs[0].type.shape);
    MemoryDims strides(order.size(), 1);
    dnnl::memory::dim step = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
      strides[order[i]] = step;
      step *= result[i];
    }
    const auto to = strided_desc(dims_of(job.inputs[0].type.shape), strides);
    program.reorder(from, input_place(0), to, output_place());
    return program.finish("reorder");
  });
}

MadeKernel make_reshape(const KernelJob& job) {
  const auto& from = job.inputs[0];
  const auto& to = job.outputs[0];
  const bool same_shape = from.type.shape == to.type.shape;
  if (from.layout != Layout::plain && to.layout != Layout::plain && !same_shape) {
    return fail(Errc::unsupported,
                "reshape: between {} and {} one of the two must be in the plain layout",
                from.type.shape.text(), to.type.shape.text());
  }
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    // Row-major order is what a reshape keeps: the plain side may be seen under either shape.
    KernelOperand seen_from = from;
    KernelOperand seen_to = to;
    if (from.layout == Layout::plain && to.layout == Layout::plain) {
      // Flat, so that no library need understand the shapes.
      seen_from.type.shape = Shape{static_cast<std::int64_t>(from.type.shape.elements())};
      seen_to.type.shape = seen_from.type.shape;
    } else if (from.layout == Layout::plain) {
      seen_from.type.shape = to.type.shape;
    } else {
      seen_to.type.shape = from.type.shape;
    }
    program.reorder(desc_of(seen_from), input_place(0), desc_of(seen_to), output_place());
    return program.finish("reorder");
  });
}

}  // namespace mete::blas
