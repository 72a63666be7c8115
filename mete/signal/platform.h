// Platform: all providers of a node behind one batch interface, with names resolved, values
// aggregated over domains and failures counted.
//
//   push once → read_batch → sample → adjust → write_batch
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mete/signal/provider.h"

namespace mete {

class Platform {
 public:
  /// Where two providers offer the same name, the earlier one's is used.
  explicit Platform(std::vector<std::unique_ptr<Provider>> providers);
  Platform(Platform&&) noexcept;
  Platform& operator=(Platform&&) noexcept;
  ~Platform();

  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] std::vector<const ProviderInfo*> providers() const;
  /// Those of the providers that can tell who uses their devices. Owned by them.
  [[nodiscard]] std::vector<DeviceProcesses*> device_processes() const;
  /// Every signal (control) once, in the order of the providers.
  [[nodiscard]] std::vector<SignalInfo> signals() const;
  [[nodiscard]] std::vector<ControlInfo> controls() const;

  /// Any generation's name is taken. Errors offer the nearest names, or say why the signal is
  /// absent here.
  [[nodiscard]] Result<SignalInfo> signal_info(std::string_view name) const;
  [[nodiscard]] Result<ControlInfo> control_info(std::string_view name) const;
  [[nodiscard]] bool has_signal(std::string_view name) const;
  [[nodiscard]] bool has_control(std::string_view name) const;
  /// "NAME@domain" over all parts of the domain; without a domain, over the board (one aggregated
  /// value).
  [[nodiscard]] Result<std::vector<Request>> expand(const SignalSpec& spec) const;

  /// Pushing the same request twice gives the same handle. A coarser domain than the native one is
  /// aggregated.
  Result<int> push_signal(const Request& request);
  Result<int> push_control(const Request& request);

  /// Allocates nothing, throws nothing.
  void read_batch() noexcept;
  [[nodiscard]] Reading sample(int handle) const noexcept {
    return readings_[static_cast<std::size_t>(handle)];
  }
  /// The value last read, NaN for a fault.
  [[nodiscard]] double value(int handle) const noexcept { return sample(handle).or_nan(); }
  /// How many reads of this signal gave a fault so far.
  [[nodiscard]] std::uint64_t faults(int handle) const noexcept;
  /// Sets what write_batch will write. Values are clamped and snapped to what the device supports;
  /// NaN leaves it.
  void adjust(int handle, double value) noexcept;
  /// Something else has changed this control: what is adjusted next is written even if it is what
  /// was written last. Allocates nothing.
  void forget_written(int handle) noexcept;
  /// Writes what was adjusted since the last write and differs from it.
  Result<void> write_batch();

  /// One-shot forms, as `mete read` and `mete write` use.
  Result<double> read_signal(const Request& request);
  /// Checks range and support strictly (an error says what is supported), then writes.
  Result<void> write_control(const Request& request, double value);
  /// What one part (or, for a coarser domain, its first part) accepts.
  [[nodiscard]] Result<ControlLimits> limits(const Request& request) const;
  /// `value` if it is in range and, to half of the last digit that clocks are told in (0.5 MHz),
  /// supported.
  [[nodiscard]] Result<double> check_setting(const Request& request, double value) const;

  /// The settings of all native parts of a control, to be given back later.
  struct SavedControl {
    std::string provider;
    Request request;
    std::string setting;
  };
  [[nodiscard]] Result<std::vector<SavedControl>> save(const Request& request) const;
  Result<void> restore(const SavedControl& saved);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<Reading> readings_;  ///< one per handle
  Topology topology_;
};

}  // namespace mete
