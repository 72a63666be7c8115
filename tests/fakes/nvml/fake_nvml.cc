// A libnvidia-ml that plays a machine: see fake_nvml.h for its script. With FAKE_NVML_OLD defined
// it is the library of an old driver, which lacks what came later. SPDX-License-Identifier:
// BSD-3-Clause
#include "tests/fakes/nvml/fake_nvml.h"

#include <cstdint>
#include <cstdio>
#include <vector>

#include "tests/fakes/nvml/nvml_machine.h"

namespace {

using namespace fake_nvml;

constexpr long long kProcessStep = 100000;  // µs between utilisation samples
constexpr unsigned kLowestClock = 210;
constexpr unsigned kHighestClock = 1410;
constexpr unsigned kClockStep = 15;
constexpr unsigned kMemoryClock = 1215;
constexpr unsigned kIdleMemoryClock = 405;

}  // namespace

// Every function: lock, count, fail as told, else answer.
#define FAKE_ENTER(name, ...)                              \
  Lock lock;                                               \
  const Return entered = enter(lock, name, ##__VA_ARGS__); \
  if (entered != kSuccess) return entered

extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-declarations"

int fake_nvml_script(const char* script) {
  const Lock lock(machine().mutex);
  return run_script(machine(), script);
}
void fake_nvml_advance(long long microseconds) {
  const Lock lock(machine().mutex);
  pass_time(machine(), microseconds);
}
unsigned long fake_nvml_calls(const char* function) {
  const Lock lock(machine().mutex);
  return machine().calls[function];
}
void fake_nvml_release() {
  const Lock lock(machine().mutex);
  machine().release = true;
  machine().released.notify_all();
}
int fake_nvml_locked(unsigned gpu, unsigned* min, unsigned* max) {
  const Lock lock(machine().mutex);
  const Gpu& one = machine().gpus.at(gpu);
  *min = one.lock_min;
  *max = one.lock_max;
  return one.locked ? 1 : 0;
}
unsigned fake_nvml_limit(unsigned gpu) {
  const Lock lock(machine().mutex);
  return machine().gpus.at(gpu).limit;
}

Return nvmlInit_v2() {
  FAKE_ENTER("nvmlInit_v2");
  return kSuccess;
}
Return nvmlShutdown() {
  FAKE_ENTER("nvmlShutdown");
  return kSuccess;
}
const char* nvmlErrorString(Return status) {
  switch (status) {
    case kSuccess:
      return "Success";
    case kNotSupported:
      return "Not Supported";
    case kNoPermission:
      return "Insufficient Permissions";
    case kDriverNotLoaded:
      return "Driver Not Loaded";
    case kGpuIsLost:
      return "GPU is lost";
    default:
      return "Unknown Error";
  }
}
Return nvmlDeviceGetCount_v2(unsigned* count) {
  FAKE_ENTER("nvmlDeviceGetCount_v2");
  *count = static_cast<unsigned>(machine().gpus.size());
  return kSuccess;
}
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  FAKE_ENTER("nvmlDeviceGetHandleByIndex_v2");
  if (index >= machine().gpus.size()) return kInvalidArgument;
  *device = reinterpret_cast<Device>(static_cast<std::uintptr_t>(index) + 1);
  return kSuccess;
}
Return nvmlDeviceGetName(Device device, char* name, unsigned length) {
  FAKE_ENTER("nvmlDeviceGetName", device);
  std::snprintf(name, length, "Fake GPU %d", index_of(device));
  return kSuccess;
}
Return nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  FAKE_ENTER("nvmlDeviceGetPowerUsage", device);
  *milliwatts = static_cast<unsigned>(of(device).watts * 1000);
  return kSuccess;
}
Return nvmlDeviceGetClockInfo(Device device, ClockType type, unsigned* megahertz) {
  FAKE_ENTER("nvmlDeviceGetClockInfo", device);
  *megahertz = type == kClockMemory ? kMemoryClock : clock_of(of(device));
  return kSuccess;
}
Return nvmlDeviceGetUtilizationRates(Device device, Utilization* utilization) {
  FAKE_ENTER("nvmlDeviceGetUtilizationRates", device);
  if (of(device).mig) return kNotSupported;
  *utilization = {of(device).utilization, of(device).utilization / 2};
  return kSuccess;
}
Return nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
  FAKE_ENTER("nvmlDeviceGetMemoryInfo", device);
  const unsigned long long total = 40ULL << 30U;
  *memory = {total, total - of(device).memory, of(device).memory};
  return kSuccess;
}
Return nvmlDeviceGetTemperature(Device device, TemperatureSensor, unsigned* celsius) {
  FAKE_ENTER("nvmlDeviceGetTemperature", device);
  *celsius = of(device).temperature;
  return kSuccess;
}
Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  FAKE_ENTER("nvmlDeviceGetCurrentClocksThrottleReasons", device);
  *reasons = of(device).locked ? 0x2 : 0;
  return kSuccess;
}
Return nvmlDeviceGetSupportedMemoryClocks(Device device, unsigned* count, unsigned* megahertz) {
  FAKE_ENTER("nvmlDeviceGetSupportedMemoryClocks", device);
  return hand_out<unsigned>({kMemoryClock, kIdleMemoryClock}, count, megahertz);
}
Return nvmlDeviceGetSupportedGraphicsClocks(Device device, unsigned memory, unsigned* count,
                                            unsigned* megahertz) {
  FAKE_ENTER("nvmlDeviceGetSupportedGraphicsClocks", device);
  std::vector<unsigned> clocks;
  const unsigned top = memory == kMemoryClock ? kHighestClock : kLowestClock;
  for (unsigned mhz = top; mhz >= kLowestClock; mhz -= kClockStep) clocks.push_back(mhz);
  return hand_out(clocks, count, megahertz);
}
Return nvmlDeviceGetPowerManagementLimit(Device device, unsigned* milliwatts) {
  FAKE_ENTER("nvmlDeviceGetPowerManagementLimit", device);
  *milliwatts = of(device).limit;
  return kSuccess;
}
Return nvmlDeviceGetPowerManagementLimitConstraints(Device device, unsigned* min, unsigned* max) {
  FAKE_ENTER("nvmlDeviceGetPowerManagementLimitConstraints", device);
  *min = 100000;
  *max = 400000;
  return kSuccess;
}
Return nvmlDeviceSetPowerManagementLimit(Device device, unsigned milliwatts) {
  FAKE_ENTER("nvmlDeviceSetPowerManagementLimit", device);
  if (!machine().root) return kNoPermission;
  if (milliwatts < 100000 || milliwatts > 400000) return kInvalidArgument;
  of(device).limit = milliwatts;
  return kSuccess;
}

