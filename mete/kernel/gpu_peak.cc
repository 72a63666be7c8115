// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/gpu_peak.h"

#include <algorithm>
#include <array>

namespace mete {
namespace {

/// Multiply-adds of one multiprocessor in one clock; 0: it has none.
struct Rates {
  int capability;  ///< 10 × major + minor
  double f64, f32, f16, bf16, int8;
  double f64_tensor, tf32_tensor, f16_tensor, bf16_tensor, int8_tensor;
};
constexpr std::array kRates{
    Rates{53, 4, 128, 256, 0, 0, 0, 0, 0, 0, 0},                     // Tegra X1
    Rates{60, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0},                     // P100
    Rates{61, 4, 128, 2, 0, 512, 0, 0, 0, 0, 0},                     // P40, GTX 10
    Rates{62, 4, 128, 256, 0, 0, 0, 0, 0, 0, 0},                     // Tegra X2
    Rates{70, 32, 64, 128, 0, 256, 0, 0, 512, 0, 0},                 // V100
    Rates{72, 1, 64, 128, 0, 256, 0, 0, 512, 0, 1024},               // Xavier
    Rates{75, 2, 64, 128, 0, 256, 0, 0, 512, 0, 1024},               // T4, RTX 20
    Rates{80, 32, 64, 256, 128, 256, 64, 512, 1024, 1024, 2048},     // A100
    Rates{86, 2, 128, 128, 128, 256, 0, 128, 512, 512, 1024},        // RTX 30, A40
    Rates{87, 2, 128, 128, 128, 256, 0, 256, 512, 512, 1024},        // Orin
    Rates{89, 2, 128, 128, 128, 256, 0, 128, 512, 512, 1024},        // RTX 40, L40
    Rates{90, 64, 128, 256, 256, 256, 128, 1024, 2048, 2048, 4096},  // H100, H200
    Rates{100, 64, 128, 256, 256, 256, 64, 2048, 4096, 4096, 8192},  // B200
};

const Rates* rates_of(const GpuUnits& units) {
  const int capability = 10 * units.major + units.minor;
  const auto* found = std::find_if(kRates.begin(), kRates.end(), [&](const auto& rates) {
    return rates.capability == capability;
  });
  return found == kRates.end() ? nullptr : found;
}

double plain_rate(const Rates& rates, GemmType type) {
  switch (type) {
    case GemmType::f64:
      return rates.f64;
    case GemmType::f32:
    case GemmType::tf32:  // without tensor cores it is float
      return rates.f32;
    case GemmType::f16:
      return rates.f16;
    case GemmType::bf16:
      return rates.bf16;
    case GemmType::int8:
      return rates.int8;
  }
  return 0;
}

double tensor_rate(const Rates& rates, GemmType type) {
  switch (type) {
    case GemmType::f64:
      return rates.f64_tensor;
    case GemmType::f32:
    case GemmType::tf32:
      return rates.tf32_tensor;
    case GemmType::f16:
      return rates.f16_tensor;
    case GemmType::bf16:
      return rates.bf16_tensor;
    case GemmType::int8:
      return rates.int8_tensor;
  }
  return 0;
}

}  // namespace

GemmPeaks gpu_peaks(const GpuUnits& units, GemmType type) {
  GemmPeaks peaks;
  const auto* rates = rates_of(units);
  if (rates == nullptr) return peaks;
  const double per_rate = 2.0 * units.multiprocessors * units.clock;
  if (const double rate = plain_rate(*rates, type); rate > 0) peaks.plain = rate * per_rate;
  if (const double rate = tensor_rate(*rates, type); rate > 0) peaks.tensor = rate * per_rate;
  return peaks;
}

bool gpu_has_type(const GpuUnits& units, GemmType type) {
  const int capability = 10 * units.major + units.minor;
  switch (type) {
    case GemmType::f64:
    case GemmType::f32:
      return true;
    case GemmType::f16:
      return capability >= 53;
    case GemmType::int8:
      return capability >= 61 && capability != 62;
    case GemmType::bf16:
    case GemmType::tf32:
      return capability >= 80;
  }
  return false;
}

}  // namespace mete
