// The batch interface over all providers.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/signal/platform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// Clocks are told in MHz: a setting within half of that of a supported one is that one.
constexpr double kClockTolerance = 0.5e6;

std::string describe_supported(const ControlLimits& limits, const std::string& unit, double value) {
  if (limits.supported.empty()) {
    return fmt::format("expected {} to {}", format_quantity(limits.min, unit, 4),
                       format_quantity(limits.max, unit, 4));
  }
  std::vector<double> near = limits.supported;
  std::sort(near.begin(), near.end(),
            [value](double a, double b) { return std::abs(a - value) < std::abs(b - value); });
  near.resize(std::min<std::size_t>(near.size(), 3));
  std::sort(near.begin(), near.end());
  std::vector<std::string> words;
  words.reserve(near.size());
  for (const double v : near) words.push_back(format_quantity(v, unit, 5));
  return fmt::format("nearest supported: {}; {} settings from {} to {}", join(words, ", "),
                     limits.supported.size(), format_quantity(limits.min, unit, 4),
                     format_quantity(limits.max, unit, 4));
}

}  // namespace

struct Platform::Impl {
  struct Slot {
    std::unique_ptr<Provider> provider;
    std::vector<Reading> readings;  // one per handle of the provider
    std::span<Reading> batch;       // where it puts them: there, or among the platform's own
    std::vector<double> settings;   // one per control handle; NaN: leave
    std::vector<double> written;    // what write_batch last wrote
    std::vector<ControlLimits> limits;
    std::vector<Request> signal_requests;
    std::vector<Request> control_requests;
  };
  struct Part {
    std::size_t slot = 0;
    int handle = 0;
  };
  struct Signal {
    Request request;
    Aggregation aggregation = Aggregation::average;
    std::vector<Part> parts;
    std::vector<double> scratch;
  };
  /// Where a signal of one part finds its reading.
  struct Direct {
    std::uint32_t slot = 0;
    std::uint32_t handle = kAggregated;
  };
  static constexpr std::uint32_t kAggregated = std::numeric_limits<std::uint32_t>::max();
  /// A signal whose reading is not put in its place by the provider itself.
  struct Fetched {
    std::size_t signal = 0;
    Direct from;
  };
  struct Control {
    Request request;
    double share = 1;  // what each part gets of a value: 1, or 1/parts for `sum`
    std::vector<Part> parts;
  };
  template <class Info>
  struct Found {
    std::size_t slot = 0;
    const Info* info = nullptr;
  };

  std::vector<Slot> slots;
  std::vector<Signal> signals;
  std::vector<Direct> directs;   // beside signals
  std::vector<Fetched> fetched;  // room for all signals
  bool laid_out = false;
  std::vector<std::uint64_t> faults;  // beside signals
  std::vector<Control> controls;

  [[nodiscard]] Found<SignalInfo> find_signal(std::string_view name) const {
    for (std::size_t s = 0; s < slots.size(); ++s) {
      for (const auto& info : slots[s].provider->info().signals) {
        if (info.name == name) return {s, &info};
      }
    }
    return {};
  }
  [[nodiscard]] Found<ControlInfo> find_control(std::string_view name) const {
    for (std::size_t s = 0; s < slots.size(); ++s) {
      if (slots[s].provider->controls() == nullptr) continue;
      for (const auto& info : slots[s].provider->info().controls) {
        if (info.name == name) return {s, &info};
      }
    }
    return {};
  }
  Result<Part> push_part(std::size_t s, const Request& request);
  Result<Part> push_control_part(std::size_t s, const Request& request);
  Reading aggregated(Signal& signal) const noexcept;
  void lay_out(std::span<Reading> readings) noexcept;
};

Result<Platform::Impl::Part> Platform::Impl::push_part(std::size_t s, const Request& request) {
  Slot& slot = slots[s];
  for (std::size_t h = 0; h < slot.signal_requests.size(); ++h) {
    if (slot.signal_requests[h] == request) return Part{s, static_cast<int>(h)};
  }
  METE_TRY(const int handle, slot.provider->push_signal(request));
  slot.signal_requests.push_back(request);
  slot.readings.resize(slot.signal_requests.size(), Reading::missing(Errc::retry));
  return Part{s, handle};
}

Result<Platform::Impl::Part> Platform::Impl::push_control_part(std::size_t s,
                                                               const Request& request) {
  Slot& slot = slots[s];
  for (std::size_t h = 0; h < slot.control_requests.size(); ++h) {
    if (slot.control_requests[h] == request) return Part{s, static_cast<int>(h)};
  }
  METE_TRY(ControlLimits limits, slot.provider->controls()->limits(request));
  METE_TRY(const int handle, slot.provider->controls()->push(request));
  slot.control_requests.push_back(request);
  slot.settings.push_back(kNaN);
  slot.written.push_back(kNaN);
  slot.limits.push_back(std::move(limits));
  return Part{s, handle};
}

