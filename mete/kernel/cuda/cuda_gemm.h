// What the parts of the plugin mete_cuda.so give each other. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "mete/kernel/gemm.h"
#include "mete/kernel/gpu_peak.h"

namespace mete::cuda {

/// The device's units; `unavailable`, saying what is missing, without a driver or such a device.
Result<GpuUnits> device_units(int device);
Result<std::unique_ptr<Gemm>> make_gemm(const GemmJob& job);
/// The four loops of STREAM within the device's memory, arrays of 1 GiB, timed by its own events.
Result<std::vector<StreamResult>> device_stream(int device, int repeats);

}  // namespace mete::cuda
