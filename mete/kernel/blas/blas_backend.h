// What the parts of the plugin mete_blas.so give each other. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "mete/kernel/gemm.h"

namespace mete::blas {

/// float and double, by OpenBLAS.
Result<std::unique_ptr<Gemm>> make_openblas_gemm(const GemmJob& job);
std::string openblas_version();
/// bf16 and int8, by oneDNN.
Result<std::unique_ptr<Gemm>> make_onednn_gemm(const GemmJob& job);
std::string onednn_version();
/// FLOP/s of a loop of fused multiply-adds on `threads` threads.
Result<double> fma_peak(GemmType type, int threads, double seconds);

}  // namespace mete::blas
