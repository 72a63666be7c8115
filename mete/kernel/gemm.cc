// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/gemm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "mete/base/plugin.h"
#include "mete/base/stats.h"

namespace mete {
namespace {

struct TypeRow {
  GemmType type;
  std::string_view name;
  std::size_t input;
  std::size_t output;
  double epsilon;  ///< of one rounding of the sum, relative
  double once;     ///< of roundings that do not add up: of the inputs, of what is stored
  bool every;      ///< each addition may round the worst way: the textbook's bound
};
// bf16 products of exact inputs are added in float; int8 in integers. The textbook's bound for half
// (depth × 2^-11) lets anything pass; with inputs of random sign the sums stay near 0 and round by
// a few epsilon of the products' sizes in all, so sixteen are allowed. tf32 rounds both inputs.
constexpr std::array kTypes{
    TypeRow{GemmType::f64, "double", 8, 8, 0x1p-53, 0, true},
    TypeRow{GemmType::f32, "float", 4, 4, 0x1p-24, 0, true},
    TypeRow{GemmType::bf16, "bf16", 2, 4, 0x1p-24, 0, true},
    TypeRow{GemmType::f16, "half", 2, 2, 0x1p-11, 16 * 0x1p-11, false},
    TypeRow{GemmType::int8, "int8", 1, 4, 0, 0, true},
    TypeRow{GemmType::tf32, "tf32", 4, 4, 0x1p-24, 2 * 0x1p-10, true},
};

const TypeRow& row_of(GemmType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(),
                       [&](const auto& row) { return row.type == type; });
}

}  // namespace

std::string_view gemm_type_name(GemmType type) { return row_of(type).name; }
std::size_t gemm_input_bytes(GemmType type) { return row_of(type).input; }
std::size_t gemm_output_bytes(GemmType type) { return row_of(type).output; }

Result<GemmType> gemm_type_named(std::string_view name) {
  for (const auto& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return fail(Errc::invalid,
              "no element type '{}': there are double, float, tf32, bf16, half and int8", name);
}

std::span<const std::string_view> gemm_libraries() {
  static constexpr std::array<std::string_view, 2> kLibraries{"onednn", "openblas"};
  return kLibraries;
}

double GemmShape::operations() const {
  const auto m = static_cast<double>(rows);
  return m * m * (2 * static_cast<double>(depth) - 1);
}

double GemmShape::bytes(GemmType type) const {
  const auto m = static_cast<double>(rows);
  const auto k = static_cast<double>(depth);
  return 2 * m * k * static_cast<double>(gemm_input_bytes(type)) +
         m * m * static_cast<double>(gemm_output_bytes(type));
}

std::string_view observed_units(double flops, const GemmPeaks& peaks) {
  constexpr double kClockSlack = 1.05;  // a boost clock above the one that was told
  constexpr double kNearPeak = 0.5;
  constexpr double kFarBelow = 0.35;
  if (flops > kClockSlack * peaks.plain) return "tensor";
  const bool near_plain = flops >= kNearPeak * peaks.plain;
  // Without tensor cores for the type there is nothing else that it could have run on.
  if (near_plain && !(flops >= kFarBelow * peaks.tensor)) return "nontensor";
  return "unclear";
}

Result<std::string> GemmRuntime::device_name(int /*device*/) {
  return fail(Errc::unsupported, "this library has no devices to choose from");
}
Result<double> GemmRuntime::free_bytes(int /*device*/) {
  return fail(Errc::unsupported, "this library has no memory of its own");
}
Result<std::vector<StreamResult>> GemmRuntime::measure_stream(int /*device*/, int /*repeats*/) {
  return fail(Errc::unsupported, "this library has no memory of its own");
}
GemmPeaks GemmRuntime::peaks(GemmType /*type*/, int /*device*/) { return {}; }

GemmError check_gemm(const Gemm& gemm, const GemmJob& job, std::size_t samples, Rng rng) {
  GemmError error;
  const auto& row = row_of(job.type);
  // Each of the additions rounds once, in whatever order: the textbook bound is depth × epsilon,
  // and one more to store.
  error.tolerance =
      row.once + (row.every ? row.epsilon * (static_cast<double>(job.shape.depth) + 2) : 0);
  for (std::size_t i = 0; i < samples; ++i) {
    const auto r = rng.below(job.shape.rows);
    const auto c = rng.below(job.shape.rows);
    double sum = 0;
    double size = 0;
    for (std::uint64_t k = 0; k < job.shape.depth; ++k) {
      const double product = gemm.a(r, k) * gemm.b(k, c);
      sum += product;
      size += std::abs(product);
    }
    const double difference = std::abs(gemm.c(r, c) - sum);
    // A NaN must not pass for a small error.
    const double relative =
        difference > 0 ? difference / std::max(size, 1e-300) : (difference == 0 ? 0 : HUGE_VAL);
    error.worst = std::max(error.worst, relative);
  }
  return error;
}

double input_variance(const Gemm& gemm, const GemmShape& shape, std::size_t samples, Rng rng) {
  std::vector<double> values;
  for (std::size_t i = 0; i < samples; ++i) {
    values.push_back(gemm.a(rng.below(shape.rows), rng.below(shape.depth)));
  }
  const double deviation = stddev_of(values);
  return deviation * deviation;
}

Result<GemmRuntime*> open_blas_runtime() {
  return open_plugin<GemmRuntime>({.file = "mete_blas.so",
                                   .symbol = kBlasPluginSymbol,
                                   .abi = kBlasPluginAbi,
                                   .need = "multiplying on the CPU needs OpenBLAS and oneDNN",
                                   .packages = "libopenblas-openmp-dev libdnnl-dev"});
}

Result<GemmRuntime*> open_cuda_runtime() {
  return open_plugin<GemmRuntime>({.file = "mete_cuda.so",
                                   .symbol = kCudaPluginSymbol,
                                   .abi = kCudaPluginAbi,
                                   .need = "multiplying on an NVIDIA GPU needs CUDA and cuBLAS",
                                   .packages = "nvidia-cuda-toolkit"});
}

}  // namespace mete
