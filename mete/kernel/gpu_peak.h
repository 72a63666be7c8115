// What the arithmetic units of an NVIDIA GPU can do, from its compute capability, its number of
// multiprocessors and its clock. Per-clock rates: CUDA C++ Programming Guide, "Arithmetic
// Instructions" (plain units), and NVIDIA's architecture white papers (tensor cores, dense).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/kernel/gemm.h"

namespace mete {

struct GpuUnits {
  int major = 0;  ///< compute capability
  int minor = 0;
  int multiprocessors = 0;
  double clock = 0;  ///< Hz, the highest
};

/// NaN for what this generation lacks or this table does not know.
GemmPeaks gpu_peaks(const GpuUnits& units, GemmType type);
/// Whether the generation multiplies the type at all.
bool gpu_has_type(const GpuUnits& units, GemmType type);

}  // namespace mete
