// The plugin's one function. SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include <fmt/format.h>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

class BlasRuntime final : public GemmRuntime {
 public:
  Result<std::unique_ptr<Gemm>> make(const GemmJob& job) override {
    switch (job.type) {
      case GemmType::f32:
      case GemmType::f64:
        return make_openblas_gemm(job);
      case GemmType::bf16:
      case GemmType::int8:
        return make_onednn_gemm(job);
      case GemmType::tf32:
        return fail(Errc::unsupported, "tf32: only NVIDIA's tensor cores have it; use float");
      case GemmType::f16:
        break;
    }
    return fail(Errc::unsupported,
                "half: no library of Debian's multiplies it on a CPU; bf16 is what there is");
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
