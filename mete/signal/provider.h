// The provider interface: one source of telemetry, and perhaps of controls. See templates/provider
// for one to copy, and ARCHITECTURE.md for the contract that the conformance suite
// (tests/conformance) holds it to.
//
// Life of a provider: made (looks for its hardware; never fails, says `unavailable` instead) →
// push_signal and push_control any number of times → read_batch / write_batch many times, from one
// thread. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/signal/domain.h"
#include "mete/signal/info.h"

namespace mete {

/// One reading: a value, or why there is none. Never 0 for a failure, never silently dropped.
struct Reading {
  double value = 0;
  std::optional<Errc> fault;

  [[nodiscard]] bool ok() const { return !fault; }
  /// The value, or NaN.
  [[nodiscard]] double or_nan() const {
    return fault ? std::numeric_limits<double>::quiet_NaN() : value;
  }
  static Reading missing(Errc why) { return {0, why}; }
};

/// Something that is not there, and what the user can do about it: a line of `mete doctor`.
struct Absence {
  std::string what;  ///< "CPU frequency control"
  std::string why;   ///< "no /sys/devices/system/cpu/cpufreq on this machine"
  std::string next;  ///< "run on bare metal, or load a cpufreq driver"
};

struct ProviderInfo {
  std::string name;         ///< "linux"
  std::string description;  ///< one line
  bool available = true;    ///< false: no signals and no controls at all; `absences` says why
  std::vector<Absence> absences;
  std::vector<SignalInfo> signals;
  std::vector<ControlInfo> controls;
};

/// The setting half of a provider that has controls. Handles are dense, from 0, in the order of
/// pushing.
class Controls {
 public:
  virtual ~Controls() = default;
  /// What one part's control accepts. `request.domain` is the control's native domain.
  virtual Result<ControlLimits> limits(const Request& request) const = 0;
  virtual Result<int> push(const Request& request) = 0;
  /// values[h] is the setting wanted for handle h; NaN leaves it as it is. Values are in range and
  /// supported: the caller has seen to that. All are tried; the first error is returned.
  virtual Result<void> write_batch(std::span<const double> values) = 0;
  /// The present setting as one line of text that restore() of this provider understands, in
  /// another process too.
  virtual Result<std::string> save(const Request& request) const = 0;
  virtual Result<void> restore(const Request& request, const std::string& saved) = 0;
};

class DeviceProcesses;

class Provider {
 public:
  virtual ~Provider() = default;
  virtual const ProviderInfo& info() const = 0;
  /// Adds the parts of the node that this provider knows of.
  virtual void describe(Topology& topology) const = 0;
  /// `request.domain` is the signal's native domain. Handles are dense, from 0. Does a trial read:
  /// a signal that cannot be read is refused here, with the reason.
  virtual Result<int> push_signal(const Request& request) = 0;
  /// Fills out[h] for every handle pushed so far. Allocates nothing, throws nothing; a part that
  /// fails gives a Reading with its fault.
  virtual void read_batch(std::span<Reading> out) noexcept = 0;
  /// nullptr if it has none.
  virtual Controls* controls() { return nullptr; }
  /// Who uses its devices; nullptr if it cannot tell. Owned by the provider.
  virtual DeviceProcesses* device_processes() { return nullptr; }
};

}  // namespace mete
