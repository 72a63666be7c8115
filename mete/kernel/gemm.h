// Gemm: a matrix multiply that a device can run, and the judge that checks it. C (rows × rows) = A
// (rows × depth) · B (depth × rows), row-major; each backend keeps its own matrices.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/rng.h"
#include "mete/kernel/stream.h"

namespace mete {

enum class GemmType { f64, f32, bf16, f16, int8, tf32 };
/// "double", "float", "bf16", "half", "int8", "tf32" (floats multiplied with 10 bits of fraction,
/// on tensor cores only): the Jetson study's words where it has one.
std::string_view gemm_type_name(GemmType type);
Result<GemmType> gemm_type_named(std::string_view name);
/// Bytes of one element of A and B, and of C (int8 adds up in 32 bits; bf16 and tf32 in float).
std::size_t gemm_input_bytes(GemmType type);
std::size_t gemm_output_bytes(GemmType type);

struct GemmShape {
  std::uint64_t rows = 0;
  std::uint64_t depth = 0;
  /// M·N·(2K-1), as the Jetson study counts.
  [[nodiscard]] double operations() const;
  [[nodiscard]] double bytes(GemmType type) const;
};

struct GemmJob {
  GemmShape shape;
  GemmType type = GemmType::f32;
  int threads = 1;  ///< of a CPU
  std::uint64_t seed = 1;
  int device = 0;       ///< of a GPU: N of cuda:N
  bool tensor = false;  ///< of a GPU: whether its tensor cores are asked for
  /// Of a CPU: one of gemm_libraries(), or "auto": the first of them that takes the type here.
  std::string library = "auto";
};
/// The CPU's libraries, in the order in which they are asked: "onednn", "openblas".
std::span<const std::string_view> gemm_libraries();

/// FLOP/s that a device's units can reach at its highest clock; NaN where nobody has said.
struct GemmPeaks {
  double plain = std::numeric_limits<double>::quiet_NaN();
  double tensor = std::numeric_limits<double>::quiet_NaN();
};
/// "tensor", "nontensor" or "unclear": which units a multiply of this rate ran on. More than the
/// plain units can do was done by tensor cores; near their peak, where the tensor cores would be
/// far below their own, by the plain ones; between and below, the rate alone cannot tell.
std::string_view observed_units(double flops, const GemmPeaks& peaks);

/// One multiply, ready to run. One thread calls it.
class Gemm {
 public:
  virtual ~Gemm() = default;
  /// Runs or queues `count` multiplies, without waiting for each.
  virtual Result<void> run(std::uint64_t count) = 0;
  /// Returns once all that was queued is done.
  virtual Result<void> finish() = 0;
  /// How long the device itself took for what was queued, by its own clock, between the last run()
  /// and its finish(); nothing where only the caller's clock can tell.
  [[nodiscard]] virtual std::optional<double> device_seconds() const { return std::nullopt; }
  /// Elements as the device has them (rounded to its type); C after finish().
  [[nodiscard]] virtual double a(std::uint64_t row, std::uint64_t k) const = 0;
  [[nodiscard]] virtual double b(std::uint64_t k, std::uint64_t column) const = 0;
  [[nodiscard]] virtual double c(std::uint64_t row, std::uint64_t column) const = 0;
  /// "OpenBLAS 0.3.21 SkylakeX", "oneDNN 2.6.3 matmul brg:avx512_core_amx_bf16, B packed ahead".
  [[nodiscard]] virtual std::string implementation() const = 0;
  /// The part of the matrices in huge pages of the host, 0..1; NaN where that means nothing.
  [[nodiscard]] virtual double huge_page_share() const {
    return std::numeric_limits<double>::quiet_NaN();
  }
};

/// The libraries behind a plugin.
class GemmRuntime {
 public:
  virtual ~GemmRuntime() = default;
  /// `unsupported`, with the reason, for a type that the device or its libraries lack.
  virtual Result<std::unique_ptr<Gemm>> make(const GemmJob& job) = 0;
  /// FLOP/s of a loop of independent fused multiply-adds in registers, all `threads`: what the
  /// arithmetic units can do. `unsupported` where there is no such loop for the type.
  virtual Result<double> measure_peak(GemmType type, int threads, double seconds) = 0;
  /// The device's name ("NVIDIA H100 80GB HBM3") and its free memory, bytes. `unsupported` for a
  /// CPU, whose memory the system tells of.
  virtual Result<std::string> device_name(int device);
  virtual Result<double> free_bytes(int device);
  /// A GPU's memory bandwidth, `repeats` times each loop; `unsupported` for a CPU, whose loops are
  /// run_stream()'s.
  virtual Result<std::vector<StreamResult>> measure_stream(int device, int repeats);
  /// What the units of a GPU can do, from its clock and the number of its cores.
  virtual GemmPeaks peaks(GemmType type, int device);
  /// Library versions, for a study's environment: one line.
  [[nodiscard]] virtual std::string libraries() const = 0;
};

inline constexpr int kBlasPluginAbi = 3;
inline constexpr const char* kBlasPluginSymbol = "mete_blas_runtime";
/// Opens the CPU's libraries (plugin mete_blas.so). `unavailable`, with the next step, where there
/// is none.
Result<GemmRuntime*> open_blas_runtime();

inline constexpr int kCudaPluginAbi = 2;
inline constexpr const char* kCudaPluginSymbol = "mete_cuda_runtime";
/// Opens NVIDIA's libraries (plugin mete_cuda.so). `unavailable`, with the next step, where there
/// is no such plugin; without a GPU the plugin opens and its devices say what is missing.
Result<GemmRuntime*> open_cuda_runtime();

/// How far C is from what a naive multiply in double precision of the same inputs gives, at
/// `samples` random elements.
struct GemmError {
  double worst = 0;      ///< largest |difference| over the sum of the products' sizes
  double tolerance = 0;  ///< what rounding in this type can explain
  [[nodiscard]] bool ok() const { return worst <= tolerance; }
};
GemmError check_gemm(const Gemm& gemm, const GemmJob& job, std::size_t samples, Rng rng);
/// Variance of A's elements over `samples` random ones: 0 means that nothing was multiplied.
double input_variance(const Gemm& gemm, const GemmShape& shape, std::size_t samples, Rng rng);

}  // namespace mete
