// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_controls.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "mete/base/text.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMega = 1e6;
constexpr double kPerMilliwatt = 1e3;
constexpr const char* kUnlocked = "unlocked";

unsigned whole(double value) { return static_cast<unsigned>(std::llround(value)); }

}  // namespace

NvmlControls::NvmlControls(DriverThread& thread, std::shared_ptr<NvmlSource> source,
                           const ProviderInfo& info, Nanoseconds patience)
    : thread_(thread),
      source_(std::move(source)),
      info_(info),
      patience_(patience),
      ranges_(source_->gpus().size(), Range{kNaN, kNaN, false, false}) {}

Result<NvmlControls::Handle> NvmlControls::find(const Request& request) const {
  METE_TRY([[maybe_unused]] const std::size_t row,
           find_control(info_, request, static_cast<int>(source_->gpus().size())));
  Handle handle{Kind::power, static_cast<std::size_t>(request.index)};
  if (request.name == kGpuMinClockControl) handle.kind = Kind::min_clock;
  if (request.name == kGpuMaxClockControl) handle.kind = Kind::max_clock;
  const NvmlGpu& device = gpu(handle);
  const bool there =
      handle.kind == Kind::power ? device.highest_limit() > 0 : !device.clocks().empty();
  if (!there) {
    return fail(Errc::unsupported, "{}: gpu {} ({}) does not let it be set", request.name,
                request.index, device.name());
  }
  return handle;
}

Result<void> NvmlControls::call(const Request& request, std::size_t gpu, const Call& what) const {
  // Held by the work too: it may end after we stopped waiting.
  const auto status = std::make_shared<nvml::Return>(nvml::kSuccess);
  const bool done = thread_.run(
      [status, what, gpu, source = source_] {
        *status = what(source->library(), source->gpus()[gpu].device());
      },
      patience_);
  if (!done) {
    return fail(Errc::unavailable,
                "{}: gpu {}: the NVIDIA driver does not answer; does nvidia-smi?", request.name,
                gpu);
  }
  if (*status == nvml::kSuccess) return {};
  if (*status == nvml::kNoPermission) {
    return fail(Errc::denied,
                "{}: gpu {}: the NVIDIA driver lets root alone set it; run mete with sudo, or in a "
                "container with the capability SYS_ADMIN",
                request.name, gpu);
  }
  return fail(errc_of(*status), "{}: gpu {}: the NVIDIA driver says: {}", request.name, gpu,
              source_->library().words(*status));
}

Result<void> NvmlControls::must_answer(const Request& request, std::size_t gpu) const {
  return call(request, gpu, [source = source_, gpu](const NvmlLibrary&, nvml::Device) {
    return source->gpus()[gpu].alive();
  });
}

Result<ControlLimits> NvmlControls::limits(const Request& request) const {
  METE_TRY(const Handle handle, find(request));
  const NvmlGpu& device = gpu(handle);
  if (handle.kind == Kind::power)
    return ControlLimits{device.lowest_limit(), device.highest_limit(), {}};
  const auto& clocks = device.clocks();
  return ControlLimits{clocks.front(), clocks.back(), clocks};
}

Result<int> NvmlControls::push(const Request& request) {
  METE_TRY(const Handle handle, find(request));
  METE_TRY_VOID(must_answer(request, handle.gpu));
  handles_.push_back(handle);
  return static_cast<int>(handles_.size()) - 1;
}

Result<void> NvmlControls::lock_clocks(std::size_t gpu, std::optional<double> min,
                                       std::optional<double> max) {
  const Request request{max ? kGpuMaxClockControl : kGpuMinClockControl, Domain::gpu,
                        static_cast<int>(gpu)};
  if (min && max && *min > *max) {
    return fail(Errc::invalid, "gpu {}: {} of {} is above {} of {}: expected minimum <= maximum",
                gpu, kGpuMinClockControl, format_quantity(*min, "Hz"), kGpuMaxClockControl,
                format_quantity(*max, "Hz"));
  }
  const auto& clocks = source_->gpus()[gpu].clocks();
  Range wanted = ranges_[gpu];
  if (std::isnan(wanted.min)) wanted.min = clocks.front();
  if (std::isnan(wanted.max)) wanted.max = clocks.back();
  // An end that passes the other takes it along, as with CPU frequencies.
  if (max) {
    wanted.max = *max;
    wanted.min = std::min(wanted.min, *max);
  }
  if (min) {
    wanted.min = *min;
    wanted.max = std::max(wanted.max, *min);
  }
  METE_TRY_VOID(call(request, gpu,
                     [low = whole(wanted.min / kMega), high = whole(wanted.max / kMega)](
                         const NvmlLibrary& library, nvml::Device device) {
                       return library.lock_clocks(device, low, high);
                     }));
  wanted.changed = true;
  ranges_[gpu] = wanted;
  return {};
}

