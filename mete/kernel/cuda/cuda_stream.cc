// The four loops of STREAM on a GPU by cuBLAS and copies within the device: no kernel of our own,
// so that no nvcc is needed. geam adds two matrices with factors: scale is one, add is one, triad
// is one. SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "mete/kernel/cuda/cuda_gemm.h"

namespace mete::cuda {
namespace {

/// Eight times a CPU's arrays: 1 GiB each is more than any GPU's cache.
constexpr std::size_t kLength = 8 * kStreamLength;
constexpr std::size_t kBytes = kLength * sizeof(double);
/// As a matrix, whose sides must fit into an int.
constexpr int kRows = 1 << 13;
constexpr int kColumns = static_cast<int>(kLength / kRows);

Result<void> told(cudaError_t code, std::string_view what) {
  if (code == cudaSuccess) return {};
  return fail(code == cudaErrorMemoryAllocation ? Errc::invalid : Errc::failed,
              "stream: CUDA: {}: {}", what, cudaGetErrorString(code));
}
Result<void> told(cublasStatus_t code, std::string_view what) {
  if (code == CUBLAS_STATUS_SUCCESS) return {};
  return fail(Errc::failed, "stream: cuBLAS: {}: {}", what, cublasGetStatusString(code));
}

class DeviceStream {
 public:
  DeviceStream() = default;
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;
  ~DeviceStream() {
    if (handle_ != nullptr) cublasDestroy(handle_);
    if (before_ != nullptr) cudaEventDestroy(before_);
    if (after_ != nullptr) cudaEventDestroy(after_);
    for (auto* array : {a_, b_, c_}) cudaFree(array);
  }

  Result<void> prepare(int device) {
    METE_TRY_VOID(told(cudaSetDevice(device), "choosing the device"));
    for (auto** array : {&a_, &b_, &c_}) {
      void* memory = nullptr;
      METE_TRY_VOID(told(cudaMalloc(&memory, kBytes), "three arrays of 1 GiB"));
      *array = static_cast<double*>(memory);
    }
    METE_TRY_VOID(told(cudaEventCreate(&before_), "an event"));
    METE_TRY_VOID(told(cudaEventCreate(&after_), "an event"));
    METE_TRY_VOID(told(cublasCreate(&handle_), "opening"));
    const StreamValues start;
    METE_TRY_VOID(fill(a_, start.a));
    METE_TRY_VOID(fill(b_, start.b));
    return fill(c_, start.c);
  }

  Result<std::vector<StreamResult>> run(int repeats) {
    struct Loop {
      const char* name;
      double arrays;
      std::function<Result<void>()> start;
    };
    const std::array<Loop, 4> loops{{
        {"copy", 2,
         [&] { return told(cudaMemcpyAsync(c_, a_, kBytes, cudaMemcpyDeviceToDevice), "copy"); }},
        {"scale", 2, [&] { return add(kStreamScalar, c_, 0, c_, b_); }},
        {"add", 3, [&] { return add(1, a_, 1, b_, c_); }},
        {"triad", 3, [&] { return add(1, b_, kStreamScalar, c_, a_); }},
    }};
    std::vector<StreamResult> results;
    for (const auto& loop : loops) results.push_back({loop.name, {}});
    for (int repeat = 0; repeat < repeats; ++repeat) {
      for (std::size_t k = 0; k < loops.size(); ++k) {
        METE_TRY(const double seconds, timed(loops[k].start));
        results[k].bytes_per_second.push_back(loops[k].arrays * static_cast<double>(kBytes) /
                                              seconds);
      }
    }
    METE_TRY_VOID(check(stream_values(repeats)));
    return results;
  }

 private:
  Result<void> fill(double* array, double value) {
    const std::vector<double> host(kStreamLength, value);
    for (std::size_t at = 0; at < kLength; at += host.size()) {
      METE_TRY_VOID(told(
          cudaMemcpy(array + at, host.data(), host.size() * sizeof(double), cudaMemcpyHostToDevice),
          "a copy"));
    }
    return {};
  }
  /// y = alpha x + beta z, without reading z where beta is 0.
  Result<void> add(double alpha, const double* x, double beta, const double* z, double* y) {
    return told(cublasDgeam(handle_, CUBLAS_OP_N, CUBLAS_OP_N, kRows, kColumns, &alpha, x, kRows,
                            &beta, z, kRows, y, kRows),
                "geam");
  }
  Result<double> timed(const std::function<Result<void>()>& start) {
    METE_TRY_VOID(told(cudaEventRecord(before_), "an event"));
    METE_TRY_VOID(start());
    METE_TRY_VOID(told(cudaEventRecord(after_), "an event"));
    METE_TRY_VOID(told(cudaEventSynchronize(after_), "the loop"));
    float milliseconds = 0;
    METE_TRY_VOID(told(cudaEventElapsedTime(&milliseconds, before_, after_), "the time"));
    if (!(milliseconds > 0)) return fail(Errc::failed, "stream: the device's clock did not move");
    return static_cast<double>(milliseconds) * 1e-3;
  }
  Result<void> check(const StreamValues& expected) {
    const std::array<std::pair<const double*, double>, 3> arrays{
        {{a_, expected.a}, {b_, expected.b}, {c_, expected.c}}};
    for (const auto& [array, value] : arrays) {
      for (const std::size_t i : {std::size_t{0}, kLength / 2, kLength - 1}) {
        double element = 0;
        METE_TRY_VOID(told(cudaMemcpy(&element, array + i, sizeof element, cudaMemcpyDeviceToHost),
                           "a copy"));
        if (!stream_agrees(element, value))
          return fail(Errc::failed, "stream: the arrays do not hold what they must");
      }
    }
    return {};
  }

  cublasHandle_t handle_ = nullptr;
  cudaEvent_t before_ = nullptr;
  cudaEvent_t after_ = nullptr;
  double* a_ = nullptr;
  double* b_ = nullptr;
  double* c_ = nullptr;
};

}  // namespace

Result<std::vector<StreamResult>> device_stream(int device, int repeats) {
  METE_TRY(const auto units, device_units(device));
  static_cast<void>(units);
  DeviceStream stream;
  METE_TRY_VOID(stream.prepare(device));
  // The first turn loads the library's kernels: it is run, and left out.
  METE_TRY(auto results, stream.run(repeats + 1));
  for (auto& loop : results) loop.bytes_per_second.erase(loop.bytes_per_second.begin());
  return results;
}

}  // namespace mete::cuda
