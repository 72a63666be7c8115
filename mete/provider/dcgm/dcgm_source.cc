// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/dcgm/dcgm_source.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include <unistd.h>

namespace mete {
namespace {

/// The period at which GEOPM has DCGM watch, too.
constexpr Nanoseconds kPeriod = std::chrono::milliseconds(100);
constexpr double kKeepSeconds = 1;
constexpr int kKeepSamples = 100;

constexpr std::array<DcgmSignal, 8> kSignals{{
    {"GPU_ENGINE_ACTIVITY", "part of the time in which the graphics or compute engine was busy",
     dcgm::kGraphicsEngineActive},
    {"GPU_CORE_ACTIVITY", "part of the time in which a multiprocessor was busy, mean of all",
     dcgm::kSmActive},
    {"GPU_SM_OCCUPANCY", "resident warps, of the most possible", dcgm::kSmOccupancy},
    {"GPU_TENSOR_ACTIVITY", "part of the time in which the tensor pipe was busy",
     dcgm::kTensorActive},
    {"GPU_UNCORE_ACTIVITY", "part of the time in which device memory sent or received data",
     dcgm::kDramActive},
    {"GPU_FP64_ACTIVITY", "part of the time in which the FP64 pipe was busy", dcgm::kFp64Active},
    {"GPU_FP32_ACTIVITY", "part of the time in which the FP32 pipe was busy", dcgm::kFp32Active},
    {"GPU_FP16_ACTIVITY", "part of the time in which the FP16 pipe was busy", dcgm::kFp16Active},
}};

template <class Function>
bool bind(const Library& library, Function*& out, const char* name) {
  auto found = library.function<Function>(name);
  if (found) out = *found;
  return found.has_value();
}

}  // namespace

std::span<const DcgmSignal> dcgm_signals() { return kSignals; }

Errc errc_of(dcgm::Return status) noexcept {
  switch (status) {
    case dcgm::kNotSupported:
    case dcgm::kGpuNotSupported:
    case dcgm::kProfilingNotSupported:
    case dcgm::kModuleNotLoaded:
      return Errc::unsupported;
    case dcgm::kNoPermission:
    case dcgm::kRequiresRoot:
      return Errc::denied;
    case dcgm::kGpuIsLost:
    case dcgm::kConnectionNotValid:
      return Errc::gone;
    case dcgm::kTimeout:
      return Errc::unavailable;
    case dcgm::kNoData:
    case dcgm::kStaleData:
    case dcgm::kNotWatched:
      return Errc::retry;
    default:
      return Errc::failed;
  }
}

Result<std::shared_ptr<const DcgmLibrary>> DcgmLibrary::open(const std::string& name) {
  METE_TRY(Library opened, Library::open(name));
  auto out = std::make_shared<DcgmLibrary>(std::move(opened));
  const Library& lib = out->library;
  const bool whole =
      bind(lib, out->init, "dcgmInit") && bind(lib, out->connect, "dcgmConnect") &&
      bind(lib, out->disconnect, "dcgmDisconnect") && bind(lib, out->error_string, "errorString") &&
      bind(lib, out->devices, "dcgmGetAllSupportedDevices") &&
      bind(lib, out->make_fields, "dcgmFieldGroupCreate") &&
      bind(lib, out->drop_fields, "dcgmFieldGroupDestroy") &&
      bind(lib, out->watch, "dcgmWatchFields") && bind(lib, out->unwatch, "dcgmUnwatchFields") &&
      bind(lib, out->update, "dcgmUpdateAllFields") &&
      bind(lib, out->latest, "dcgmGetLatestValuesForFields");
  if (!whole)
    return fail(Errc::unavailable, "{} lacks functions of DCGM; is it libdcgm 2 or newer?", name);
  const dcgm::Return status = out->init();
  if (status != dcgm::kOk) return fail(Errc::unavailable, "DCGM says: {}", out->words(status));
  return std::shared_ptr<const DcgmLibrary>(std::move(out));
}

std::string DcgmLibrary::words(dcgm::Return status) const {
  const char* text = error_string(status);
  return text != nullptr ? std::string(text) : fmt::format("error {}", static_cast<int>(status));
}

Result<std::shared_ptr<DcgmSource>> DcgmSource::open(const std::string& library,
                                                     const std::string& address) {
  METE_TRY(auto opened, DcgmLibrary::open(library));
  std::shared_ptr<DcgmSource> source(new DcgmSource(std::move(opened)));
  METE_TRY_VOID([&]() -> Result<void> {
    const dcgm::Return status = source->library_->connect(address.c_str(), &source->handle_);
    if (status != dcgm::kOk) {
      return fail(Errc::unavailable, "no host engine of DCGM answers at {} ({})", address,
                  source->library_->words(status));
    }
    source->connected_ = true;
    return source->find_gpus();
  }());
  return source;
}

DcgmSource::~DcgmSource() {
  if (!connected_) return;
  for (std::size_t row = 0; row < watched_.size(); ++row) unwatch(row);
  library_->disconnect(handle_);
}

Result<void> DcgmSource::find_gpus() {
  std::array<unsigned, dcgm::kMostDevices> ids{};
  int count = 0;
  const dcgm::Return status = library_->devices(handle_, ids.data(), &count);
  if (status != dcgm::kOk) return fail(Errc::unavailable, "DCGM says: {}", library_->words(status));
  for (int i = 0; i < std::min(count, dcgm::kMostDevices); ++i) {
    const unsigned id = ids[static_cast<std::size_t>(i)];
    if (id >= 1024) continue;
    if (id >= served_.size()) served_.resize(id + 1);
    served_[id] = true;
  }
  if (served_.empty())
    return fail(Errc::unavailable, "DCGM is there, but serves no GPU of this machine");
  gpu_count_ = static_cast<int>(served_.size());
  groups_.resize(kSignals.size());
  watched_.resize(kSignals.size());
  for (std::size_t row = 0; row < kSignals.size(); ++row) {
    tried_.push_back(watch(row));
    unwatch(row);  // counters that nobody reads still slow the GPU's other users
  }
  return {};
}

dcgm::Return DcgmSource::watch(std::size_t row) {
  if (watched_[row]) return dcgm::kOk;
  // A group for each field: one that a GPU lacks does not take the others along.
  // Names are the host engine's, for all its users.
  const std::string name = fmt::format("mete_{}_{}_{:x}", kSignals[row].field, ::getpid(), handle_);
  dcgm::Return status =
      library_->make_fields(handle_, 1, &kSignals[row].field, name.c_str(), &groups_[row]);
  if (status != dcgm::kOk) return status;
  const auto period = std::chrono::duration_cast<std::chrono::microseconds>(kPeriod).count();
  status =
      library_->watch(handle_, dcgm::kAllGpus, groups_[row], period, kKeepSeconds, kKeepSamples);
  watched_[row] = status == dcgm::kOk;
  if (!watched_[row]) library_->drop_fields(handle_, groups_[row]);
  return status;
}

void DcgmSource::unwatch(std::size_t row) {
  if (!watched_[row]) return;
  library_->unwatch(handle_, dcgm::kAllGpus, groups_[row]);
  library_->drop_fields(handle_, groups_[row]);
  watched_[row] = false;
}

Reading DcgmSource::read(unsigned short field, int gpu, std::int64_t& timestamp) noexcept {
  value_ = {};
  const dcgm::Return status = library_->latest(handle_, gpu, &field, 1, &value_);
  if (status != dcgm::kOk) return Reading::missing(errc_of(status));
  if (value_.status != dcgm::kOk)
    return Reading::missing(errc_of(static_cast<dcgm::Return>(value_.status)));
  const double value = value_.value.real;
  if (value_.type != 'd' || !std::isfinite(value)) return Reading::missing(Errc::failed);
  if (value >= dcgm::kBlank) {
    if (value == dcgm::kBlank + 2) return Reading::missing(Errc::unsupported);
    return Reading::missing(value == dcgm::kBlank + 3 ? Errc::denied : Errc::retry);
  }
  timestamp = value_.timestamp;
  // Counters of several passes may give a hair more than the whole.
  return value < -0.01 || value > 1.01 ? Reading::missing(Errc::failed)
                                       : Reading{std::clamp(value, 0.0, 1.0), std::nullopt};
}

Result<Reading> DcgmSource::begin(std::size_t row, int gpu) {
  const char* name = kSignals[row].name;
  if (!served_[static_cast<std::size_t>(gpu)])
    return fail(Errc::unsupported, "{}: gpu {}: DCGM does not serve this GPU", name, gpu);
  const dcgm::Return status = watch(row);
  if (status != dcgm::kOk) {
    return fail(errc_of(status), "{}: gpu {}: DCGM says: {}", name, gpu, library_->words(status));
  }
  library_->update(handle_, 1);
  std::int64_t timestamp = 0;
  const Reading reading = read(kSignals[row].field, gpu, timestamp);
  // The first value takes a period or two.
  if (reading.fault && *reading.fault != Errc::retry)
    return fail(*reading.fault, "{}: gpu {}: DCGM has no value ({})", name, gpu,
                errc_name(*reading.fault));
  return reading;
}

int DcgmSource::add(std::size_t row, int gpu, const Reading& first) {
  const std::lock_guard lock(mutex_);
  slots_.push_back({kSignals[row].field, gpu, first, 0, Time::now()});
  return static_cast<int>(slots_.size()) - 1;
}

void DcgmSource::take(std::span<Reading> out, Nanoseconds limit) noexcept {
  const auto now = Time::now();
  const std::lock_guard lock(mutex_);
  for (std::size_t h = 0; h < std::min(out.size(), slots_.size()); ++h) {
    const bool old = now - slots_[h].taken > 2 * kPeriod + limit;
    out[h] =
        old && !(slots_[h].reading.fault) ? Reading::missing(Errc::unavailable) : slots_[h].reading;
  }
}

Nanoseconds DcgmSource::pass() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = work_.size(); i < slots_.size(); ++i) work_.push_back(slots_[i]);
  } catch (const std::exception&) {
    return kPeriod;
  }
  for (Slot& slot : work_) {
    std::int64_t timestamp = slot.timestamp;
    slot.reading = read(slot.field, slot.gpu, timestamp);
    // A host engine that stopped watching goes on handing out its last value.
    if (timestamp != slot.timestamp) slot.taken = Time::now();
    slot.timestamp = timestamp;
  }
  const std::lock_guard lock(mutex_);
  std::copy(work_.begin(), work_.end(), slots_.begin());
  return kPeriod;
}

}  // namespace mete
