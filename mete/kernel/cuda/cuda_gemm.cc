// Matrix multiplies by cuBLAS. Row-major C = A·B is column-major Cᵀ = Bᵀ·Aᵀ, so B is its first
// matrix. Multiplies are queued on a stream of their own; events before the first and after the
// last of a chunk tell how long the device took. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/cuda/cuda_gemm.h"

#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

namespace mete::cuda {
namespace {

Result<void> told(cudaError_t code, std::string_view what) {
  if (code == cudaSuccess) return {};
  return fail(code == cudaErrorMemoryAllocation ? Errc::invalid : Errc::failed, "CUDA: {}: {}",
              what, cudaGetErrorString(code));
}
Result<void> told(cublasStatus_t code, std::string_view what) {
  if (code == CUBLAS_STATUS_SUCCESS) return {};
  return fail(code == CUBLAS_STATUS_NOT_SUPPORTED ? Errc::unsupported : Errc::failed,
              "cuBLAS: {}: {}", what, cublasGetStatusString(code));
}

struct DeviceFree {
  void operator()(void* p) const { cudaFree(p); }
};
using DeviceMemory = std::unique_ptr<void, DeviceFree>;

Result<DeviceMemory> allocate(std::size_t bytes) {
  void* memory = nullptr;
  METE_TRY_VOID(told(cudaMalloc(&memory, bytes), fmt::format("{} bytes", bytes)));
  return DeviceMemory(memory);
}

/// How one element type is stored, filled, read and multiplied.
struct F64 {
  using In = double;
  using Out = double;
  using Scale = double;
  static constexpr auto kIn = CUDA_R_64F;
  static constexpr auto kOut = CUDA_R_64F;
  static cublasComputeType_t compute(bool tensor) {
    return tensor ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_64F_PEDANTIC;
  }
};
struct F32 {
  using In = float;
  using Out = float;
  using Scale = float;
  static constexpr auto kIn = CUDA_R_32F;
  static constexpr auto kOut = CUDA_R_32F;
  static cublasComputeType_t compute(bool tensor) {
    return tensor ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_PEDANTIC;
  }
};
struct F16 {
  using In = __half;
  using Out = __half;
  using Scale = __half;
  static constexpr auto kIn = CUDA_R_16F;
  static constexpr auto kOut = CUDA_R_16F;
  static cublasComputeType_t compute(bool tensor) {
    return tensor ? CUBLAS_COMPUTE_16F : CUBLAS_COMPUTE_16F_PEDANTIC;
  }
};
struct Bf16 {
  using In = __nv_bfloat16;
  using Out = float;
  using Scale = float;
  static constexpr auto kIn = CUDA_R_16BF;
  static constexpr auto kOut = CUDA_R_32F;
  static cublasComputeType_t compute(bool tensor) {
    return tensor ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_PEDANTIC;
  }
};
struct Int8 {
  using In = std::int8_t;
  using Out = std::int32_t;
  using Scale = std::int32_t;
  static constexpr auto kIn = CUDA_R_8I;
  static constexpr auto kOut = CUDA_R_32I;
  static cublasComputeType_t compute(bool tensor) {
    return tensor ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32I_PEDANTIC;
  }
};

template <class T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, __half>) {
    return __float2half(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}
template <class T>
double to_double(T value) {
  if constexpr (std::is_same_v<T, __half>) {
    return static_cast<double>(__half2float(value));
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return static_cast<double>(__bfloat162float(value));
  } else {
    return static_cast<double>(value);
  }
}

template <class Type>
class CublasGemm final : public Gemm {
 public:
  explicit CublasGemm(const GemmJob& job) : job_(job) {}
  ~CublasGemm() override {
    if (handle_ != nullptr) cublasDestroy(handle_);
    if (before_ != nullptr) cudaEventDestroy(before_);
    if (after_ != nullptr) cudaEventDestroy(after_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  Result<void> prepare() {
    METE_TRY_VOID(told(cudaSetDevice(job_.device), "choosing the device"));
    METE_TRY_VOID(told(cudaStreamCreate(&stream_), "a stream"));
    METE_TRY_VOID(told(cudaEventCreate(&before_), "an event"));
    METE_TRY_VOID(told(cudaEventCreate(&after_), "an event"));
    METE_TRY_VOID(told(cublasCreate(&handle_), "opening"));
    METE_TRY_VOID(told(cublasSetStream(handle_, stream_), "the stream"));
    Rng rng(job_.seed);
    METE_TRY(a_, filled(host_a_, rng));
    METE_TRY(b_, filled(host_b_, rng));
    METE_TRY(c_, allocate(elements_of_c() * sizeof(typename Type::Out)));
    return {};
  }

  Result<void> run(std::uint64_t count) override {
    METE_TRY_VOID(told(cudaEventRecord(before_, stream_), "an event"));
    for (std::uint64_t i = 0; i < count; ++i) METE_TRY_VOID(multiply());
    read_ = false;
    return told(cudaEventRecord(after_, stream_), "an event");
  }
  Result<void> finish() override {
    METE_TRY_VOID(told(cudaEventSynchronize(after_), "the multiplies"));
    float milliseconds = 0;
    METE_TRY_VOID(told(cudaEventElapsedTime(&milliseconds, before_, after_), "the time"));
    seconds_ = static_cast<double>(milliseconds) * 1e-3;
    return {};
  }
  [[nodiscard]] std::optional<double> device_seconds() const override { return seconds_; }
  [[nodiscard]] double a(std::uint64_t row, std::uint64_t k) const override {
    return to_double(host_a_[row * job_.shape.depth + k]);
  }
  [[nodiscard]] double b(std::uint64_t k, std::uint64_t column) const override {
    return to_double(host_b_[k * job_.shape.rows + column]);
  }
  [[nodiscard]] double c(std::uint64_t row, std::uint64_t column) const override {
    if (!read_) {
      host_c_.resize(elements_of_c());
      const auto code =
          cudaMemcpy(host_c_.data(), c_.get(), host_c_.size() * sizeof(typename Type::Out),
                     cudaMemcpyDeviceToHost);
      if (code != cudaSuccess) return std::nan("");
      read_ = true;
    }
    return to_double(host_c_[row * job_.shape.rows + column]);
  }
  [[nodiscard]] std::string implementation() const override {
    return fmt::format("cuBLAS {}.{}.{}, {}", CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH,
                       job_.tensor ? "tensor cores allowed" : "pedantic");
  }

 private:
  [[nodiscard]] std::size_t elements_of_c() const { return job_.shape.rows * job_.shape.rows; }

  /// Random values in -1..1 (int8: -64..63), made here so that the judge knows them, and copied.
  Result<DeviceMemory> filled(std::vector<typename Type::In>& host, Rng& rng) {
    host.resize(job_.shape.rows * job_.shape.depth);
    for (auto& x : host) {
      const double uniform = 2 * rng.uniform() - 1;
      x = from_double<typename Type::In>(
          std::is_integral_v<typename Type::In> ? std::floor(uniform * 64) : uniform);
    }
    const auto bytes = host.size() * sizeof(typename Type::In);
    METE_TRY(auto device, allocate(bytes));
    METE_TRY_VOID(
        told(cudaMemcpy(device.get(), host.data(), bytes, cudaMemcpyHostToDevice), "a copy"));
    return device;
  }

  Result<void> multiply() {
    const auto n = static_cast<int>(job_.shape.rows);
    const auto k = static_cast<int>(job_.shape.depth);
    const auto one = from_double<typename Type::Scale>(1);
    const auto zero = from_double<typename Type::Scale>(0);
    return told(cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, n, n, k, &one, b_.get(), Type::kIn,
                             n, a_.get(), Type::kIn, k, &zero, c_.get(), Type::kOut, n,
                             Type::compute(job_.tensor), CUBLAS_GEMM_DEFAULT),
                "this type with this setting of the tensor cores");
  }

  GemmJob job_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t before_ = nullptr;
  cudaEvent_t after_ = nullptr;
  cublasHandle_t handle_ = nullptr;
  std::vector<typename Type::In> host_a_;
  std::vector<typename Type::In> host_b_;
  mutable std::vector<typename Type::Out> host_c_;
  mutable bool read_ = false;
  DeviceMemory a_;
  DeviceMemory b_;
  DeviceMemory c_;
  double seconds_ = 0;
};

template <class Type>
Result<std::unique_ptr<Gemm>> prepared(const GemmJob& job) {
  auto gemm = std::make_unique<CublasGemm<Type>>(job);
  METE_TRY_VOID(gemm->prepare());
  return std::unique_ptr<Gemm>(std::move(gemm));
}

}  // namespace

Result<GpuUnits> device_units(int device) {
  int count = 0;
  if (const auto code = cudaGetDeviceCount(&count); code != cudaSuccess) {
    return fail(Errc::unavailable,
                "cuda:{}: no NVIDIA GPU can be used here: {} (`nvidia-smi` must list one)", device,
                cudaGetErrorString(code));
  }
  if (device >= count) {
    return fail(Errc::unavailable, "cuda:{}: this machine has {} NVIDIA GPU{}: cuda:0{}", device,
                count, count == 1 ? "" : "s",
                count > 1 ? fmt::format(" to cuda:{}", count - 1) : "");
  }
  GpuUnits units;
  int kilohertz = 0;
  METE_TRY_VOID(
      told(cudaDeviceGetAttribute(&units.major, cudaDevAttrComputeCapabilityMajor, device),
           "the compute capability"));
  METE_TRY_VOID(
      told(cudaDeviceGetAttribute(&units.minor, cudaDevAttrComputeCapabilityMinor, device),
           "the compute capability"));
  METE_TRY_VOID(
      told(cudaDeviceGetAttribute(&units.multiprocessors, cudaDevAttrMultiProcessorCount, device),
           "the number of multiprocessors"));
  METE_TRY_VOID(
      told(cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, device), "the clock"));
  units.clock = 1e3 * kilohertz;
  return units;
}

Result<std::unique_ptr<Gemm>> make_gemm(const GemmJob& job) {
  METE_TRY(const auto units, device_units(job.device));
  if (!gpu_has_type(units, job.type)) {
    return fail(Errc::unsupported, "cuda:{}: {} needs a newer GPU than compute capability {}.{}",
                job.device, gemm_type_name(job.type), units.major, units.minor);
  }
  // cuBLAS counts rows in int; int8 wants rows of a multiple of four bytes.
  if (job.type == GemmType::int8 && (job.shape.rows % 4 != 0 || job.shape.depth % 4 != 0)) {
    return fail(Errc::unsupported, "cuda:{}: int8 needs sizes that are multiples of 4", job.device);
  }
  switch (job.type) {
    case GemmType::f64:
      return prepared<F64>(job);
    case GemmType::f32:
    case GemmType::tf32:
      return prepared<F32>(job);
    case GemmType::f16:
      return prepared<F16>(job);
    case GemmType::bf16:
      return prepared<Bf16>(job);
    case GemmType::int8:
      return prepared<Int8>(job);
  }
  return fail(Errc::internal, "no such type");
}

}  // namespace mete::cuda
