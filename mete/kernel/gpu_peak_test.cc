// The table of units judged by the peaks that NVIDIA's data sheets state for whole GPUs.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/gpu_peak.h"

#include <cmath>

#include <gtest/gtest.h>

namespace mete {
namespace {

struct Sheet {
  const char* gpu;
  GpuUnits units;
  GemmType type;
  double plain;   ///< TFLOP/s as printed; 0: not printed
  double tensor;  ///< dense
};
const Sheet kSheets[] = {
    {"V100 SXM2", {7, 0, 80, 1.53e9}, GemmType::f32, 15.7, 0},
    {"V100 SXM2", {7, 0, 80, 1.53e9}, GemmType::f64, 7.8, 0},
    {"V100 SXM2", {7, 0, 80, 1.53e9}, GemmType::f16, 31.4, 125},
    {"A100", {8, 0, 108, 1.41e9}, GemmType::f32, 19.5, 156},
    {"A100", {8, 0, 108, 1.41e9}, GemmType::f64, 9.7, 19.5},
    {"A100", {8, 0, 108, 1.41e9}, GemmType::bf16, 39, 312},
    {"A100", {8, 0, 108, 1.41e9}, GemmType::f16, 78, 312},
    {"A100", {8, 0, 108, 1.41e9}, GemmType::int8, 0, 624},
    {"H100 PCIe", {9, 0, 114, 1.755e9}, GemmType::f32, 51.2, 0},
    {"H100 SXM", {9, 0, 132, 1.83e9}, GemmType::bf16, 0, 989.4},
    {"H100 SXM", {9, 0, 132, 1.83e9}, GemmType::int8, 0, 1979},
    {"RTX 4090", {8, 9, 128, 2.52e9}, GemmType::f32, 82.6, 82.6},
    {"RTX 3090", {8, 6, 82, 1.695e9}, GemmType::f16, 35.6, 142},
    // The Jetson study's board: 512 cores at 1.377 GHz.
    {"AGX Xavier", {7, 2, 8, 1.377e9}, GemmType::f32, 1.41, 0},
    {"AGX Xavier", {7, 2, 8, 1.377e9}, GemmType::f16, 2.82, 11.3},
    {"AGX Xavier", {7, 2, 8, 1.377e9}, GemmType::f64, 0.022, 0},
};

TEST(GpuPeak, AsTheDataSheetsSay) {
  for (const auto& sheet : kSheets) {
    const auto peaks = gpu_peaks(sheet.units, sheet.type);
    if (sheet.plain > 0) {
      EXPECT_NEAR(peaks.plain / 1e12 / sheet.plain, 1, 0.02)
          << sheet.gpu << " " << gemm_type_name(sheet.type);
    }
    if (sheet.tensor > 0) {
      EXPECT_NEAR(peaks.tensor / 1e12 / sheet.tensor, 1, 0.02)
          << sheet.gpu << " " << gemm_type_name(sheet.type);
    }
  }
}

TEST(GpuPeak, UnknownGenerationsAreNotGuessed) {
  const auto peaks = gpu_peaks({99, 0, 100, 1e9}, GemmType::f32);
  EXPECT_TRUE(std::isnan(peaks.plain));
  EXPECT_TRUE(std::isnan(peaks.tensor));
  EXPECT_EQ(observed_units(1e12, peaks), "unclear");
  EXPECT_TRUE(std::isnan(gpu_peaks({6, 0, 56, 1e9}, GemmType::f32).tensor));
}

TEST(GpuPeak, TypesOfAGeneration) {
  EXPECT_FALSE(gpu_has_type({7, 0, 80, 1e9}, GemmType::bf16));
  EXPECT_FALSE(gpu_has_type({7, 0, 80, 1e9}, GemmType::tf32));
  EXPECT_TRUE(gpu_has_type({8, 0, 108, 1e9}, GemmType::bf16));
  EXPECT_FALSE(gpu_has_type({5, 2, 16, 1e9}, GemmType::f16));
  EXPECT_TRUE(gpu_has_type({12, 0, 100, 1e9}, GemmType::tf32));
}

TEST(ObservedUnits, FromTheRateAgainstBothPeaks) {
  // The Jetson study: half "with tensor cores" reached 2,741 GFLOP/s, which its plain units
  // explain.
  const auto xavier = gpu_peaks({7, 2, 8, 1.377e9}, GemmType::f16);
  EXPECT_EQ(observed_units(2741e9, xavier), "nontensor");
  EXPECT_EQ(observed_units(8000e9, xavier), "tensor");
  EXPECT_EQ(observed_units(500e9, xavier), "unclear");  // small matrices: either could be so slow
  // A100 double: half of the tensor peak is all of the plain one.
  const auto a100 = gpu_peaks({8, 0, 108, 1.41e9}, GemmType::f64);
  EXPECT_EQ(observed_units(18e12, a100), "tensor");
  EXPECT_EQ(observed_units(9.5e12, a100), "unclear");
  EXPECT_EQ(observed_units(std::nan(""), a100), "unclear");
}

}  // namespace
}  // namespace mete
