// The plugin's one function. SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "mete/kernel/cuda/cuda_gemm.h"

namespace mete::cuda {
namespace {

class CudaRuntime final : public GemmRuntime {
 public:
  Result<std::unique_ptr<Gemm>> make(const GemmJob& job) override { return make_gemm(job); }
  Result<double> measure_peak(GemmType type, int /*threads*/, double /*seconds*/) override {
    return fail(Errc::unsupported, "{}: a GPU's peak is computed, not measured",
                gemm_type_name(type));
  }
  Result<std::string> device_name(int device) override {
    METE_TRY(const auto units, device_units(device));
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, device) != cudaSuccess)
      return fail(Errc::failed, "cuda:{}: the device does not tell its name", device);
    return fmt::format("{}, compute capability {}.{}, {} multiprocessors, {:.0f} MHz",
                       properties.name, units.major, units.minor, units.multiprocessors,
                       units.clock / 1e6);
  }
  Result<double> free_bytes(int device) override {
    std::size_t unused = 0;
    std::size_t total = 0;
    if (cudaSetDevice(device) != cudaSuccess || cudaMemGetInfo(&unused, &total) != cudaSuccess)
      return fail(Errc::failed, "cuda:{}: the device does not tell its free memory", device);
    return static_cast<double>(unused);
  }
  Result<std::vector<StreamResult>> measure_stream(int device, int repeats) override {
    return device_stream(device, repeats);
  }
  GemmPeaks peaks(GemmType type, int device) override {
    const auto units = device_units(device);
    return units ? gpu_peaks(*units, type) : GemmPeaks{};
  }
  [[nodiscard]] std::string libraries() const override {
    int driver = 0;
    int runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    return fmt::format("cuBLAS {}.{}.{}, CUDA runtime {}.{}, driver for CUDA {}.{}",
                       CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH, runtime / 1000,
                       runtime % 1000 / 10, driver / 1000, driver % 1000 / 10);
  }
};

}  // namespace
}  // namespace mete::cuda

extern "C" __attribute__((visibility("default"))) mete::GemmRuntime* mete_cuda_runtime(
    int abi, const char* version) {
  if (abi != mete::kCudaPluginAbi || std::strcmp(version, METE_VERSION) != 0) return nullptr;
  static mete::cuda::CudaRuntime runtime;
  return &runtime;
}
