// What the parts of the plugin mete_blas.so give each other. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "mete/kernel/gemm.h"
#include "mete/kernel/matrix_memory.h"

namespace mete::blas {

/// Threads worth waking for a job: below 2^19 multiply-adds (where OpenBLAS draws its line too)
/// waking the others takes longer than the multiply.
inline int threads_worth(const GemmJob& job) {
  constexpr double kFewest = 1U << 19U;
  const auto rows = static_cast<double>(job.shape.rows);
  return rows * rows * static_cast<double>(job.shape.depth) <= kFewest ? 1 : job.threads;
}
/// What is said of it: "" or ", on one thread: too small for more".
inline const char* threads_note(int used, int asked) {
  return used < asked ? ", on one thread: too small for more" : "";
}

/// float and double, by OpenBLAS.
Result<std::unique_ptr<Gemm>> make_openblas_gemm(const GemmJob& job);
std::string openblas_version();
/// float, by oneDNN's sgemm.
Result<std::unique_ptr<Gemm>> make_onednn_sgemm(const GemmJob& job);
/// bf16 and int8, by oneDNN's matmul, B packed ahead.
Result<std::unique_ptr<Gemm>> make_onednn_gemm(const GemmJob& job);
std::string onednn_version();
/// A loop of independent multiply-adds in registers, and what one call of it comes to.
struct PeakLoop {
  double (*run)(double) = nullptr;  ///< nullptr: there is none
  double operations = 0;
};
/// The widest that this CPU has: vector FMA for float and double; for bf16 and int8 the matrix unit
/// (AMX), else dot products (AVX-512 BF16, VNNI), else, as the library does it, float's.
PeakLoop fma_loop(GemmType type);
PeakLoop dot_loop(GemmType type);
/// FLOP/s of that loop on `threads` threads.
Result<double> arithmetic_peak(GemmType type, int threads, double seconds);

}  // namespace mete::blas
