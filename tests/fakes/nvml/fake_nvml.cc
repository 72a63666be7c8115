// A libnvidia-ml that plays a machine: see fake_nvml.h for its script. With FAKE_NVML_OLD defined
// it is the library of an old driver, which lacks what came later. SPDX-License-Identifier:
// BSD-3-Clause
#include "tests/fakes/nvml/fake_nvml.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mete/provider/nvml/nvml_abi.h"

namespace {

using namespace mete::nvml;
using Lock = std::unique_lock<std::mutex>;

constexpr long long kSampleStep = 20000;    // µs between power samples
constexpr long long kProcessStep = 100000;  // µs between utilisation samples
constexpr std::size_t kSamplesKept = 120;
constexpr long long kBegin = 1'700'000'000'000'000;  // µs since 1970 when a script begins
constexpr unsigned kLowestClock = 210;
constexpr unsigned kHighestClock = 1410;
constexpr unsigned kClockStep = 15;
constexpr unsigned kMemoryClock = 1215;
constexpr unsigned kIdleMemoryClock = 405;

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
  long long now = kBegin;
  std::chrono::steady_clock::time_point real = std::chrono::steady_clock::now();
  std::vector<Gpu> gpus;
  std::vector<Fault> faults;
  std::map<std::string, long> delays;
  std::map<std::string, unsigned long> calls;                         // by function
  std::map<std::pair<std::string, int>, unsigned long> calls_of_gpu;  // and by GPU
};

Machine& machine() {
  static Machine* const one = new Machine;  // never destroyed: calls may hang at the end
  return *one;
}

void make_gpus(Machine& m, std::size_t count) {
  m.gpus.assign(count, Gpu{});
  for (std::size_t i = 0; i < count; ++i) m.gpus[i].watts = 100 + 50 * static_cast<double>(i);
  m.faults.clear();
  m.delays.clear();
  m.calls.clear();
  m.calls_of_gpu.clear();
  m.unplugged = false;
  m.root = true;
  m.release = false;
}

void pass_time(Machine& m, long long microseconds) {
  const long long end = m.now + microseconds;
  while (m.now < end) {
    const long long mark = (m.now / kSampleStep + 1) * kSampleStep;
    const long long step = std::min(end, mark) - m.now;
    m.now += step;
    for (Gpu& gpu : m.gpus) {
      const double joules = gpu.watts * static_cast<double>(step) * 1e-6;
      gpu.joules += joules;
      gpu.counted += joules * gpu.counter;
      if (m.now != mark) continue;
      Sample sample{};
      sample.timestamp = static_cast<unsigned long long>(m.now);
      sample.value.unsigned_int = static_cast<unsigned>(gpu.watts * 1000);
      gpu.ring.push_back(sample);
      if (gpu.ring.size() > kSamplesKept) gpu.ring.pop_front();
    }
  }
}

std::vector<std::string> split(const std::string& text, const char* at) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (std::strchr(at, c) != nullptr) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

double number(const std::vector<std::string>& words, std::size_t i) {
  return i < words.size() ? std::atof(words[i].c_str()) : 0;
}

bool order_fault(Machine& m, const std::string& name, const std::vector<std::string>& words) {
  if (words.size() < 3) return false;
  const auto from = static_cast<unsigned long>(number(words, 2));
  Fault fault{words[0],
              words[1] == "*" ? -1 : std::atoi(words[1].c_str()),
              from,
              name == "fail_once" ? from : ~0UL,
              static_cast<Return>(static_cast<unsigned>(number(words, 3))),
              name == "hang"};
  m.faults.push_back(fault);
  return true;
}

bool order_gpu(Gpu& gpu, const std::string& name, const std::vector<std::string>& words) {
  const double value = number(words, 1);
  const auto small = static_cast<unsigned>(value);
  if (name == "power") {
    gpu.watts = value;
  } else if (name == "clock") {
    gpu.clock = small;
  } else if (name == "utilization") {
    gpu.utilization = small;
  } else if (name == "memory") {
    gpu.memory = static_cast<unsigned long long>(value) << 20U;
  } else if (name == "temperature") {
    gpu.temperature = small;
  } else if (name == "counter") {
    gpu.counter = value;
  } else if (name == "no_samples") {
    gpu.samples = false;
  } else if (name == "mig") {
    gpu.mig = true;
  } else if (name == "lose") {
    gpu.lost = true;
  } else if (name == "process") {
    gpu.processes.push_back({small, static_cast<unsigned long long>(number(words, 2)) << 20U,
                             static_cast<unsigned>(number(words, 3))});
  } else {
    return false;
  }
  return true;
}

