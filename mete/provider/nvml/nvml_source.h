// What the nvml provider reads from: the GPUs, and the last values of what was pushed.
//
// Two threads meet here. The driver's thread alone calls NVML; the session's thread takes what was
// read last, under a lock that is never held during a call of NVML. Held by both through shared
// pointers, so that a driver's thread that is stuck can be left behind.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <mutex>
#include <span>
#include <vector>

#include "mete/provider/nvml/nvml_gpu.h"
#include "mete/provider/nvml/nvml_processes.h"

namespace mete {

class NvmlSource {
 public:
  using Time = std::chrono::steady_clock;

  /// On the driver's thread: opens the library and looks at every GPU and every signal of the
  /// table.
  static Result<std::shared_ptr<NvmlSource>> open(const std::string& library);

  [[nodiscard]] const NvmlLibrary& library() const { return *library_; }
  [[nodiscard]] std::vector<NvmlGpu>& gpus() { return gpus_; }
  /// NVML's answer when signal `row` of the table was tried on a GPU at first.
  [[nodiscard]] nvml::Return tried(std::size_t row, std::size_t gpu) const {
    return tried_[row][gpu];
  }

  /// Adds a signal to what is read from now on; `first` is its first reading. Handles are dense.
  int add(const NvmlSignal& signal, std::size_t gpu, const Reading& first);
  /// The last readings; those that are older than `limit` are faults. Takes no memory.
  void take(std::span<Reading> out, Nanoseconds limit) noexcept;
  /// On the driver's thread: reads what is due (all, if asked) and says how long to wait then.
  Nanoseconds pass(bool asked) noexcept;

  /// From now on. `will_ask`: every reading is asked for, from the first one on.
  void watch_processes(bool will_ask) noexcept;
  /// False if the last answers are older than `limit` or a GPU did not answer.
  bool take_processes(std::vector<DeviceProcess>& out, Nanoseconds limit) noexcept;

 private:
  struct Slot {
    NvmlValue value = NvmlValue::power;
    std::size_t gpu = 0;
    Nanoseconds period{0};  ///< 0: a constant
    Reading reading;
    Time::time_point taken;
    Time::time_point due;
  };

  explicit NvmlSource(std::shared_ptr<const NvmlLibrary> library) : library_(std::move(library)) {}
  Result<void> find_gpus();
  /// If it is time, or asked for; tells when it is next.
  Time::time_point read_processes(Time::time_point now, bool asked) noexcept;

  std::shared_ptr<const NvmlLibrary> library_;
  std::vector<NvmlGpu> gpus_;
  std::vector<NvmlProcesses> processes_;
  std::vector<std::vector<nvml::Return>> tried_;

  std::mutex mutex_;  // guards what follows
  std::vector<Slot> slots_;
  Time::time_point last_read_;
  Nanoseconds read_gap_{0};  ///< between the last two reads
  bool processes_wanted_ = false;
  Time::time_point processes_due_;  ///< the thread's own next reading
  bool processes_complete_ = false;
  Time::time_point processes_taken_;
  std::vector<DeviceProcess> processes_read_;

  // The driver's thread's own.
  std::vector<Slot> work_;
  std::vector<DeviceProcess> processes_work_;
};

/// A NvmlAnswer as a Reading.
Reading reading_of(const NvmlAnswer& answer) noexcept;

}  // namespace mete
