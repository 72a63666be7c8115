// What a training table is about: the clocks of GPUs, or of CPU packages. One row of data per kind:
// the control that was swept, the five signals a model sees, when the part counts as active, and
// the names of the table's own columns. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "mete/signal/domain.h"

namespace mete {

inline constexpr std::size_t kFeatureCount = 5;

struct TrainingKind {
  Domain domain;
  std::string_view noun;     ///< "GPU", as messages have it
  std::string_view control;  ///< what a sweep sets
  /// What a model sees of the first such part, the clock first, in the model's order
  /// (clock_model.h).
  std::array<std::string_view, kFeatureCount> features;
  /// Of these the first that a trace has, and that is ever active, tells when the part works.
  std::array<std::string_view, 2> activity;
  double active_above;
  std::string_view frequency_column;
  std::string_view min_energy_column;
};

/// The tutorial's: its five signals in its order. Active above 5 %, its figure too.
inline constexpr TrainingKind kGpuTraining{
    Domain::gpu,
    "GPU",
    "GPU_CORE_FREQUENCY_MAX_CONTROL",
    {"GPU_CORE_FREQUENCY_STATUS", "GPU_POWER", "GPU_UTILIZATION", "GPU_CORE_ACTIVITY",
     "GPU_UNCORE_ACTIVITY"},
    {"GPU_CORE_ACTIVITY", "GPU_UTILIZATION"},
    0.05,
    "gpu-frequency",
    "Min-Energy GPU Frequency"};

/// Of a package with many CPUs, one may be the busy one.
inline constexpr TrainingKind kPackageTraining{
    Domain::package,
    "package",
    "CPU_FREQUENCY_MAX_CONTROL",
    {"CPU_FREQUENCY_STATUS", "CPU_POWER", "CPU_UTILIZATION", "DRAM_POWER",
     "CPU_PACKAGE_TEMPERATURE"},
    {"CPU_UTILIZATION", "CPU_UTILIZATION"},
    0.002,
    "cpu-frequency",
    "Min-Energy CPU Frequency"};

inline constexpr std::array<const TrainingKind*, 2> kTrainingKinds{&kGpuTraining,
                                                                   &kPackageTraining};

}  // namespace mete
