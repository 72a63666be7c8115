// Utilisation from /proc/stat.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/cpu_usage.h"

#include <algorithm>
#include <array>

namespace mete {
namespace {
/// "cpuN" and ten counts of at most 20 digits each.
constexpr std::size_t kLongestLine = 232;
constexpr std::size_t kFields = 8;  // user nice system idle iowait irq softirq steal
}  // namespace

Result<void> CpuUsage::open(const SysRoot& root, const CpuMap& map) {
  METE_TRY(KernelFile file, KernelFile::open(root, "/proc/stat"));
  // The CPUs come first; the interrupt counts after them, which may be long, are not fetched.
  buffer_.assign(kLongestLine * (map.cpus.size() + 1), '\0');
  dense_.assign(map.kernel_cpu.empty() ? 0 : static_cast<std::size_t>(map.kernel_cpu.back()) + 1,
                -1);
  for (std::size_t i = 0; i < map.kernel_cpu.size(); ++i) {
    dense_[static_cast<std::size_t>(map.kernel_cpu[i])] = static_cast<int>(i);
  }
  cpus_.assign(map.cpus.size(), Cpu{});
  file_ = std::move(file);
  update();
  return {};
}

void CpuUsage::take(Cpu& cpu, std::string_view numbers) noexcept {
  std::array<double, kFields> ticks{};
  std::size_t n = 0;
  // Kernels before 2.6.11 have fewer columns.
  while (n < kFields && take_number(numbers, ticks[n])) ++n;
  constexpr std::size_t kLeast = 4;
  if (n < kLeast) {
    cpu.reading = Reading::missing(Errc::failed);
    return;
  }
  const double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
  const double total = busy + ticks[3] + ticks[4] + ticks[7];
  const double passed = total - cpu.total;
  if (cpu.total < 0 || passed < 0) {
    cpu.reading = Reading::missing(Errc::retry);
  } else if (passed == 0) {
    // It may have been offline in between: what was said last is not for this interval.
    if (cpu.reading.fault) cpu.reading = Reading::missing(Errc::retry);
    return;
  } else {
    // iowait may count backwards (proc(5)), so the ratio can leave 0..1 a little.
    cpu.reading = {std::clamp((busy - cpu.busy) / passed, 0.0, 1.0), std::nullopt};
  }
  cpu.busy = busy;
  cpu.total = total;
}

void CpuUsage::update() noexcept {
  for (Cpu& cpu : cpus_) cpu.seen = false;
  const KernelFile::Text read = file_.read(buffer_);
  std::string_view rest = read.text;
  std::string_view line;
  while (take_line(rest, line) && line.substr(0, 3) == "cpu") {
    // The last line may have been cut by the buffer's end.
    if (rest.empty() && read.text.size() == buffer_.size()) break;
    line.remove_prefix(3);
    double id = 0;
    if (line.empty() || line.front() == ' ' || !take_number(line, id))
      continue;  // "cpu " is the total
    if (!(id >= 0) || id >= static_cast<double>(dense_.size())) continue;
    const int dense = dense_[static_cast<std::size_t>(id)];
    if (dense < 0) continue;
    Cpu& cpu = cpus_[static_cast<std::size_t>(dense)];
    cpu.seen = true;
    take(cpu, line);
  }
  for (Cpu& cpu : cpus_) {
    if (!cpu.seen) cpu.reading = Reading::missing(read.fault.value_or(Errc::gone));
  }
}

}  // namespace mete