bool order(Machine& m, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const auto words =
      split(equals == std::string::npos ? std::string() : text.substr(equals + 1), ",");
  if (name == "gpus") {
    make_gpus(m, static_cast<std::size_t>(number(words, 0)));
  } else if (name == "time") {
    m.manual = words[0] == "manual";
  } else if (name == "root") {
    m.root = number(words, 0) != 0;
  } else if (name == "unplug") {
    m.unplugged = true;
  } else if (name == "delay") {
    m.delays[words[0]] = static_cast<long>(number(words, 1));
  } else if (name == "fail" || name == "fail_once" || name == "hang") {
    return order_fault(m, name, words);
  } else {
    const auto g = static_cast<std::size_t>(number(words, 0));
    return g < m.gpus.size() && order_gpu(m.gpus[g], name, words);
  }
  return true;
}

int run_script(Machine& m, const char* script) {
  m.scripted = true;
  int at = 0;
  for (const auto& text : split(script, ";\n")) {
    ++at;
    if (!text.empty() && !order(m, text)) return at;
  }
  return 0;
}

void begin(Machine& m) {
  if (m.scripted) return;
  make_gpus(m, 2);
  m.scripted = true;
  if (const char* script = std::getenv("METE_FAKE_NVML")) {
    const int wrong = run_script(m, script);
    if (wrong != 0) std::fprintf(stderr, "METE_FAKE_NVML: order %d is not understood\n", wrong);
  }
}

int index_of(Device device) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(device)) - 1;
}

/// What every function does first: counts the call, lets time pass, fails or hangs as scripted.
Return enter(Lock& lock, const char* function, Device device = nullptr) {
  Machine& m = machine();
  lock = Lock(m.mutex);
  begin(m);
  const int gpu = device == nullptr ? -1 : index_of(device);
  const unsigned long any = ++m.calls[function];
  const unsigned long own = ++m.calls_of_gpu[{function, gpu}];
  const auto real = std::chrono::steady_clock::now();
  if (!m.manual)
    pass_time(m, std::chrono::duration_cast<std::chrono::microseconds>(real - m.real).count());
  m.real = real;
  const auto delay = m.delays.find(function);
  if (delay != m.delays.end()) {
    const std::chrono::microseconds time(delay->second);
    lock.unlock();
    std::this_thread::sleep_for(time);
    lock.lock();
  }
  for (const Fault& fault : m.faults) {
    const unsigned long n = fault.gpu < 0 ? any : own;
    if (fault.function != function || (fault.gpu >= 0 && fault.gpu != gpu) || n < fault.from ||
        n > fault.to)
      continue;
    if (!fault.hang) return fault.code;
    m.released.wait(lock, [&m] { return m.release; });
    return kTimeout;
  }
  if (m.unplugged) return device == nullptr ? kDriverNotLoaded : kGpuIsLost;
  if (device == nullptr) return kSuccess;
  if (gpu < 0 || static_cast<std::size_t>(gpu) >= m.gpus.size()) return kInvalidArgument;
  return m.gpus[static_cast<std::size_t>(gpu)].lost ? kGpuIsLost : kSuccess;
}

Gpu& of(Device device) { return machine().gpus[static_cast<std::size_t>(index_of(device))]; }

unsigned clock_of(const Gpu& gpu) {
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

}  // namespace

