// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/blas/dnn_program.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <omp.h>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

constexpr std::uint64_t kLine = 64;
constexpr std::uint64_t kPage = 4096;

std::uint64_t rounded(std::uint64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

class LoopKernel final : public Kernel {
 public:
  LoopKernel(RunLoops run, Scratch scratch, std::string what)
      : run_(std::move(run)), scratch_(std::move(scratch)), what_(std::move(what)) {}
  Result<void> run(std::span<const void* const> inputs, std::span<void* const> outputs) override {
    return run_(RunTensors{inputs, outputs, scratch_.data()});
  }
  [[nodiscard]] std::string implementation() const override { return what_; }
  [[nodiscard]] std::uint64_t scratch_bytes() const override { return scratch_.bytes(); }

 private:
  RunLoops run_;
  Scratch scratch_;
  std::string what_;
};

}  // namespace

void Scratch::Free::operator()(std::byte* p) const { std::free(p); }

Result<Scratch> Scratch::of(std::uint64_t bytes) {
  Scratch scratch;
  if (bytes == 0) return scratch;
  const std::uint64_t whole = (bytes + kPage - 1) / kPage * kPage;
  auto* memory =
      whole < bytes ? nullptr : static_cast<std::byte*>(std::aligned_alloc(kPage, whole));
  if (memory == nullptr) {
    return fail(Errc::unavailable, "no {} bytes of scratch memory for a kernel", bytes);
  }
  scratch.data_.reset(memory);
  std::memset(memory, 0, whole);
  scratch.bytes_ = whole;
  return scratch;
}

MadeKernel loop_kernel(RunLoops run, std::uint64_t scratch_bytes, std::string what) {
  METE_TRY(auto scratch, Scratch::of(scratch_bytes));
  return std::unique_ptr<Kernel>(
      new LoopKernel(std::move(run), std::move(scratch), std::move(what)));
}

const dnnl::engine& dnn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

MemoryDims dims_of(const Shape& shape) { return {shape.dims().begin(), shape.dims().end()}; }

MemoryDesc strided_desc(const MemoryDims& dims, const MemoryDims& strides) {
  return MemoryDesc(dims, dnnl::memory::data_type::f32, strides);
}

MemoryDesc plain_desc(const MemoryDims& dims) {
  MemoryDims strides(dims.size());
  dnnl::memory::dim step = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = step;
    step *= dims[i];
  }
  return strided_desc(dims, strides);
}

