// Gemm: a matrix multiply that a device can run, and the judge that checks it. C (rows × rows) = A
// (rows × depth) · B (depth × rows), row-major; each backend keeps its own matrices.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mete/base/result.h"
#include "mete/base/rng.h"

namespace mete {

enum class GemmType { f64, f32, bf16, f16, int8 };
/// "double", "float", "bf16", "half", "int8": the Jetson study's words where it has one.
std::string_view gemm_type_name(GemmType type);
Result<GemmType> gemm_type_named(std::string_view name);
/// Bytes of one element of A and B, and of C (int8 adds up in 32 bits, bf16 in float).
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
  int threads = 1;
  std::uint64_t seed = 1;
};

/// One multiply, ready to run. One thread calls it.
class Gemm {
 public:
  virtual ~Gemm() = default;
  /// Runs or queues `count` multiplies, without waiting for each.
  virtual Result<void> run(std::uint64_t count) = 0;
  /// Returns once all that was queued is done.
  virtual Result<void> finish() = 0;
  /// Elements as the device has them (rounded to its type); C after finish().
  [[nodiscard]] virtual double a(std::uint64_t row, std::uint64_t k) const = 0;
  [[nodiscard]] virtual double b(std::uint64_t k, std::uint64_t column) const = 0;
  [[nodiscard]] virtual double c(std::uint64_t row, std::uint64_t column) const = 0;
  /// "OpenBLAS 0.3.21 SkylakeX", "oneDNN 2.6.3 brg:avx512_core_amx_bf16".
  [[nodiscard]] virtual std::string implementation() const = 0;
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
  /// Library versions, for a study's environment: one line.
  [[nodiscard]] virtual std::string libraries() const = 0;
};

inline constexpr int kBlasPluginAbi = 1;
inline constexpr const char* kBlasPluginSymbol = "mete_blas_runtime";
/// Opens the CPU's libraries (plugin mete_blas.so). `unavailable`, with the next step, where there
/// is none.
Result<GemmRuntime*> open_blas_runtime();

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