// Every function: lock, count, fail as told, else answer.
#define FAKE_ENTER(name, ...)                              \
  Lock lock;                                               \
  const Return entered = enter(lock, name, ##__VA_ARGS__); \
  if (entered != kSuccess) return entered

extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-declarations"

int fake_nvml_script(const char* script) {
  const Lock lock(machine().mutex);
  return run_script(machine(), script);
}
void fake_nvml_advance(long long microseconds) {
  const Lock lock(machine().mutex);
  pass_time(machine(), microseconds);
}
unsigned long fake_nvml_calls(const char* function) {
  const Lock lock(machine().mutex);
  return machine().calls[function];
}
void fake_nvml_release() {
  const Lock lock(machine().mutex);
  machine().release = true;
  machine().released.notify_all();
}
int fake_nvml_locked(unsigned gpu, unsigned* min, unsigned* max) {
  const Lock lock(machine().mutex);
  const Gpu& one = machine().gpus.at(gpu);
  *min = one.lock_min;
  *max = one.lock_max;
  return one.locked ? 1 : 0;
}
unsigned fake_nvml_limit(unsigned gpu) {
  const Lock lock(machine().mutex);
  return machine().gpus.at(gpu).limit;
}

Return nvmlInit_v2() {
  FAKE_ENTER("nvmlInit_v2");
  return kSuccess;
}
Return nvmlShutdown() {
  FAKE_ENTER("nvmlShutdown");
  return kSuccess;
}
const char* nvmlErrorString(Return status) {
  switch (status) {
    case kSuccess:
      return "Success";
    case kNotSupported:
      return "Not Supported";
    case kNoPermission:
      return "Insufficient Permissions";
    case kDriverNotLoaded:
      return "Driver Not Loaded";
    case kGpuIsLost:
      return "GPU is lost";
    default:
      return "Unknown Error";
  }
}
Return nvmlDeviceGetCount_v2(unsigned* count) {
  FAKE_ENTER("nvmlDeviceGetCount_v2");
  *count = static_cast<unsigned>(machine().gpus.size());
  return kSuccess;
}
Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  FAKE_ENTER("nvmlDeviceGetHandleByIndex_v2");
  if (index >= machine().gpus.size()) return kInvalidArgument;
  *device = reinterpret_cast<Device>(static_cast<std::uintptr_t>(index) + 1);
  return kSuccess;
}
Return nvmlDeviceGetName(Device device, char* name, unsigned length) {
  FAKE_ENTER("nvmlDeviceGetName", device);
  std::snprintf(name, length, "Fake GPU %d", index_of(device));
  return kSuccess;
}
Return nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  FAKE_ENTER("nvmlDeviceGetPowerUsage", device);
  *milliwatts = static_cast<unsigned>(of(device).watts * 1000);
  return kSuccess;
}
Return nvmlDeviceGetClockInfo(Device device, ClockType type, unsigned* megahertz) {
  FAKE_ENTER("nvmlDeviceGetClockInfo", device);
  *megahertz = type == kClockMemory ? kMemoryClock : clock_of(of(device));
  return kSuccess;
}
Return nvmlDeviceGetUtilizationRates(Device device, Utilization* utilization) {
  FAKE_ENTER("nvmlDeviceGetUtilizationRates", device);
  if (of(device).mig) return kNotSupported;
  *utilization = {of(device).utilization, of(device).utilization / 2};
  return kSuccess;
}
Return nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
  FAKE_ENTER("nvmlDeviceGetMemoryInfo", device);
  const unsigned long long total = 40ULL << 30U;
  *memory = {total, total - of(device).memory, of(device).memory};
  return kSuccess;
}
Return nvmlDeviceGetTemperature(Device device, TemperatureSensor, unsigned* celsius) {
  FAKE_ENTER("nvmlDeviceGetTemperature", device);
  *celsius = of(device).temperature;
  return kSuccess;
}
Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  FAKE_ENTER("nvmlDeviceGetCurrentClocksThrottleReasons", device);
  *reasons = of(device).locked ? 0x2 : 0;
  return kSuccess;
}
Return nvmlDeviceGetSupportedMemoryClocks(Device device, unsigned* count, unsigned* megahertz) {
  FAKE_ENTER("nvmlDeviceGetSupportedMemoryClocks", device);
  return hand_out<unsigned>({kMemoryClock, kIdleMemoryClock}, count, megahertz);
}
Return nvmlDeviceGetSupportedGraphicsClocks(Device device, unsigned memory, unsigned* count,
                                            unsigned* megahertz) {
  FAKE_ENTER("nvmlDeviceGetSupportedGraphicsClocks", device);
  std::vector<unsigned> clocks;
  const unsigned top = memory == kMemoryClock ? kHighestClock : kLowestClock;
  for (unsigned mhz = top; mhz >= kLowestClock; mhz -= kClockStep) clocks.push_back(mhz);
  return hand_out(clocks, count, megahertz);
}
Return nvmlDeviceGetPowerManagementLimit(Device device, unsigned* milliwatts) {
  FAKE_ENTER("nvmlDeviceGetPowerManagementLimit", device);
  *milliwatts = of(device).limit;
  return kSuccess;
}
Return nvmlDeviceGetPowerManagementLimitConstraints(Device device, unsigned* min, unsigned* max) {
  FAKE_ENTER("nvmlDeviceGetPowerManagementLimitConstraints", device);
  *min = 100000;
  *max = 400000;
  return kSuccess;
}
Return nvmlDeviceSetPowerManagementLimit(Device device, unsigned milliwatts) {
  FAKE_ENTER("nvmlDeviceSetPowerManagementLimit", device);
  if (!machine().root) return kNoPermission;
  if (milliwatts < 100000 || milliwatts > 400000) return kInvalidArgument;
  of(device).limit = milliwatts;
  return kSuccess;
}

