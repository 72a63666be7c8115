// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fakes/nvml/nvml_machine.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace fake_nvml {
namespace {

constexpr long long kSampleStep = 20000;  // µs between power samples

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

}  // namespace

Machine& machine() {
  static Machine* const one = new Machine;  // never destroyed: calls may hang at the end
  return *one;
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

int run_script(Machine& m, const char* script) {
  m.scripted = true;
  int at = 0;
  for (const auto& text : split(script, ";\n")) {
    ++at;
    if (!text.empty() && !order(m, text)) return at;
  }
  return 0;
}

namespace {

void begin(Machine& m) {
  if (m.scripted) return;
  make_gpus(m, 2);
  m.scripted = true;
  if (const char* script = std::getenv("METE_FAKE_NVML")) {
    const int wrong = run_script(m, script);
    if (wrong != 0) std::fprintf(stderr, "METE_FAKE_NVML: order %d is not understood\n", wrong);
  }
}

}  // namespace

int index_of(Device device) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(device)) - 1;
}

Return enter(Lock& lock, const char* function, Device device) {
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

}  // namespace fake_nvml