Platform::Platform(std::vector<std::unique_ptr<Provider>> providers)
    : impl_(std::make_unique<Impl>()) {
  for (auto& provider : providers) {
    provider->describe(topology_);
    impl_->slots.push_back({});
    impl_->slots.back().provider = std::move(provider);
  }
}

Platform::Platform(Platform&&) noexcept = default;
Platform& Platform::operator=(Platform&&) noexcept = default;
Platform::~Platform() = default;

std::vector<const ProviderInfo*> Platform::providers() const {
  std::vector<const ProviderInfo*> out;
  for (const auto& slot : impl_->slots) out.push_back(&slot.provider->info());
  return out;
}

std::vector<DeviceProcesses*> Platform::device_processes() const {
  std::vector<DeviceProcesses*> out;
  for (const auto& slot : impl_->slots) {
    if (auto* processes = slot.provider->device_processes()) out.push_back(processes);
  }
  return out;
}

std::vector<SignalInfo> Platform::signals() const {
  std::vector<SignalInfo> out;
  std::set<std::string> seen;
  for (const auto& slot : impl_->slots) {
    for (const auto& info : slot.provider->info().signals) {
      if (seen.insert(info.name).second) out.push_back(info);
    }
  }
  return out;
}

std::vector<ControlInfo> Platform::controls() const {
  std::vector<ControlInfo> out;
  std::set<std::string> seen;
  for (const auto& slot : impl_->slots) {
    if (slot.provider->controls() == nullptr) continue;
    for (const auto& info : slot.provider->info().controls) {
      if (seen.insert(info.name).second) out.push_back(info);
    }
  }
  return out;
}

bool Platform::has_signal(std::string_view name) const {
  return impl_->find_signal(canonical_name(name)).info != nullptr;
}

bool Platform::has_control(std::string_view name) const {
  return impl_->find_control(canonical_name(name)).info != nullptr;
}

Result<SignalInfo> Platform::signal_info(std::string_view name) const {
  const auto found = impl_->find_signal(canonical_name(name));
  if (found.info != nullptr) return *found.info;
  std::vector<std::string> known;
  for (const auto& info : signals()) known.push_back(info.name);
  std::string hint = did_you_mean(name, known);
  if (hint.empty())
    hint = "; `mete list signals` shows what there is here, `mete doctor` what is missing";
  return fail(Errc::invalid, "no signal '{}' here{}", name, hint);
}

Result<ControlInfo> Platform::control_info(std::string_view name) const {
  const auto found = impl_->find_control(canonical_name(name));
  if (found.info != nullptr) return *found.info;
  std::vector<std::string> known;
  for (const auto& info : controls()) known.push_back(info.name);
  std::string hint = did_you_mean(name, known);
  if (hint.empty())
    hint = "; `mete list controls` shows what there is here, `mete doctor` what is missing";
  return fail(Errc::invalid, "no control '{}' here{}", name, hint);
}

Result<std::vector<Request>> Platform::expand(const SignalSpec& spec) const {
  METE_TRY(const SignalInfo info, signal_info(spec.name));
  const Domain domain = spec.domain.value_or(Domain::board);
  std::vector<Request> out;
  for (int i = 0; i < topology_.count(domain); ++i) out.push_back({info.name, domain, i});
  if (out.empty()) {
    return fail(Errc::unavailable, "signal '{}': this machine has no {}", spec.name,
                domain_name(domain));
  }
  return out;
}

namespace {

/// The native parts that make up a request, or why there are none.
Result<std::vector<int>> parts_of(const Topology& topology, const Request& request, Domain native,
                                  std::string_view kind) {
  if (!topology.is_nested(native, request.domain)) {
    return fail(Errc::invalid,
                "{} '{}' exists per {}, not per {}; ask for it at {} or a domain that holds it",
                kind, request.name, domain_name(native), domain_name(request.domain),
                domain_name(native));
  }
  const int count = topology.count(request.domain);
  if (request.index < 0 || request.index >= count) {
    return fail(Errc::invalid, "{} '{}': index {} of {} does not exist; there {} {}", kind,
                request.name, request.index, domain_name(request.domain), count == 1 ? "is" : "are",
                count);
  }
  auto parts = topology.nested(native, request.domain, request.index);
  if (parts.empty()) {
    return fail(Errc::unavailable, "{} '{}': this machine has no {}", kind, request.name,
                domain_name(native));
  }
  return parts;
}

}  // namespace

