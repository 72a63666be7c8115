// The machine that the fake libnvidia-ml plays, and the script that it follows (fake_nvml.h tells
// its words). SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "mete/provider/nvml/nvml_abi.h"

namespace fake_nvml {

using namespace mete::nvml;
using Lock = std::unique_lock<std::mutex>;

inline constexpr std::size_t kSamplesKept = 120;

struct Process {
  unsigned pid;
  unsigned long long bytes;
  unsigned sm;
};

struct Gpu {
  double watts = 100;
  unsigned clock = 1200;
  unsigned utilization = 40;
  unsigned long long memory = 2ULL << 30U;
  unsigned temperature = 45;
  double counter = 1;
  bool samples = true;
  bool mig = false;
  bool lost = false;
  double joules = 1000;
  double counted = 1000;
  unsigned limit = 300000;
  bool locked = false;
  unsigned lock_min = 0;
  unsigned lock_max = 0;
  std::deque<Sample> ring;
  std::vector<Process> processes;
};

struct Fault {
  std::string function;
  int gpu;  // -1: any
  unsigned long from;
  unsigned long to;
  Return code;
  bool hang;
};

struct Machine {
  std::mutex mutex;
  std::condition_variable released;
  bool scripted = false;
  bool release = false;
  bool unplugged = false;
  bool root = true;
  bool manual = false;
  long long now = 1'700'000'000'000'000;  // µs since 1970
  std::chrono::steady_clock::time_point real = std::chrono::steady_clock::now();
  std::vector<Gpu> gpus;
  std::vector<Fault> faults;
  std::map<std::string, long> delays;
  std::map<std::string, unsigned long> calls;                         // by function
  std::map<std::pair<std::string, int>, unsigned long> calls_of_gpu;  // and by GPU
};

Machine& machine();
void pass_time(Machine& m, long long microseconds);
/// 0, or the place of the order that is not understood.
int run_script(Machine& m, const char* script);
int index_of(Device device);
/// What every function does first: counts the call, lets time pass, fails or hangs as scripted.
Return enter(Lock& lock, const char* function, Device device = nullptr);

inline Gpu& of(Device device) { return machine().gpus[static_cast<std::size_t>(index_of(device))]; }

inline unsigned clock_of(const Gpu& gpu) {
  return gpu.locked ? std::clamp(gpu.clock, gpu.lock_min, gpu.lock_max) : gpu.clock;
}

/// NVML's way to hand out a list: too little room is an answer that says how much it needs.
template <class Item>
Return hand_out(const std::vector<Item>& items, unsigned* count, Item* out) {
  const unsigned room = *count;
  *count = static_cast<unsigned>(items.size());
  if (out == nullptr || room < items.size()) return items.empty() ? kSuccess : kInsufficientSize;
  std::copy(items.begin(), items.end(), out);
  return kSuccess;
}

template <class Info>
Return hand_out_processes(Device device, unsigned* count, Info* out) {
  std::vector<Info> list;
  for (const Process& process : of(device).processes) {
    Info info{};
    info.pid = process.pid;
    info.used_memory = process.bytes;
    list.push_back(info);
  }
  return hand_out(list, count, out);
}

}  // namespace fake_nvml
