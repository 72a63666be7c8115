// Kernels of DNN ops: what a device can run, ready to run. Each op has a naive reference here, and
// libraries above it; the first that takes a job gets it. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/graph.h"
#include "mete/kernel/layout.h"

namespace mete {

struct KernelOperand {
  TensorType type;
  Layout layout = Layout::plain;

  bool operator==(const KernelOperand&) const = default;
};

/// One node's work, apart from where its tensors lie.
struct KernelJob {
  const Op* op = nullptr;  ///< compare names, not addresses: a plugin has its own copies of the ops
  Attributes attributes;
  std::vector<KernelOperand> inputs;
  std::vector<KernelOperand> outputs;
  int threads = 1;
};

/// Ready to run, as often as wanted, by one thread at a time. The same bytes in give the same bytes
/// out, wherever they lie.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// First bytes of each tensor, 64-byte aligned. Where the op reuses an input (Op::reuse), the
  /// first result may lie on it. Scratch memory is the kernel's own.
  virtual Result<void> run(std::span<const void* const> inputs, std::span<void* const> outputs) = 0;
  /// "reference", "oneDNN 2.6.3 brgconv:avx512_core".
  [[nodiscard]] virtual std::string implementation() const = 0;
  /// Scratch memory, beside inputs and outputs.
  [[nodiscard]] virtual std::uint64_t scratch_bytes() const { return 0; }
};

class KernelLibrary {
 public:
  virtual ~KernelLibrary() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Name and version of what does the work, as stored with what it measured.
  [[nodiscard]] virtual std::string version() const = 0;
  /// `unsupported`, with the reason, for what it does not run.
  virtual Result<std::unique_ptr<Kernel>> make(const KernelJob& job) = 0;
  /// True if images and filters in blocks of 16 channels suit it best (layouts_for()).
  [[nodiscard]] virtual bool prefers_blocks() const { return false; }
};

/// The naive loops: every op of builtin_ops(), one thread. Tensors in other layouts than plain are
/// copied into it and back: it runs whatever else there is no kernel for.
std::unique_ptr<KernelLibrary> make_reference_library();

inline constexpr int kDnnPluginAbi = 1;
inline constexpr const char* kDnnPluginSymbol = "mete_dnn_library";
/// oneDNN and our own loops beside it (plugin mete_blas.so). `unavailable`, with the next step,
/// where there is none.
Result<KernelLibrary*> open_dnn_library();

struct ChosenKernel {
  std::unique_ptr<Kernel> kernel;
  std::string library;                ///< the one that took the job
  std::vector<std::string> refusals;  ///< "oneDNN: .." of those asked before it
};
/// Asks each in order. `unsupported`, with every reason, if none takes it.
Result<ChosenKernel> choose_kernel(std::span<KernelLibrary* const> libraries, const KernelJob& job);

/// The job of a node whose tensors have these layouts (one per tensor of the graph).
KernelJob job_of(const Graph& graph, NodeId node, std::span<const Layout> layouts, int threads);

/// Bytes of each operand that a run of the node touches: all of it, but the used rows of a table
/// and the part that a slice takes.
struct OperandTraffic {
  std::vector<std::uint64_t> read;     ///< per input
  std::vector<std::uint64_t> written;  ///< per output
};
OperandTraffic traffic_of(const Graph& graph, NodeId node);

}  // namespace mete
