// The plugin's one function. SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

/// Who multiplies which type, in the order in which they are asked.
struct GemmRow {
  GemmType type;
  std::string_view library;
  bool only_wide;  ///< chosen unasked only where the CPU has AVX-512
  Result<std::unique_ptr<Gemm>> (*make)(const GemmJob&);
};
// docs/adr/0004 has the figures behind the first two rows.
constexpr std::array kGemms{
    GemmRow{GemmType::f32, "onednn", true, make_onednn_sgemm},
    GemmRow{GemmType::f32, "openblas", false, make_openblas_gemm},
    GemmRow{GemmType::f64, "openblas", false, make_openblas_gemm},
    GemmRow{GemmType::bf16, "onednn", false, make_onednn_gemm},
    GemmRow{GemmType::int8, "onednn", false, make_onednn_gemm},
};

bool wide_units() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") != 0;
#else
  return false;
#endif
}

/// Why a library that was asked for does not take a type.
Error refused(const GemmJob& job) {
  for (const auto& row : kGemms) {
    if (row.type == job.type)
      return fail(Errc::unsupported, "{} does not multiply {}: {} does", job.library,
                  gemm_type_name(job.type), row.library);
  }
  return fail(Errc::unsupported, "no library here multiplies {}", gemm_type_name(job.type));
}

class BlasRuntime final : public GemmRuntime {
 public:
  Result<std::unique_ptr<Gemm>> make(const GemmJob& job) override {
    if (job.type == GemmType::tf32)
      return fail(Errc::unsupported, "tf32: only NVIDIA's tensor cores have it; use float");
    if (job.type == GemmType::f16) {
      return fail(Errc::unsupported,
                  "half: no library of Debian's multiplies it on a CPU; bf16 is what there is");
    }
    for (const auto& row : kGemms) {
      const bool asked = job.library == row.library;
      if (row.type != job.type || (!asked && job.library != "auto")) continue;
      if (asked || !row.only_wide || wide_units()) return row.make(job);
    }
    return refused(job);
  }
  Result<double> measure_peak(GemmType type, int threads, double seconds) override {
    return arithmetic_peak(type, threads, seconds);
  }
  [[nodiscard]] std::string libraries() const override {
    return fmt::format("{}; {}", openblas_version(), onednn_version());
  }
};

}  // namespace
}  // namespace mete::blas

extern "C" __attribute__((visibility("default"))) mete::GemmRuntime* mete_blas_runtime(
    int abi, const char* version) {
  if (abi != mete::kBlasPluginAbi || std::strcmp(version, METE_VERSION) != 0) return nullptr;
  // Made when first asked for and kept: the program may hold multiplies to its end.
  static mete::blas::BlasRuntime runtime;
  return &runtime;
}
