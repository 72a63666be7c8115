// Tiers of memory, fast and slow, and pools in them. A tier is named as users write it:
//
//   dram            this machine's memory
//   numa:N          the memory of node N
//   dax:PATH        persistent memory: a file on a file system mounted with dax, or a device
//   file:PATH       a file, through the page cache
//   throttled       DRAM whose accesses are held to stated bandwidths: emulated, and says so
//
// The rule of `throttled` (docs/tiers.md): a kernel or a copy that reads r bytes and writes w bytes
// of it takes r (1/R - 1/R0) + w (1/W - 1/W0) seconds more than it did, where R and W are the
// stated bandwidths and R0 and W0 those of DRAM as measured; nothing is hidden behind computing.
// The wait is where the access is: at the end of the kernel or copy that made it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/base/sys_root.h"

namespace mete {

/// bytes/s
struct Bandwidth {
  double read = 0;
  double write = 0;
  bool operator==(const Bandwidth&) const = default;
};

enum class TierKind : std::uint8_t { dram, numa, dax, file, throttled };

struct TierSpec {
  TierKind kind = TierKind::dram;
  int node = 0;           ///< numa
  std::string path;       ///< dax, file
  double read_part = 3;   ///< throttled: R = R0 / read_part
  double write_part = 6;  ///< throttled: W = W0 / write_part
  bool operator==(const TierSpec&) const = default;
};
/// "throttled" may be followed by ":READ,WRITE", the parts: "throttled:3,6" is the default.
/// `invalid`, listing the forms, otherwise.
Result<TierSpec> parse_tier(std::string_view text);
std::string tier_name(const TierSpec& spec);

/// Bytes that are there for as long as this lives, every page of them touched.
class Pool {
 public:
  virtual ~Pool() = default;
  [[nodiscard]] virtual std::byte* data() noexcept = 0;
  [[nodiscard]] virtual std::size_t bytes() const noexcept = 0;
};

/// What a tier adds to the time of what touches it. For pointers into its pools.
class Tier {
 public:
  virtual ~Tier() = default;
  [[nodiscard]] virtual const TierSpec& spec() const = 0;
  /// "throttled to 4.1 GB/s read, 1.9 GB/s write (emulated)".
  [[nodiscard]] virtual std::string description() const = 0;
  [[nodiscard]] virtual bool emulated() const = 0;
  /// Pages touched, so that no first access pays for them. `unavailable` if the machine cannot
  /// hold it (said before anything is taken), with how much it can.
  virtual Result<std::unique_ptr<Pool>> make_pool(std::size_t bytes) = 0;
  /// Seconds to wait after reading and writing so many bytes; 0 for real memory.
  [[nodiscard]] virtual double charge_seconds(double read_bytes, double written_bytes) const = 0;
};

/// Opens a tier. `dram` is this machine's bandwidth, as measure_dram() has it; only `throttled`
/// uses it. `unavailable`, with the next step, for what is not here.
Result<std::unique_ptr<Tier>> open_tier(const TierSpec& spec, const Bandwidth& dram,
                                        const SysRoot& sys = SysRoot());

/// DRAM's bandwidth as kernels see it: best of a few passes over arrays beyond any cache, reading
/// (a sum) and writing (streaming stores), with `threads`.
Result<Bandwidth> measure_dram(int threads, const Clock& clock);

/// Waits until `seconds` after `begin`, by looking at the clock: sleeping is not that exact. The
/// clock must move by itself, as a virtual one does not.
void hold_until(Nanoseconds begin, double seconds, const Clock& clock) noexcept;

}  // namespace mete