Result<void> NvmlControls::set_limit(std::size_t gpu, double watts) {
  METE_TRY_VOID(call(
      {kGpuPowerLimitControl, Domain::gpu, static_cast<int>(gpu)}, gpu,
      [milliwatts = whole(watts * kPerMilliwatt)](const NvmlLibrary& library, nvml::Device device) {
        return library.set_power_limit(device, milliwatts);
      }));
  ranges_[gpu].limit_changed = true;
  return {};
}

Result<void> NvmlControls::write_batch(std::span<const double> values) {
  struct Wanted {
    std::optional<double> min;
    std::optional<double> max;
    std::optional<double> power;
  };
  // Both ends of a GPU's clocks are gathered first: NVML sets them in one call.
  std::map<std::size_t, Wanted> wanted;
  for (std::size_t h = 0; h < std::min(values.size(), handles_.size()); ++h) {
    if (std::isnan(values[h])) continue;
    Wanted& w = wanted[handles_[h].gpu];
    auto& place = handles_[h].kind == Kind::power       ? w.power
                  : handles_[h].kind == Kind::min_clock ? w.min
                                                        : w.max;
    place = values[h];
  }
  Result<void> outcome;
  const auto keep_first = [&outcome](Result<void> result) {
    if (!result && outcome) outcome = std::move(result);
  };
  for (const auto& [gpu, w] : wanted) {
    if (w.min || w.max) keep_first(lock_clocks(gpu, w.min, w.max));
    if (w.power) keep_first(set_limit(gpu, *w.power));
  }
  return outcome;
}

Result<std::string> NvmlControls::save(const Request& request) const {
  METE_TRY(const Handle handle, find(request));
  if (handle.kind != Kind::power) {
    METE_TRY_VOID(must_answer(request, handle.gpu));
    return std::string(kUnlocked);
  }
  const auto limit = std::make_shared<unsigned>(0);
  METE_TRY_VOID(call(request, handle.gpu, [limit](const NvmlLibrary& library, nvml::Device device) {
    return library.power_limit(device, limit.get());
  }));
  return fmt::format("{} mW", *limit);
}

Result<void> NvmlControls::restore(const Request& request, const std::string& saved) {
  METE_TRY(const Handle handle, find(request));
  Range& range = ranges_[handle.gpu];
  Result<void> done;
  bool& changed = handle.kind == Kind::power ? range.limit_changed : range.changed;
  if (handle.kind == Kind::power) {
    const auto words = split(saved, ' ');
    const auto milliwatts = words.size() == 2 ? parse_int(words[0]) : std::nullopt;
    const NvmlGpu& device = gpu(handle);
    if (!milliwatts || words[1] != "mW" || *milliwatts <= 0 ||
        static_cast<double>(*milliwatts) > 2 * device.highest_limit() * kPerMilliwatt) {
      return fail(Errc::invalid, "{} gpu {}: cannot restore '{}': expected '<milliwatts> mW'",
                  request.name, request.index, saved);
    }
    done = set_limit(handle.gpu, static_cast<double>(*milliwatts) / kPerMilliwatt);
  } else {
    if (saved != kUnlocked) {
      return fail(Errc::invalid, "{} gpu {}: cannot restore '{}': expected '{}'", request.name,
                  request.index, saved, kUnlocked);
    }
    done = call(request, handle.gpu, [](const NvmlLibrary& library, nvml::Device device) {
      return library.unlock_clocks(device);
    });
  }
  // Who may not set it has not changed it: there is nothing to give back.
  const bool was_ours = std::exchange(changed, changed && !done);
  if (!done && done.error().code == Errc::denied && !was_ours && !handles_.empty()) return {};
  if (done && handle.kind != Kind::power) range.min = range.max = kNaN;
  return done;
}

}  // namespace mete
