// Matrix multiply, batch norm, softmax and GELU by oneDNN.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include <omp.h>

#include "mete/kernel/blas/blas_backend.h"
#include "mete/kernel/blas/dnn_program.h"

namespace mete::blas {
namespace {

using dnnl::memory;

memory::dim elements_of(const KernelOperand& operand) {
  return static_cast<memory::dim>(operand.type.shape.elements());
}

/// Rows and columns as multiplied, of the last two axes of memory that may hold them transposed.
MemoryDesc matrix_desc(memory::dim batch, memory::dim rows, memory::dim columns, bool transposed,
                       bool with_batch) {
  MemoryDims dims{rows, columns};
  MemoryDims strides{transposed ? 1 : columns, transposed ? rows : 1};
  if (with_batch) {
    dims.insert(dims.begin(), batch);
    strides.insert(strides.begin(), rows * columns);
  }
  return strided_desc(dims, strides);
}

Result<void> expect_plain(const KernelJob& job) {
  for (const auto* operands : {&job.inputs, &job.outputs}) {
    for (const auto& operand : *operands) {
      if (operand.layout == Layout::plain) continue;
      return fail(Errc::unsupported, "{}: takes tensors in the plain layout only", job.op->name);
    }
  }
  return {};
}

Result<void> expect_one_layout(const KernelJob& job) {
  for (const auto& operand : job.inputs) {
    if (operand.layout == job.outputs[0].layout) continue;
    return fail(Errc::unsupported, "{}: takes tensors of one layout only, not a mix", job.op->name);
  }
  return {};
}

/// Images as they lie; anything else as images of one row or column.
MemoryDesc norm_desc(const KernelOperand& operand) {
  const Shape& shape = operand.type.shape;
  if (shape.rank() == 4) return desc_of(operand);
  memory::dim rest = 1;
  for (std::size_t i = 2; i < shape.rank(); ++i) rest *= shape[i];
  return rest == 1 ? MemoryDesc({shape[0], shape[1], 1, 1}, memory::data_type::f32,
                                memory::format_tag::nhwc)
                   : plain_desc({shape[0], shape[1], rest, 1});
}

const auto kNormFlags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
using NormForward = dnnl::batch_normalization_forward;
using NormBackward = dnnl::batch_normalization_backward;

NormForward::primitive_desc describe_norm(const KernelJob& job, const MemoryDesc& data) {
  return {{dnnl::prop_kind::forward_training, data, static_cast<float>(job.attributes.epsilon),
           kNormFlags},
          own_scratchpad(),
          dnn_engine()};
}

}  // namespace

/// By oneDNN's plain multiply. Where the second factor lies row by row, its matmul primitive takes
/// two to eight times as long if the rows' length is a power of two, and copying that factor into
/// its own layout first costs more than is won (docs/kernels.md).
static MadeKernel make_plain_multiply(const KernelJob& job) {
  const bool turned = job.attributes.transpose_a;
  const Shape& right = job.inputs[1].type.shape;
  const memory::dim depth = right[0];
  const memory::dim columns = right[1];
  const memory::dim rows = elements_of(job.outputs[0]) / columns;
  const int threads = job.threads;
  const auto scale = static_cast<float>(job.attributes.scale);
  const auto size = [](memory::dim x) { return static_cast<std::size_t>(x); };
  if (!turned && suits_few_rows(size(rows), size(depth), size(columns)))
    return make_few_rows(size(rows), size(depth), size(columns), scale, threads);
  const auto run = [=](const RunTensors& t) -> Result<void> {
    omp_set_num_threads(threads);
    const auto status = dnnl_sgemm(turned ? 'T' : 'N', 'N', rows, columns, depth, scale, t.in(0),
                                   turned ? rows : depth, t.in(1), columns, 0, t.out(), columns);
    if (status == dnnl_success) return {};
    return fail(Errc::failed, "oneDNN's multiply of {} x {} x {} failed (status {})", rows, depth,
                columns, static_cast<int>(status));
  };
  return loop_kernel(run, 0, onednn_version() + " sgemm");
}

MadeKernel make_matmul(const KernelJob& job) {
  METE_TRY_VOID(expect_plain(job));
  const bool second_is_matrix = job.inputs[1].type.shape.rank() == 2;
  if (second_is_matrix && !job.attributes.transpose_b) return make_plain_multiply(job);
  if (second_is_matrix && !job.attributes.transpose_a) {
    const auto size = [](memory::dim x) { return static_cast<std::size_t>(x); };
    const auto results = size(job.inputs[1].type.shape[0]);
    const auto columns = size(job.inputs[1].type.shape[1]);
    const auto rows = size(elements_of(job.outputs[0])) / results;
    if (suits_few_rows_turned(rows, columns, results)) {
      return make_few_rows_turned(rows, columns, results, static_cast<float>(job.attributes.scale),
                                  job.threads);
    }
  }
  return by_onednn(job, [&]() -> MadeKernel {
    const auto& attributes = job.attributes;
    const Shape& left = job.inputs[0].type.shape;
    const Shape& right = job.inputs[1].type.shape;
    const Shape& result = job.outputs[0].type.shape;
    const bool batched = left.rank() > 2 && right.rank() > 2;
    const memory::dim columns = result.from_end(0);
    const memory::dim depth = left.from_end(attributes.transpose_a ? 1 : 0);
    const memory::dim each = batched ? result.from_end(1) * columns : elements_of(job.outputs[0]);
    const memory::dim rows = each / columns;
    const memory::dim batch = elements_of(job.outputs[0]) / each;

    DnnProgram program(job.threads);
    auto how_to = own_scratchpad();
    if (attributes.scale != 1) {
      how_to.set_output_scales(0, {static_cast<float>(attributes.scale)});
    }
    const auto a = matrix_desc(batch, rows, depth, attributes.transpose_a, batched);
    const auto b = matrix_desc(batch, depth, columns, attributes.transpose_b, batched);
    const auto c = matrix_desc(batch, rows, columns, false, batched);
    const dnnl::matmul::primitive_desc how({a, b, c}, how_to, dnn_engine());
    program.add(dnnl::matmul(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, a, input_place(0)},
                 {DNNL_ARG_WEIGHTS, b, input_place(1)},
                 {DNNL_ARG_DST, c, output_place()}});
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_batch_norm(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto given = norm_desc(job.inputs[0]);
    const auto wanted = norm_desc(job.outputs[0]);
    const auto how = describe_norm(job, given);
    const auto x = input_place(0);
    const auto y = program.prepare(0, wanted, given);
    const auto channels = plain_desc({job.inputs[0].type.shape[1]});
    program.add(NormForward(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, given, x},
                 {DNNL_ARG_SCALE, channels, input_place(1)},
                 {DNNL_ARG_SHIFT, channels, input_place(2)},
                 {DNNL_ARG_DST, given, y},
                 {DNNL_ARG_MEAN, channels, output_place(1)},
                 {DNNL_ARG_VARIANCE, channels, output_place(2)}});
    program.take(0, wanted, given, y);
    const auto count = job.outputs[2].type.shape.elements();
    const auto epsilon = static_cast<float>(job.attributes.epsilon);
    // oneDNN gives the variance, the op its inverse root.
    program.add([count, epsilon](const RunTensors& t) {
      float* v = t.out(2);
      for (std::size_t i = 0; i < count; ++i) v[i] = 1.0F / std::sqrt(v[i] + epsilon);
    });
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_batch_norm_backward(const KernelJob& job) {
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto given_dy = norm_desc(job.inputs[0]);
    const auto data = norm_desc(job.inputs[1]);
    const auto wanted = norm_desc(job.outputs[0]);
    const auto channels = plain_desc({job.inputs[1].type.shape[1]});
    const auto count = job.inputs[4].type.shape.elements();
    const auto epsilon = static_cast<float>(job.attributes.epsilon);
    const auto variance = program.reserve(channels);
    // oneDNN adds epsilon again: only their sum matters, so it may lie below zero by a rounding.
    program.add([count, epsilon, at = variance.at](const RunTensors& t) {
      const float* inverse = t.in(4);
      auto* v = reinterpret_cast<float*>(t.scratch + at);
      for (std::size_t i = 0; i < count; ++i) v[i] = 1.0F / (inverse[i] * inverse[i]) - epsilon;
    });
    const NormBackward::primitive_desc how(
        {dnnl::prop_kind::backward, data, data, epsilon, kNormFlags}, own_scratchpad(),
        dnn_engine(), describe_norm(job, data));
    const auto dy = program.bring(0, given_dy, data);
    const auto dx = program.prepare(0, wanted, data);
    program.add(NormBackward(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, data, input_place(1)},
                 {DNNL_ARG_DIFF_DST, data, dy},
                 {DNNL_ARG_SCALE, channels, input_place(2)},
                 {DNNL_ARG_SHIFT, channels, input_place(2)},  // asked for, but not read
                 {DNNL_ARG_MEAN, channels, input_place(3)},
                 {DNNL_ARG_VARIANCE, channels, variance},
                 {DNNL_ARG_DIFF_SRC, data, dx},
                 {DNNL_ARG_DIFF_SCALE, channels, output_place(1)},
                 {DNNL_ARG_DIFF_SHIFT, channels, output_place(2)}});
    program.take(0, wanted, data, dx);
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_softmax(const KernelJob& job) {
  METE_TRY_VOID(expect_plain(job));
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const memory::dim width = job.inputs[0].type.shape.from_end(0);
    const auto data = plain_desc({elements_of(job.inputs[0]) / width, width});
    const dnnl::softmax_forward::primitive_desc how({dnnl::prop_kind::forward_training, data, 1},
                                                    own_scratchpad(), dnn_engine());
    program.add(dnnl::softmax_forward(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, data, input_place(0)}, {DNNL_ARG_DST, data, output_place()}});
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_softmax_backward(const KernelJob& job) {
  METE_TRY_VOID(expect_plain(job));
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const memory::dim width = job.inputs[0].type.shape.from_end(0);
    const auto data = plain_desc({elements_of(job.inputs[0]) / width, width});
    const dnnl::softmax_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, data, 1}, dnn_engine());
    const dnnl::softmax_backward::primitive_desc how({data, data, 1}, own_scratchpad(),
                                                     dnn_engine(), forward);
    program.add(dnnl::softmax_backward(how), how.scratchpad_desc(),
                {{DNNL_ARG_DIFF_DST, data, input_place(0)},
                 {DNNL_ARG_DST, data, input_place(1)},
                 {DNNL_ARG_DIFF_SRC, data, output_place()}});
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_gelu(const KernelJob& job) {
  METE_TRY_VOID(expect_one_layout(job));
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto data = plain_desc({elements_of(job.inputs[0])});
    const dnnl::eltwise_forward::primitive_desc how(
        {dnnl::prop_kind::forward_training, dnnl::algorithm::eltwise_gelu_erf, data, 0, 0},
        own_scratchpad(), dnn_engine());
    program.add(dnnl::eltwise_forward(how), how.scratchpad_desc(),
                {{DNNL_ARG_SRC, data, input_place(0)}, {DNNL_ARG_DST, data, output_place()}});
    return program.finish(how.impl_info_str());
  });
}

MadeKernel make_gelu_backward(const KernelJob& job) {
  METE_TRY_VOID(expect_one_layout(job));
  return by_onednn(job, [&]() -> MadeKernel {
    DnnProgram program(job.threads);
    const auto data = plain_desc({elements_of(job.inputs[0])});
    const auto algorithm = dnnl::algorithm::eltwise_gelu_erf;
    const dnnl::eltwise_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, algorithm, data, 0, 0}, dnn_engine());
    const dnnl::eltwise_backward::primitive_desc how({algorithm, data, data, 0, 0},
                                                     own_scratchpad(), dnn_engine(), forward);
    program.add(dnnl::eltwise_backward(how), how.scratchpad_desc(),
                {{DNNL_ARG_DIFF_DST, data, input_place(0)},
                 {DNNL_ARG_SRC, data, input_place(1)},
                 {DNNL_ARG_DIFF_SRC, data, output_place()}});
    return program.finish(how.impl_info_str());
  });
}

}  // namespace mete::blas