Result<int> Platform::push_signal(const Request& request) {
  const std::string name(canonical_name(request.name));
  const Request wanted{name, request.domain, request.index};
  for (std::size_t i = 0; i < impl_->signals.size(); ++i) {
    if (impl_->signals[i].request == wanted) return static_cast<int>(i);
  }
  METE_TRY(const SignalInfo info, signal_info(request.name));
  const auto found = impl_->find_signal(name);
  METE_TRY(const auto parts, parts_of(topology_, wanted, info.domain, "signal"));
  Impl::Signal signal{wanted, info.aggregation, {}, {}};
  for (const int part : parts) {
    METE_TRY(const auto pushed, impl_->push_part(found.slot, {name, info.domain, part}));
    signal.parts.push_back(pushed);
  }
  signal.scratch.resize(signal.parts.size());
  Impl::Direct direct;
  if (signal.parts.size() == 1) {
    const auto& part = signal.parts.front();
    direct = {static_cast<std::uint32_t>(part.slot), static_cast<std::uint32_t>(part.handle)};
  }
  impl_->signals.push_back(std::move(signal));
  impl_->directs.push_back(direct);
  impl_->faults.push_back(0);
  impl_->fetched.reserve(impl_->signals.capacity());
  impl_->laid_out = false;
  readings_.push_back(Reading::missing(Errc::retry));
  return static_cast<int>(impl_->signals.size()) - 1;
}

Result<int> Platform::push_control(const Request& request) {
  const std::string name(canonical_name(request.name));
  const Request wanted{name, request.domain, request.index};
  for (std::size_t i = 0; i < impl_->controls.size(); ++i) {
    if (impl_->controls[i].request == wanted) return static_cast<int>(i);
  }
  METE_TRY(const ControlInfo info, control_info(request.name));
  const auto found = impl_->find_control(name);
  METE_TRY(const auto parts, parts_of(topology_, wanted, info.domain, "control"));
  Impl::Control control{wanted, 1.0, {}};
  for (const int part : parts) {
    METE_TRY(const auto pushed, impl_->push_control_part(found.slot, {name, info.domain, part}));
    control.parts.push_back(pushed);
  }
  if (info.aggregation == Aggregation::sum) control.share = 1.0 / static_cast<double>(parts.size());
  impl_->controls.push_back(std::move(control));
  return static_cast<int>(impl_->controls.size()) - 1;
}

Reading Platform::Impl::aggregated(Signal& signal) const noexcept {
  std::optional<Errc> fault;
  for (std::size_t i = 0; i < signal.parts.size(); ++i) {
    const auto part = signal.parts[i];
    const Reading& r = slots[part.slot].batch[static_cast<std::size_t>(part.handle)];
    signal.scratch[i] = r.or_nan();
    if (r.fault) fault = r.fault;
  }
  // A sum with a part missing is not the sum: it would read as a drop in power.
  const double value = fault && signal.aggregation == Aggregation::sum
                           ? kNaN
                           : aggregate(signal.aggregation, signal.scratch);
  return fault && std::isnan(value) ? Reading::missing(*fault) : Reading{value, std::nullopt};
}

/// A provider whose signals were asked for in its own order, one after the other, puts its readings
/// in their place: what every read_batch touches is kept small, for a millisecond later the caches
/// hold other things. Allocates nothing.
void Platform::Impl::lay_out(std::span<Reading> readings) noexcept {
  laid_out = true;
  fetched.clear();
  for (auto& slot : slots) slot.batch = slot.readings;
  for (std::size_t i = 0; i < directs.size();) {
    const auto [s, handle] = directs[i];
    std::size_t count = 0;  // of the provider's handles, from 0, that follow here
    if (handle == 0 && slots[s].batch.data() == slots[s].readings.data()) {
      const std::size_t all = slots[s].readings.size();
      while (count < all && i + count < directs.size() && directs[i + count].slot == s &&
             directs[i + count].handle == count) {
        ++count;
      }
      if (count < all) count = 0;
    }
    if (count > 0) {
      slots[s].batch = readings.subspan(i, count);
      i += count;
    } else {
      fetched.push_back({i, directs[i]});
      ++i;
    }
  }
}

void Platform::read_batch() noexcept {
  Impl& impl = *impl_;
  if (!impl.laid_out) impl.lay_out(readings_);
  for (auto& slot : impl.slots) {
    if (!slot.batch.empty()) slot.provider->read_batch(slot.batch);
  }
  for (const auto& [signal, from] : impl.fetched) {
    readings_[signal] = from.handle != Impl::kAggregated ? impl.slots[from.slot].batch[from.handle]
                                                         : impl.aggregated(impl.signals[signal]);
  }
  for (std::size_t i = 0; i < readings_.size(); ++i) {
    if (readings_[i].fault) ++impl.faults[i];
  }
}

std::uint64_t Platform::faults(int handle) const noexcept {
  return impl_->faults[static_cast<std::size_t>(handle)];
}

