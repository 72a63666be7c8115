// Binding of NVML's names.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_library.h"

#include <initializer_list>

namespace mete {
namespace {

/// The first of the names that the library has; false if it has none.
template <class Function>
bool bind(const Library& library, Function*& out, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (auto found = library.function<Function>(name)) {
      out = *found;
      return true;
    }
  }
  return false;
}

void bind_optional(const Library& lib, NvmlLibrary& out) {
  bind(lib, out.driver_version, {"nvmlSystemGetDriverVersion"});
  bind(lib, out.architecture, {"nvmlDeviceGetArchitecture"});
  bind(lib, out.mig_mode, {"nvmlDeviceGetMigMode"});
  bind(lib, out.power, {"nvmlDeviceGetPowerUsage"});
  bind(lib, out.energy, {"nvmlDeviceGetTotalEnergyConsumption"});
  bind(lib, out.field_values, {"nvmlDeviceGetFieldValues"});
  bind(lib, out.samples, {"nvmlDeviceGetSamples"});
  bind(lib, out.clock, {"nvmlDeviceGetClockInfo"});
  bind(lib, out.utilization, {"nvmlDeviceGetUtilizationRates"});
  bind(lib, out.memory, {"nvmlDeviceGetMemoryInfo"});
  bind(lib, out.memory2, {"nvmlDeviceGetMemoryInfo_v2"});
  bind(lib, out.temperature, {"nvmlDeviceGetTemperature"});
  bind(lib, out.clock_reasons,
       {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"});
  bind(lib, out.memory_clocks, {"nvmlDeviceGetSupportedMemoryClocks"});
  bind(lib, out.graphics_clocks, {"nvmlDeviceGetSupportedGraphicsClocks"});
  bind(lib, out.lock_clocks, {"nvmlDeviceSetGpuLockedClocks"});
  bind(lib, out.unlock_clocks, {"nvmlDeviceResetGpuLockedClocks"});
  bind(lib, out.power_limit, {"nvmlDeviceGetPowerManagementLimit"});
  bind(lib, out.power_limits, {"nvmlDeviceGetPowerManagementLimitConstraints"});
  bind(lib, out.set_power_limit, {"nvmlDeviceSetPowerManagementLimit"});
  bind(lib, out.process_samples, {"nvmlDeviceGetProcessUtilization"});
  // _v2 before _v3: the first R535 drivers filled _v3 with longer entries than before and after.
  if (!bind(lib, out.processes,
            {"nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses_v3"}))
    out.plain_processes = bind(lib, out.processes, {"nvmlDeviceGetComputeRunningProcesses"});
}

}  // namespace

Result<std::shared_ptr<const NvmlLibrary>> NvmlLibrary::open(const std::string& name) {
  METE_TRY(Library opened, Library::open(name));
  auto out = std::make_shared<NvmlLibrary>(std::move(opened));
  const Library& lib = out->library;
  const bool whole = bind(lib, out->init, {"nvmlInit_v2"}) &&
                     bind(lib, out->shutdown, {"nvmlShutdown"}) &&
                     bind(lib, out->error_string, {"nvmlErrorString"}) &&
                     bind(lib, out->count, {"nvmlDeviceGetCount_v2"}) &&
                     bind(lib, out->handle, {"nvmlDeviceGetHandleByIndex_v2"}) &&
                     bind(lib, out->name, {"nvmlDeviceGetName"});
  if (!whole) {
    return fail(Errc::unavailable,
                "{} lacks functions that every NVIDIA driver since 2012 has; is it libnvidia-ml?",
                name);
  }
  bind_optional(lib, *out);
  const nvml::Return status = out->init();
  if (status != nvml::kSuccess)
    return fail(Errc::unavailable, "the NVIDIA driver says: {}", out->words(status));
  out->initialised = true;
  return std::shared_ptr<const NvmlLibrary>(std::move(out));
}

NvmlLibrary::~NvmlLibrary() {
  if (initialised) shutdown();
}

std::string NvmlLibrary::words(nvml::Return status) const {
  const char* text = error_string(status);
  return text != nullptr ? std::string(text)
                         : fmt::format("error {}", static_cast<std::uint32_t>(status));
}

Errc errc_of(nvml::Return status) noexcept {
  switch (status) {
    case nvml::kNotSupported:
      return Errc::unsupported;
    case nvml::kNoPermission:
      return Errc::denied;
    case nvml::kGpuIsLost:
    case nvml::kResetRequired:
    case nvml::kGpuNotFound:
    case nvml::kUninitialized:
    case nvml::kDriverNotLoaded:
      return Errc::gone;
    case nvml::kTimeout:
      return Errc::unavailable;
    case nvml::kNotFound:
    case nvml::kNoData:
      return Errc::retry;
    default:
      return Errc::failed;
  }
}

}  // namespace mete
