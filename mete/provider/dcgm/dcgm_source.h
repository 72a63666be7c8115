// The connection to DCGM's host engine, and the last values of the activities that were pushed.
// Only the driver's thread calls DCGM; see nvml_source.h for how two threads meet.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/library.h"
#include "mete/provider/dcgm/dcgm_abi.h"
#include "mete/signal/provider.h"

namespace mete {

/// The functions of libdcgm; every version since 2 has them.
struct DcgmLibrary {
  static Result<std::shared_ptr<const DcgmLibrary>> open(const std::string& name);
  explicit DcgmLibrary(Library opened) : library(std::move(opened)) {}

  dcgm::Return (*init)() = nullptr;
  dcgm::Return (*connect)(const char* address, dcgm::Handle*) = nullptr;
  dcgm::Return (*disconnect)(dcgm::Handle) = nullptr;
  const char* (*error_string)(dcgm::Return) = nullptr;
  dcgm::Return (*devices)(dcgm::Handle, unsigned* ids, int* count) = nullptr;
  dcgm::Return (*make_fields)(dcgm::Handle, int count, const unsigned short* fields,
                              const char* name, dcgm::FieldGroup*) = nullptr;
  dcgm::Return (*drop_fields)(dcgm::Handle, dcgm::FieldGroup) = nullptr;
  dcgm::Return (*watch)(dcgm::Handle, dcgm::GpuGroup, dcgm::FieldGroup, long long microseconds,
                        double keep_seconds, int keep_samples) = nullptr;
  dcgm::Return (*unwatch)(dcgm::Handle, dcgm::GpuGroup, dcgm::FieldGroup) = nullptr;
  dcgm::Return (*update)(dcgm::Handle, int wait) = nullptr;
  dcgm::Return (*latest)(dcgm::Handle, int gpu, const unsigned short* fields, unsigned count,
                         dcgm::LatestValue* values) = nullptr;

  [[nodiscard]] std::string words(dcgm::Return status) const;

  Library library;
};

struct DcgmSignal {
  const char* name;
  const char* description;
  unsigned short field;
};
std::span<const DcgmSignal> dcgm_signals();

class DcgmSource {
 public:
  using Time = std::chrono::steady_clock;

  /// Connects, lists the GPUs and tries to have every field watched; the watches end again.
  static Result<std::shared_ptr<DcgmSource>> open(const std::string& library,
                                                  const std::string& address);
  ~DcgmSource();
  DcgmSource(const DcgmSource&) = delete;
  DcgmSource& operator=(const DcgmSource&) = delete;

  [[nodiscard]] const DcgmLibrary& library() const { return *library_; }
  /// One more than the highest number of a GPU: DCGM's numbers are NVML's, with holes.
  [[nodiscard]] int gpu_count() const { return gpu_count_; }
  [[nodiscard]] dcgm::Return tried(std::size_t row) const { return tried_[row]; }

  /// On the driver's thread: has the field watched from now on, and reads it once.
  Result<Reading> begin(std::size_t row, int gpu);
  int add(std::size_t row, int gpu, const Reading& first);
  void take(std::span<Reading> out, Nanoseconds limit) noexcept;
  Nanoseconds pass() noexcept;

 private:
  struct Slot {
    unsigned short field = 0;
    int gpu = 0;
    Reading reading;
    std::int64_t timestamp = 0;
    Time::time_point taken;  ///< when a new value was seen last
  };

  explicit DcgmSource(std::shared_ptr<const DcgmLibrary> library) : library_(std::move(library)) {}
  Result<void> find_gpus();
  dcgm::Return watch(std::size_t row);
  void unwatch(std::size_t row);
  Reading read(unsigned short field, int gpu, std::int64_t& timestamp) noexcept;

  std::shared_ptr<const DcgmLibrary> library_;
  dcgm::Handle handle_ = 0;
  bool connected_ = false;
  int gpu_count_ = 0;
  std::vector<bool> served_;  // by GPU
  std::vector<dcgm::Return> tried_;
  std::vector<dcgm::FieldGroup> groups_;  // by row
  std::vector<bool> watched_;             // by row
  dcgm::LatestValue value_{};

  std::mutex mutex_;  // guards slots_
  std::vector<Slot> slots_;
  std::vector<Slot> work_;  // the driver's thread's own
};

Errc errc_of(dcgm::Return status) noexcept;

}  // namespace mete
