// libnvidia-ml, opened at run time: its functions typed, those that every driver has and those that
// some lack, and its answers as our errors. Calls may take long or never return: they are made on a
// DriverThread only. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "mete/base/library.h"
#include "mete/provider/nvml/nvml_abi.h"
#include "mete/signal/provider.h"

namespace mete {

struct NvmlLibrary {
  /// Opens the library, binds its functions and initialises it. `unavailable` says what is missing.
  static Result<std::shared_ptr<const NvmlLibrary>> open(const std::string& name);
  explicit NvmlLibrary(Library opened) : library(std::move(opened)) {}
  ~NvmlLibrary();
  NvmlLibrary(const NvmlLibrary&) = delete;
  NvmlLibrary& operator=(const NvmlLibrary&) = delete;

  // Every driver since 2012 has these.
  nvml::Return (*init)() = nullptr;
  nvml::Return (*shutdown)() = nullptr;
  const char* (*error_string)(nvml::Return) = nullptr;
  nvml::Return (*count)(unsigned*) = nullptr;
  nvml::Return (*handle)(unsigned, nvml::Device*) = nullptr;
  nvml::Return (*name)(nvml::Device, char*, unsigned) = nullptr;

  // nullptr where this driver has no such function.
  nvml::Return (*driver_version)(char*, unsigned) = nullptr;
  nvml::Return (*architecture)(nvml::Device, nvml::Architecture*) = nullptr;
  nvml::Return (*mig_mode)(nvml::Device, unsigned* current, unsigned* pending) = nullptr;
  nvml::Return (*power)(nvml::Device, unsigned* milliwatts) = nullptr;
  nvml::Return (*energy)(nvml::Device, unsigned long long* millijoules) = nullptr;
  nvml::Return (*field_values)(nvml::Device, int count, nvml::FieldValue*) = nullptr;
  nvml::Return (*samples)(nvml::Device, nvml::SamplingType, unsigned long long last_seen,
                          nvml::ValueType*, unsigned* count, nvml::Sample*) = nullptr;
  nvml::Return (*clock)(nvml::Device, nvml::ClockType, unsigned* megahertz) = nullptr;
  nvml::Return (*utilization)(nvml::Device, nvml::Utilization*) = nullptr;
  nvml::Return (*memory)(nvml::Device, nvml::Memory*) = nullptr;
  nvml::Return (*memory2)(nvml::Device, nvml::Memory2*) = nullptr;
  nvml::Return (*temperature)(nvml::Device, nvml::TemperatureSensor, unsigned* celsius) = nullptr;
  nvml::Return (*clock_reasons)(nvml::Device, unsigned long long*) = nullptr;
  nvml::Return (*memory_clocks)(nvml::Device, unsigned* count, unsigned* megahertz) = nullptr;
  nvml::Return (*graphics_clocks)(nvml::Device, unsigned memory_megahertz, unsigned* count,
                                  unsigned* megahertz) = nullptr;
  nvml::Return (*lock_clocks)(nvml::Device, unsigned min, unsigned max) = nullptr;
  nvml::Return (*unlock_clocks)(nvml::Device) = nullptr;
  nvml::Return (*power_limit)(nvml::Device, unsigned* milliwatts) = nullptr;
  nvml::Return (*power_limits)(nvml::Device, unsigned* min, unsigned* max) = nullptr;
  nvml::Return (*set_power_limit)(nvml::Device, unsigned milliwatts) = nullptr;
  /// The entries are ProcessInfo2, or ProcessInfo1 if `plain_processes`.
  nvml::Return (*processes)(nvml::Device, unsigned* count, void*) = nullptr;
  bool plain_processes = false;
  nvml::Return (*process_samples)(nvml::Device, nvml::ProcessSample*, unsigned* count,
                                  unsigned long long last_seen) = nullptr;

  /// The driver's words for an answer.
  [[nodiscard]] std::string words(nvml::Return status) const;

  Library library;
  bool initialised = false;
};

/// What the caller should do about an answer other than kSuccess.
Errc errc_of(nvml::Return status) noexcept;

}  // namespace mete
