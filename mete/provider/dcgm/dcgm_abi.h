// What of DCGM's binary interface mete uses, declared by ourselves: DCGM is a package of NVIDIA's
// that machines without data-centre GPUs lack.
//
// Names, layouts and values are those of NVIDIA's public headers, https://github.com/NVIDIA/DCGM,
// folder dcgmlib, compared value by value: dcgm_structs.h (return codes, DCGM_GROUP_ALL_GPUS,
// DCGM_MAX_NUM_DEVICES, blank values, dcgmFieldValue_v1), dcgm_agent.h (arguments) and
// dcgm_fields.h (1001 to 1008). DCGM 3.1 to 4 agree; 4 gave the fields new names and kept their
// numbers.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mete::dcgm {

using Handle = std::uintptr_t;
using GpuGroup = std::uintptr_t;
using FieldGroup = std::uintptr_t;

enum Return : int {
  kOk = 0,
  kBadParameter = -1,
  kGenericError = -3,
  kNotSupported = -6,
  kTimeout = -11,
  kNoData = -14,
  kStaleData = -15,
  kNotWatched = -16,
  kNoPermission = -17,
  kGpuIsLost = -18,
  kConnectionNotValid = -21,
  kGpuNotSupported = -22,
  kRequiresRoot = -29,
  kModuleNotLoaded = -33,
  kProfilingNotSupported = -36,
  kProfilingMultiPass = -38,
};

inline constexpr GpuGroup kAllGpus = 0x7fffffff;
inline constexpr int kMostDevices = 32;
/// Doubles from here on are no values: +1 not found, +2 not supported, +3 not permitted.
inline constexpr double kBlank = 140737488355328.0;  // 2^47

inline constexpr unsigned short kGraphicsEngineActive = 1001;
inline constexpr unsigned short kSmActive = 1002;
inline constexpr unsigned short kSmOccupancy = 1003;
inline constexpr unsigned short kTensorActive = 1004;
inline constexpr unsigned short kDramActive = 1005;
inline constexpr unsigned short kFp64Active = 1006;
inline constexpr unsigned short kFp32Active = 1007;
inline constexpr unsigned short kFp16Active = 1008;

struct LatestValue {
  unsigned int version;
  unsigned short field;
  unsigned short type;  ///< 'd' for a double
  int status;
  std::int64_t timestamp;  ///< µs since 1970
  union {
    std::int64_t integer;
    double real;
    char text[256];
    char blob[4096];
  } value;
};
static_assert(sizeof(LatestValue) == 24 + 4096 && offsetof(LatestValue, value) == 24);

}  // namespace mete::dcgm