void Platform::adjust(int handle, double value) noexcept {
  const auto& control = impl_->controls[static_cast<std::size_t>(handle)];
  for (const auto& part : control.parts) {
    auto& slot = impl_->slots[part.slot];
    const auto h = static_cast<std::size_t>(part.handle);
    slot.settings[h] = slot.limits[h].snap(value * control.share);
  }
}

void Platform::forget_written(int handle) noexcept {
  for (const auto& part : impl_->controls[static_cast<std::size_t>(handle)].parts) {
    impl_->slots[part.slot].written[static_cast<std::size_t>(part.handle)] = kNaN;
  }
}

Result<void> Platform::write_batch() {
  Result<void> outcome;
  for (auto& slot : impl_->slots) {
    bool any = false;
    for (std::size_t h = 0; h < slot.settings.size(); ++h) {
      if (slot.settings[h] == slot.written[h]) slot.settings[h] = kNaN;
      any = any || !std::isnan(slot.settings[h]);
    }
    if (!any) continue;
    auto written = slot.provider->controls()->write_batch(slot.settings);
    for (std::size_t h = 0; h < slot.settings.size(); ++h) {
      // After a failure the device may hold anything: write again next time.
      if (!std::isnan(slot.settings[h])) slot.written[h] = written ? slot.settings[h] : kNaN;
      slot.settings[h] = kNaN;
    }
    if (!written && outcome) outcome = std::move(written);
  }
  return outcome;
}

Result<double> Platform::read_signal(const Request& request) {
  METE_TRY(const int handle, push_signal(request));
  read_batch();
  const Reading reading = sample(handle);
  if (reading.fault) {
    return fail(*reading.fault, "signal '{}' could not be read ({}); `mete doctor` may say why",
                report_name(request), errc_name(*reading.fault));
  }
  return reading.value;
}

Result<double> Platform::check_setting(const Request& request, double value) const {
  METE_TRY(const ControlInfo info, control_info(request.name));
  METE_TRY(const ControlLimits limits, this->limits(request));
  METE_TRY(const auto parts,
           parts_of(topology_, {info.name, request.domain, request.index}, info.domain, "control"));
  const double share =
      info.aggregation == Aggregation::sum ? value / static_cast<double>(parts.size()) : value;
  const double tolerance = info.unit == "Hz" ? kClockTolerance : 1e-9 * std::abs(share);
  const double snapped = limits.snap(share);
  if (std::isnan(share) || std::abs(snapped - share) > tolerance) {
    return fail(Errc::invalid, "control '{}': {} is not supported; {}", request.name,
                format_quantity(value, info.unit, 5), describe_supported(limits, info.unit, share));
  }
  return info.aggregation == Aggregation::sum ? value : snapped;
}

Result<void> Platform::write_control(const Request& request, double value) {
  METE_TRY(const double checked, check_setting(request, value));
  METE_TRY(const int handle, push_control(request));
  forget_written(handle);
  adjust(handle, checked);
  return write_batch();
}

Result<ControlLimits> Platform::limits(const Request& request) const {
  METE_TRY(const ControlInfo info, control_info(request.name));
  const auto found = impl_->find_control(info.name);
  METE_TRY(const auto parts,
           parts_of(topology_, {info.name, request.domain, request.index}, info.domain, "control"));
  return impl_->slots[found.slot].provider->controls()->limits(
      {info.name, info.domain, parts.front()});
}

Result<std::vector<Platform::SavedControl>> Platform::save(const Request& request) const {
  METE_TRY(const ControlInfo info, control_info(request.name));
  const auto found = impl_->find_control(info.name);
  METE_TRY(const auto parts,
           parts_of(topology_, {info.name, request.domain, request.index}, info.domain, "control"));
  const auto& provider = *impl_->slots[found.slot].provider;
  std::vector<SavedControl> out;
  for (const int part : parts) {
    const Request native{info.name, info.domain, part};
    METE_TRY(std::string setting, impl_->slots[found.slot].provider->controls()->save(native));
    out.push_back({provider.info().name, native, std::move(setting)});
  }
  return out;
}

Result<void> Platform::restore(const SavedControl& saved) {
  for (auto& slot : impl_->slots) {
    if (slot.provider->info().name != saved.provider || slot.provider->controls() == nullptr)
      continue;
    for (std::size_t h = 0; h < slot.control_requests.size(); ++h) {
      if (slot.control_requests[h] == saved.request) slot.written[h] = kNaN;
    }
    return slot.provider->controls()->restore(saved.request, saved.setting);
  }
  return fail(Errc::unavailable, "control '{}': its provider '{}' is not available now",
              report_name(saved.request), saved.provider);
}

}  // namespace mete
