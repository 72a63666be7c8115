// Clocks, memory and load from /proc.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/proc_tables.h"

#include <algorithm>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kClockLine = "cpu MHz";
constexpr std::string_view kFlagsLine = "flags";
constexpr std::string_view kCpuLine = "processor";

/// "key<blanks>: value": the number after the colon.
bool value_of(std::string_view line, std::string_view key, double& value) noexcept {
  if (line.substr(0, key.size()) != key) return false;
  line.remove_prefix(key.size());
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  if (line.empty() || line.front() != ':') return false;
  line.remove_prefix(1);
  return take_number(line, value);
}

}  // namespace

bool clocks_tell_frequency(const SysRoot& root) {
  auto file = KernelFile::open(root, "/proc/cpuinfo");
  if (!file) return false;
  // The first CPU's lines are enough.
  std::array<char, 4096> buffer;
  return file->read(buffer).text.find(kClockLine) != std::string_view::npos;
}

bool clocks_are_nominal(const SysRoot& root) {
  auto file = KernelFile::open(root, "/proc/cpuinfo");
  if (!file) return false;
  std::array<char, 4096> buffer;
  std::string_view rest = file->read(buffer).text;
  std::string_view line;
  // The flags of the first CPU.
  while (take_line(rest, line) && line.substr(0, kFlagsLine.size()) != kFlagsLine) {
  }
  const auto has = [words = split(line, ' ')](std::string_view flag) {
    return std::find(words.begin(), words.end(), flag) != words.end();
  };
  return has("hypervisor") && !has("aperfmperf");
}

Result<void> ClockTable::open(const SysRoot& root, const CpuMap& map) {
  // One CPU's lines: about 1.5 KB today, most of it flags and bugs.
  constexpr std::size_t kBytesPerCpu = 6144;
  METE_TRY(file_, KernelFile::open(root, "/proc/cpuinfo"));
  buffer_.assign(kBytesPerCpu * std::max<std::size_t>(1, map.cpus.size()), '\0');
  kernel_cpu_ = map.kernel_cpu;
  values_.assign(map.cpus.size(), Reading::missing(Errc::retry));
  update();
  return {};
}

void ClockTable::update() noexcept {
  constexpr double kMegahertz = 1e6;
  const KernelFile::Text read = file_.read(buffer_);
  for (Reading& value : values_) value = Reading::missing(read.fault.value_or(Errc::gone));
  std::string_view rest = read.text;
  std::string_view line;
  double number = 0;
  std::size_t cpu = values_.size();
  while (take_line(rest, line)) {
    if (value_of(line, kCpuLine, number)) {
      const auto at = std::find_if(kernel_cpu_.begin(), kernel_cpu_.end(),
                                   [number](int id) { return static_cast<double>(id) == number; });
      cpu = static_cast<std::size_t>(at - kernel_cpu_.begin());
    } else if (cpu < values_.size() && value_of(line, kClockLine, number)) {
      values_[cpu] = {number * kMegahertz, std::nullopt};
    }
  }
}

Result<void> MemoryTable::open(const SysRoot& root) {
  METE_TRY(file_, KernelFile::open(root, "/proc/meminfo"));
  update();
  return {};
}

void MemoryTable::update() noexcept {
  // MemTotal, MemFree and MemAvailable are the first lines.
  std::array<char, 512> buffer;
  const KernelFile::Text read = file_.read(buffer);
  total_ = available_ = Reading::missing(read.fault.value_or(Errc::unsupported));
  std::string_view rest = read.text;
  std::string_view line;
  double number = 0;
  while (take_line(rest, line)) {
    if (value_of(line, "MemTotal", number)) total_ = {number, std::nullopt};
    if (value_of(line, "MemAvailable", number)) available_ = {number, std::nullopt};
  }
}

Reading MemoryTable::used() const noexcept {
  if (!total_.ok()) return total_;
  if (!available_.ok()) return available_;
  return {std::max(0.0, total_.value - available_.value), std::nullopt};
}

Result<void> LoadFile::open(const SysRoot& root) {
  METE_TRY(file_, KernelFile::open(root, "/proc/loadavg"));
  update();
  return {};
}

void LoadFile::update() noexcept {
  std::array<char, 64> buffer;
  const KernelFile::Text read = file_.read(buffer);
  std::string_view rest = read.text;
  double number = 0;
  if (read.fault) {
    value_ = Reading::missing(*read.fault);
  } else {
    value_ =
        take_number(rest, number) ? Reading{number, std::nullopt} : Reading::missing(Errc::failed);
  }
}

}  // namespace mete
