// FaultyProvider: any provider, with faults by script. A fault lasts from one read_batch to
// another, counted from 0, so that a run in virtual time meets it at the same moment every time.
//
//   missing   readings of a signal fail (the device fell off the bus)
//   stuck     a signal repeats what it showed when the fault began
//   reset     a counter begins again at 0, once, at `from`
//   refuse    writes to a control fail (the device, or its driver, refuses)
//   cap       the device runs no faster than `value`, whatever is set; what is set reads back
//   overwrite at every read, something else sets the control to `value`
//
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mete/signal/provider.h"

namespace mete::test {

struct Fault {
  enum class Kind { missing, stuck, reset, refuse, cap, overwrite };
  Kind kind = Kind::missing;
  std::string name;  ///< of the signal or control
  int from = 0;
  int to = std::numeric_limits<int>::max();  ///< the first read that is well again
  double value = 0;
};

class FaultyProvider final : public Provider, public Controls {
 public:
  struct Write {
    int read = 0;  ///< how many read_batch came before
    Request request;
    double value = 0;
  };

  FaultyProvider(std::unique_ptr<Provider> inner, std::vector<Fault> faults)
      : inner_(std::move(inner)), faults_(std::move(faults)) {}

  const ProviderInfo& info() const override { return inner_->info(); }
  void describe(Topology& topology) const override { inner_->describe(topology); }
  Result<int> push_signal(const Request& request) override {
    auto handle = inner_->push_signal(request);
    if (!handle) return handle;
    signals_.push_back({request, 0, 0, false});
    return handle;
  }
  void read_batch(std::span<Reading> out) noexcept override {
    for (const Fault& fault : faults_) {
      if (fault.kind == Fault::Kind::overwrite && active(fault)) set(fault.name, fault.value);
      if (fault.kind == Fault::Kind::cap && (reads_ == fault.from || reads_ == fault.to)) obey();
    }
    inner_->read_batch(out);
    for (std::size_t i = 0; i < std::min(out.size(), signals_.size()); ++i) spoil(i, out[i]);
    ++reads_;
  }
  Controls* controls() override { return inner_->controls() == nullptr ? nullptr : this; }

  Result<ControlLimits> limits(const Request& request) const override {
    return inner_->controls()->limits(request);
  }
  Result<int> push(const Request& request) override {
    auto handle = inner_->controls()->push(request);
    if (handle) asked_.emplace_back(request, std::nan(""));
    return handle;
  }
  Result<void> write_batch(std::span<const double> values) override {
    for (const Fault& fault : faults_) {
      if (fault.kind == Fault::Kind::refuse && active(fault)) {
        ++refused;
        return fail(Errc::denied, "{}: the device refuses", fault.name);
      }
    }
    for (std::size_t h = 0; h < values.size(); ++h) {
      if (std::isnan(values[h])) continue;
      asked_[h].second = values[h];
      writes.push_back({reads_, asked_[h].first, values[h]});
    }
    std::vector<double> obeyed(values.begin(), values.end());
    for (std::size_t h = 0; h < obeyed.size(); ++h) {
      if (const auto cap = cap_of(asked_[h].first)) obeyed[h] = std::min(obeyed[h], *cap);
    }
    return inner_->controls()->write_batch(obeyed);
  }
  Result<std::string> save(const Request& request) const override {
    return inner_->controls()->save(request);
  }
  Result<void> restore(const Request& request, const std::string& saved) override {
    return inner_->controls()->restore(request, saved);
  }

  std::vector<Write> writes;  ///< those that were not refused, those of the faults left out
  int refused = 0;
  [[nodiscard]] int reads() const { return reads_; }

 private:
  struct Pushed {
    Request request;
    double first = 0;  ///< what it showed when the fault began
    double shown = 0;
    bool begun = false;
  };

  [[nodiscard]] bool active(const Fault& fault) const {
    return reads_ >= fault.from && reads_ < fault.to;
  }
  [[nodiscard]] std::optional<double> cap_of(const Request& request) const {
    for (const Fault& fault : faults_) {
      if (fault.kind == Fault::Kind::cap && fault.name == request.name && active(fault)) {
        return fault.value;
      }
    }
    return std::nullopt;
  }
  /// Sets what was asked for, as far as the caps of this moment let it.
  void obey() noexcept {
    std::vector<double> values;
    for (const auto& [request, value] : asked_) {
      values.push_back(std::min(value, cap_of(request).value_or(value)));
    }
    [[maybe_unused]] const auto ignored = inner_->controls()->write_batch(values);
  }
  void set(const std::string& name, double value) noexcept {
    std::vector<double> values;
    for (const auto& one : asked_) values.push_back(one.first.name == name ? value : std::nan(""));
    if (values.empty()) return;
    [[maybe_unused]] const auto ignored = inner_->controls()->write_batch(values);
  }
  void spoil(std::size_t i, Reading& reading) noexcept {
    Pushed& signal = signals_[i];
    for (const Fault& fault : faults_) {
      if (fault.name != signal.request.name) continue;
      if (fault.kind == Fault::Kind::reset && reads_ >= fault.from && reading.ok()) {
        if (!std::exchange(signal.begun, true)) signal.first = reading.value;
        reading.value -= signal.first;
      }
      if (!active(fault)) continue;
      if (fault.kind == Fault::Kind::missing) reading = Reading::missing(Errc::gone);
      if (fault.kind == Fault::Kind::stuck && reading.ok()) {
        if (!std::exchange(signal.begun, true)) signal.first = reading.value;
        reading.value = signal.first;
      }
      if (fault.kind == Fault::Kind::cap) {
        for (const auto& [request, value] : asked_) {
          if (request == signal.request && !std::isnan(value)) reading.value = value;
        }
      }
    }
  }

  std::unique_ptr<Provider> inner_;
  std::vector<Fault> faults_;
  std::vector<Pushed> signals_;
  std::vector<std::pair<Request, double>> asked_;  ///< by control handle
  int reads_ = 0;
};

}  // namespace mete::test