#ifdef FAKE_NVML_OLD
Return nvmlDeviceGetComputeRunningProcesses(Device device, unsigned* count, ProcessInfo1* out) {
  FAKE_ENTER("nvmlDeviceGetComputeRunningProcesses", device);
  return hand_out_processes(device, count, out);
}
#else
Return nvmlDeviceGetArchitecture(Device device, Architecture* architecture) {
  FAKE_ENTER("nvmlDeviceGetArchitecture", device);
  *architecture = kArchAmpere;
  return kSuccess;
}
Return nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
  FAKE_ENTER("nvmlDeviceGetMigMode", device);
  *current = *pending = of(device).mig ? kMigEnabled : 0;
  return kSuccess;
}
Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  FAKE_ENTER("nvmlDeviceGetTotalEnergyConsumption", device);
  *millijoules = static_cast<unsigned long long>(of(device).counted * 1000);
  return kSuccess;
}
Return nvmlDeviceGetFieldValues(Device device, int count, FieldValue* values) {
  FAKE_ENTER("nvmlDeviceGetFieldValues", device);
  for (int i = 0; i < count; ++i) {
    const bool known =
        values[i].field == kFieldPowerAverage || values[i].field == kFieldPowerInstant;
    values[i].status = known ? kSuccess : kInvalidArgument;
    values[i].type = kUnsignedInt;
    values[i].value.unsigned_int = static_cast<unsigned>(of(device).watts * 1000);
    values[i].timestamp = machine().now;
  }
  return kSuccess;
}
Return nvmlDeviceGetSamples(Device device, SamplingType type, unsigned long long last_seen,
                            ValueType* value_type, unsigned* count, Sample* out) {
  FAKE_ENTER("nvmlDeviceGetSamples", device);
  if (type != kTotalPowerSamples || !of(device).samples) return kNotSupported;
  *value_type = kUnsignedInt;
  if (out == nullptr) {
    *count = kSamplesKept;
    return kSuccess;
  }
  std::vector<Sample> fresh;
  for (const Sample& sample : of(device).ring) {
    if (sample.timestamp > last_seen) fresh.push_back(sample);
  }
  return fresh.empty() ? kNotFound : hand_out(fresh, count, out);
}
Return nvmlDeviceGetMemoryInfo_v2(Device device, Memory2* memory) {
  FAKE_ENTER("nvmlDeviceGetMemoryInfo_v2", device);
  if (memory->version != kMemory2Version) return kInvalidArgument;
  const unsigned long long total = 40ULL << 30U;
  const unsigned long long reserved = 600ULL << 20U;
  *memory = {memory->version, total, reserved, total - reserved - of(device).memory,
             of(device).memory};
  return kSuccess;
}
Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons) {
  FAKE_ENTER("nvmlDeviceGetCurrentClocksEventReasons", device);
  *reasons = of(device).locked ? 0x2 : 0;
  return kSuccess;
}
Return nvmlDeviceSetGpuLockedClocks(Device device, unsigned min, unsigned max) {
  FAKE_ENTER("nvmlDeviceSetGpuLockedClocks", device);
  if (!machine().root) return kNoPermission;
  if (min > max || min < kLowestClock || max > kHighestClock) return kInvalidArgument;
  of(device).locked = true;
  of(device).lock_min = min;
  of(device).lock_max = max;
  return kSuccess;
}
Return nvmlDeviceResetGpuLockedClocks(Device device) {
  FAKE_ENTER("nvmlDeviceResetGpuLockedClocks", device);
  if (!machine().root) return kNoPermission;
  of(device).locked = false;
  return kSuccess;
}
Return nvmlDeviceGetComputeRunningProcesses_v2(Device device, unsigned* count, ProcessInfo2* out) {
  FAKE_ENTER("nvmlDeviceGetComputeRunningProcesses_v2", device);
  return hand_out_processes(device, count, out);
}
Return nvmlDeviceGetProcessUtilization(Device device, ProcessSample* out, unsigned* count,
                                       unsigned long long last_seen) {
  FAKE_ENTER("nvmlDeviceGetProcessUtilization", device);
  if (of(device).mig) return kNotSupported;
  const auto stamp = static_cast<unsigned long long>(machine().now / kProcessStep * kProcessStep);
  std::vector<ProcessSample> fresh;
  for (const Process& process : of(device).processes) {
    if (stamp > last_seen && process.sm > 0)
      fresh.push_back({process.pid, stamp, process.sm, 0, 0, 0});
  }
  return fresh.empty() ? kNotFound : hand_out(fresh, count, out);
}
#endif

#pragma GCC diagnostic pop
}  // extern "C"