MemoryDesc any_desc(const MemoryDims& dims) {
  return MemoryDesc(dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
}

MemoryDesc desc_of(const KernelOperand& operand) {
  using tag = dnnl::memory::format_tag;
  const auto dims = dims_of(operand.type.shape);
  const auto f32 = dnnl::memory::data_type::f32;
  switch (operand.layout) {
    case Layout::channels_last:
      return MemoryDesc(dims, f32, tag::nhwc);
    case Layout::blocked:
      return MemoryDesc(dims, f32, tag::nChw16c);
    case Layout::filter_blocked:
      return MemoryDesc(dims, f32, tag::OIhw16i16o);
    case Layout::plain:
      break;
  }
  return plain_desc(dims);
}

dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

int implementation_rank(const std::string& name) {
  if (name.find("ref") != std::string::npos || name.find("simple") != std::string::npos) return 0;
  return name.find("gemm:") != std::string::npos && name.find("brg") == std::string::npos ? 1 : 2;
}

/// Runs a program's steps.
class DnnKernel final : public Kernel {
 public:
  DnnKernel(DnnProgram program, Scratch scratch, std::string what)
      : program_(std::move(program)),
        scratch_(std::move(scratch)),
        stream_(dnn_engine()),
        what_(std::move(what)) {
    for (auto& step : program_.steps_) {
      for (auto& bound : step.bound) {
        if (bound.place.kind != DnnPlace::Kind::scratch) continue;
        bound.memory.set_data_handle(scratch_.data() + bound.place.at);
      }
    }
  }

  Result<void> run(std::span<const void* const> inputs, std::span<void* const> outputs) override {
    const RunTensors tensors{inputs, outputs, scratch_.data()};
    try {
      omp_set_num_threads(program_.threads_);
      for (auto& step : program_.steps_) {
        if (step.loop) {
          step.loop(tensors);
          continue;
        }
        for (auto& bound : step.bound) bind(bound, tensors);
        step.primitive.execute(stream_, step.arguments);
      }
      stream_.wait();
      return {};
    } catch (const std::exception& error) {
      return fail(Errc::failed, "oneDNN {}: {}", what_, error.what());
    }
  }
  [[nodiscard]] std::string implementation() const override {
    return fmt::format("{} {}", onednn_version(), what_);
  }
  [[nodiscard]] std::uint64_t scratch_bytes() const override { return scratch_.bytes(); }

 private:
  static void bind(DnnProgram::Bound& bound, const RunTensors& tensors) {
    const auto at = bound.place.at;
    if (bound.place.kind == DnnPlace::Kind::input) {
      // oneDNN takes no const pointers; it does not write to what it reads.
      bound.memory.set_data_handle(const_cast<void*>(tensors.inputs[at]));
    } else if (bound.place.kind == DnnPlace::Kind::output) {
      bound.memory.set_data_handle(tensors.outputs[at]);
    }
  }

  DnnProgram program_;
  Scratch scratch_;
  dnnl::stream stream_;
  std::string what_;
};

// Primitives split their work among as many threads as there are when they are made.
DnnProgram::DnnProgram(int threads) : threads_(threads) { omp_set_num_threads(threads); }

DnnPlace DnnProgram::reserve(std::uint64_t bytes) {
  const DnnPlace place{DnnPlace::Kind::scratch, reserved_};
  reserved_ += rounded(bytes);
  return place;
}

void DnnProgram::add(const dnnl::primitive& primitive, const MemoryDesc& scratchpad,
                     const std::vector<DnnArgument>& arguments) {
  Step step;
  step.primitive = primitive;
  const auto bind = [&](int name, const MemoryDesc& desc, DnnPlace place) {
    const dnnl::memory memory(desc, dnn_engine(), DNNL_MEMORY_NONE);
    step.arguments.emplace(name, memory);
    step.bound.push_back({memory, place});
  };
  for (const auto& argument : arguments) bind(argument.name, argument.desc, argument.place);
  if (scratchpad.get_size() > 0) {
    scratchpad_ = std::max<std::uint64_t>(scratchpad_, rounded(scratchpad.get_size()));
    scratchpads_.emplace_back(steps_.size(), step.bound.size());
    bind(DNNL_ARG_SCRATCHPAD, scratchpad, {});
  }
  steps_.push_back(std::move(step));
}

void DnnProgram::add(std::function<void(const RunTensors&)> loop) {
  Step step;
  step.loop = std::move(loop);
  steps_.push_back(std::move(step));
}

void DnnProgram::reorder(const MemoryDesc& from, DnnPlace from_place, const MemoryDesc& to,
                         DnnPlace to_place) {
  const dnnl::reorder::primitive_desc how(dnn_engine(), from, dnn_engine(), to, own_scratchpad());
  add(dnnl::reorder(how), how.scratchpad_desc(),
      {{DNNL_ARG_FROM, from, from_place}, {DNNL_ARG_TO, to, to_place}});
}

DnnPlace DnnProgram::bring(std::size_t input, const MemoryDesc& given, const MemoryDesc& wanted) {
  if (given == wanted) return input_place(input);
  const auto place = reserve(wanted);
  reorder(given, input_place(input), wanted, place);
  return place;
}

DnnPlace DnnProgram::prepare(std::size_t output, const MemoryDesc& given, const MemoryDesc& made) {
  return given == made ? output_place(output) : reserve(made);
}

void DnnProgram::take(std::size_t output, const MemoryDesc& given, const MemoryDesc& made,
                      DnnPlace place) {
  if (place.kind == DnnPlace::Kind::scratch) reorder(made, place, given, output_place(output));
}

MadeKernel DnnProgram::finish(const std::string& what) {
  for (const auto& [step, argument] : scratchpads_) {
    steps_[step].bound[argument].place = {DnnPlace::Kind::scratch, reserved_};
  }
  METE_TRY(auto scratch, Scratch::of(reserved_ + scratchpad_));
  return std::unique_ptr<Kernel>(new DnnKernel(std::move(*this), std::move(scratch), what));
}

}  // namespace mete::blas
