// What of NVML's binary interface mete uses, declared by ourselves: Debian's main archive has no
// nvml.h, and a program that links libnvidia-ml runs on machines with a driver only.
//
// Names, layouts and values are those of NVIDIA's public interface (NVML 13; functions with _v2
// since 2012, field values since driver 384, power fields since 520). Two published bindings were
// compared for every value here: NVIDIA's own pynvml and the nvml.h in
// https://github.com/NVIDIA/go-nvml (gen/nvml/nvml.h). NVML promises never to
// change a function's layout: it adds a name instead.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mete::nvml {

using Device = struct OpaqueDevice*;

enum Return : std::uint32_t {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kTimeout = 10,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kVersionMismatch = 18,
  kNoData = 21,
  kGpuNotFound = 28,
  kUnknown = 999,
};

enum ClockType : std::uint32_t { kClockGraphics = 0, kClockSm = 1, kClockMemory = 2 };
enum TemperatureSensor : std::uint32_t { kTemperatureGpu = 0 };
enum SamplingType : std::uint32_t { kTotalPowerSamples = 0 };
enum ValueType : std::uint32_t {
  kDouble = 0,
  kUnsignedInt = 1,
  kUnsignedLong = 2,
  kUnsignedLongLong = 3,
  kSignedLongLong = 4,
  kSignedInt = 5,
  kUnsignedShort = 6,
};
enum Architecture : std::uint32_t { kArchTuring = 6, kArchAmpere = 7, kArchUnknown = 0xffffffff };

inline constexpr std::uint32_t kFieldPowerAverage = 185;
inline constexpr std::uint32_t kFieldPowerInstant = 186;
inline constexpr std::uint32_t kMigEnabled = 1;
/// What the driver writes where it does not know.
inline constexpr unsigned long long kNotAvailable = ~0ULL;

union Value {
  double real;
  int signed_int;
  unsigned int unsigned_int;
  unsigned long unsigned_long;
  unsigned long long unsigned_long_long;
  long long signed_long_long;
  unsigned short unsigned_short;
};
static_assert(sizeof(Value) == 8);

struct FieldValue {
  std::uint32_t field;
  std::uint32_t scope;     ///< 0: the GPU
  std::int64_t timestamp;  ///< µs since 1970
  std::int64_t latency;
  ValueType type;
  Return status;  ///< of this field alone
  Value value;
};
static_assert(sizeof(FieldValue) == 40 && offsetof(FieldValue, value) == 32);

struct Sample {
  unsigned long long timestamp;  ///< µs since 1970
  Value value;
};
static_assert(sizeof(Sample) == 16);

struct Utilization {
  unsigned int gpu;  ///< per cent
  unsigned int memory;
};

struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(Memory) == 24);

/// Of nvmlDeviceGetMemoryInfo_v2, which keeps what the driver reserves apart from what is used.
struct Memory2 {
  unsigned int version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(Memory2) == 40);
inline constexpr unsigned int kMemory2Version = sizeof(Memory2) | (2U << 24U);

/// Of nvmlDeviceGetComputeRunningProcesses without a number.
struct ProcessInfo1 {
  unsigned int pid;
  unsigned long long used_memory;
};
static_assert(sizeof(ProcessInfo1) == 16);
/// Of .._v2 and .._v3.
struct ProcessInfo2 {
  unsigned int pid;
  unsigned long long used_memory;
  unsigned int gpu_instance;
  unsigned int compute_instance;
};
static_assert(sizeof(ProcessInfo2) == 24);

struct ProcessSample {
  unsigned int pid;
  unsigned long long timestamp;  ///< µs since 1970
  unsigned int sm;               ///< per cent
  unsigned int memory;
  unsigned int encoder;
  unsigned int decoder;
};
static_assert(sizeof(ProcessSample) == 32);

}  // namespace mete::nvml