#ifdef FAKE_NVML_OLD
Return nvmlDeviceGetComputeRunningProcesses(Device device, unsigned* count, ProcessInfo1* out) {
  FAKE_ENTER("nvmlDeviceGetComputeRunningProcesses", device);
  return hand_out_processes(device, count, out);
}
#else
Return nvmlDeviceGetArchitecture(Device device, Architecture* architecture) {
  FAKE_ENTER("nvmlDeviceGetArchitecture", device);
  *architecture = kArchAmpere;
  return kSuccess;
}
Return nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
  FAKE_ENTER("nvmlDeviceGetMigMode", device);
  *current = *pending = of(device).mig ? kMigEnabled : 0;
  return kSuccess;
}
Return nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  FAKE_ENTER("nvmlDeviceGetTotalEnergyConsumption", device);
  *millijoules = static_cast<unsigned long long>(of(device).counted * 1000);
  return kSuccess;
}
Return nvmlDeviceGetFieldValues(Device device, int count, FieldValue* values) {
  FAKE_ENTER("nvmlDeviceGetFieldValues", device);
  for (int i = 0; i < count; ++i) {
    const bool known =
        values[i].field == kFieldPowerAverage || values[i].field == kFieldPowerInstant;
    values[i].status = known ? kSuccess : kInvalidArgument;
    values[i].type = kUnsignedInt;
    values[i].value.unsigned_int = static_cast<unsigned>(of(device).watts * 1000);
    values[i].timestamp = machine().now;
  }
  return kSuccess;
}
Return nvmlDeviceGetSamples(Device device, SamplingType type, unsigned long long last_seen,
                            ValueType* value_type, unsigned* count, Sample* out) {
  FAKE_ENTER("nvmlDeviceGetSamples", device);
  if (type != kTotalPowerSamples || !of(device).samples) return kNotSupported;
  *value_type = kUnsignedInt;
  if (out == nullptr) {
    *count = kSamplesKept;
    return kSuccess;
  }
  std::vector<Sample> fresh;
  for (const Sample& sample : of(device).ring) {
    if (sample.timestamp > last_seen) fresh.push_back(sample);
  }
  return fresh.empty() ? kNotFound : hand_out(fresh, count, out);
}
Return nvmlDeviceGetMemoryInfo_v2(Device device, Memory2* memory) {
  FAKE_ENTER("nvmlDeviceGetMemoryInfo_v2", device);
  if (memory->version != kMemory2Version) return kInvalidArgument;
  const unsigned long long total = 40ULL << 30U;
  const unsigned long long reserved = 600ULL << 20U;
  *memory = {memory->version, total, reserved, total - reserved - of(device).memory,
             of(device).memory};
  return kSuccess;
}
Return nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons) {
  FAKE_ENTER("nvmlDeviceGetCurrentClocksEventReasons", device);
  *reasons = of(device).locked ? 0x2 : 0;
  return kSuccess;
}
Return nvmlDeviceSetGpuLockedClocks(Device device, unsigned min, unsigned max) {
  FAKE_ENTER("nvmlDeviceSetGpuLockedClocks", device);
  if (!machine().root) return kNoPermission;
  if (min > max || min < kLowestClock || max > kHighestClock) return kInvalidArgument;
  of(device).locked = true;
  of(device).lock_min = min;
  of(device).lock_max = max;
  return kSuccess;
}
Return nvmlDeviceResetGpuLockedClocks(Device device) {
  FAKE_ENTER("nvmlDeviceResetGpuLockedClocks", device);
  if (!machine().root) return kNoPermission;
  of(device).locked = false;
  return kSuccess;
}
Return nvmlDeviceGetComputeRunningProcesses_v2(Device device, unsigned* count, ProcessInfo2* out) {
  FAKE_ENTER("nvmlDeviceGetComputeRunningProcesses_v2", device);
  return hand_out_processes(device, count, out);
}
Return nvmlDeviceGetProcessUtilization(Device device, ProcessSample* out, unsigned* count,
                                       unsigned long long last_seen) {
  FAKE_ENTER("nvmlDeviceGetProcessUtilization", device);
  if (of(device).mig) return kNotSupported;
  const auto stamp = static_cast<unsigned long long>(machine().now / kProcessStep * kProcessStep);
  std::vector<ProcessSample> fresh;
  for (const Process& process : of(device).processes) {
    if (stamp > last_seen && process.sm > 0)
      fresh.push_back({process.pid, stamp, process.sm, 0, 0, 0});
  }
  return fresh.empty() ? kNotFound : hand_out(fresh, count, out);
}
#endif

#pragma GCC diagnostic pop
}  // extern "C"
