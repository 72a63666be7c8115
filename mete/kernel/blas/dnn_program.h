// A kernel made of oneDNN primitives: which tensor goes where in each, and the memory between them.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

#include "mete/kernel/blas/dnn.h"

namespace mete::blas {

using MemoryDesc = dnnl::memory::desc;
using MemoryDims = dnnl::memory::dims;

const dnnl::engine& dnn_engine();
MemoryDims dims_of(const Shape& shape);
/// Row-major, or with the given strides.
MemoryDesc plain_desc(const MemoryDims& dims);
MemoryDesc strided_desc(const MemoryDims& dims, const MemoryDims& strides);
MemoryDesc any_desc(const MemoryDims& dims);
/// As the operand lies.
MemoryDesc desc_of(const KernelOperand& operand);
/// Scratch memory is ours, so that it is counted.
dnnl::primitive_attr own_scratchpad();

/// Where a primitive's argument lies when a run begins.
struct DnnPlace {
  enum class Kind : std::uint8_t { input, output, scratch };
  Kind kind = Kind::scratch;
  std::size_t at = 0;  ///< index of the tensor; in scratch memory: offset in bytes
};
inline DnnPlace input_place(std::size_t i) { return {DnnPlace::Kind::input, i}; }
inline DnnPlace output_place(std::size_t i = 0) { return {DnnPlace::Kind::output, i}; }

struct DnnArgument {
  int name = 0;  ///< DNNL_ARG_..
  MemoryDesc desc;
  DnnPlace place;
};

/// Collects steps in the order in which they run.
class DnnProgram {
 public:
  explicit DnnProgram(int threads);

  DnnPlace reserve(const MemoryDesc& desc) { return reserve(desc.get_size()); }
  DnnPlace reserve(std::uint64_t bytes);
  void add(const dnnl::primitive& primitive, const MemoryDesc& scratchpad,
           const std::vector<DnnArgument>& arguments);
  void add(std::function<void(const RunTensors&)> loop);
  /// The same elements from one layout to another.
  void reorder(const MemoryDesc& from, DnnPlace from_place, const MemoryDesc& to,
               DnnPlace to_place);
  /// Where `wanted` lies: the input itself, or a reordered copy of it.
  DnnPlace bring(std::size_t input, const MemoryDesc& given, const MemoryDesc& wanted);
  /// Where to make `made`: the output itself, or scratch memory; take() brings it home.
  DnnPlace prepare(std::size_t output, const MemoryDesc& given, const MemoryDesc& made);
  void take(std::size_t output, const MemoryDesc& given, const MemoryDesc& made, DnnPlace place);

  /// `what`: the implementation of the main primitive.
  MadeKernel finish(const std::string& what);

 private:
  friend class DnnKernel;
  struct Bound {
    dnnl::memory memory;
    DnnPlace place;
  };
  struct Step {
    dnnl::primitive primitive;  ///< empty: `loop`
    std::unordered_map<int, dnnl::memory> arguments;
    std::vector<Bound> bound;
    std::function<void(const RunTensors&)> loop;
  };
  int threads_;
  std::uint64_t reserved_ = 0;
  std::uint64_t scratchpad_ = 0;  ///< of one step at a time
  std::vector<Step> steps_;
  std::vector<std::pair<std::size_t, std::size_t>> scratchpads_;  ///< step and its argument
};

/// Runs `make`, which builds a program with oneDNN; its exceptions become a refusal.
template <class Make>
MadeKernel by_onednn(const KernelJob& job, Make make) {
  try {
    return make();
  } catch (const dnnl::error& error) {
    return fail(Errc::unsupported, "{}: oneDNN has none for these shapes ({})", job.op->name,
                error.what());
  } catch (const std::exception& error) {
    return fail(Errc::unsupported, "{}: oneDNN: {}", job.op->name, error.what());
  }
}

/// 2: made for this CPU; 1: by way of a matrix multiply; 0: plain loops.
int implementation_rank(const std::string& name);

}  // namespace mete::blas
