// perf's power events.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/rapl/perf_power.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kDevice = "/sys/bus/event_source/devices/power";

struct EventName {
  const char* name;
  RaplKind kind;
};
constexpr std::array<EventName, kRaplKinds> kEvents{{{"energy-pkg", RaplKind::package},
                                                     {"energy-cores", RaplKind::core},
                                                     {"energy-gpu", RaplKind::uncore},
                                                     {"energy-ram", RaplKind::dram},
                                                     {"energy-psys", RaplKind::platform}}};

/// "event=0x02" → 2.
std::optional<std::uint64_t> parse_config(std::string_view text) {
  constexpr std::string_view kPrefix = "event=0x";
  text = trim(text);
  if (text.substr(0, kPrefix.size()) != kPrefix || text.size() > kPrefix.size() + 8) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char c : text.substr(kPrefix.size())) {
    const auto digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + digit;
  }
  return value;
}

class LinuxPerfEvents final : public PerfEvents {
 public:
  Result<int> open(std::uint32_t type, std::uint64_t config, int cpu) override {
    perf_event_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.type = type;
    attr.size = sizeof attr;
    attr.config = config;
    const long fd = ::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0) return static_cast<int>(fd);
    const int error = errno;
    return fail(errc_of_errno(error), "perf power event {:#x} on CPU {}: {}", config, cpu,
                errno_text(error));
  }
  void close(int handle) noexcept override { ::close(handle); }
  std::optional<Errc> read(int handle, std::uint64_t& count) noexcept override {
    const ssize_t n = ::read(handle, &count, sizeof count);
    if (n == static_cast<ssize_t>(sizeof count)) return std::nullopt;
    return n < 0 ? errc_of_errno(errno) : Errc::gone;  // nothing to read: its CPUs went offline
  }
};

}  // namespace

std::unique_ptr<PerfEvents> linux_perf_events() { return std::make_unique<LinuxPerfEvents>(); }

PerfPower find_perf_power(const SysRoot& root) {
  PerfPower out;
  const auto type = root.read_int(fmt::format("{}/type", kDevice));
  const auto mask = root.read_text(fmt::format("{}/cpumask", kDevice));
  if (!type || *type < 0 || *type > 0xffffffffLL || !mask) return out;
  auto cpus = parse_cpu_list(*mask);
  if (!cpus || cpus->empty()) return out;
  out.type = static_cast<std::uint32_t>(*type);
  out.cpus = std::move(*cpus);
  for (const auto& [name, kind] : kEvents) {
    const std::string path = fmt::format("{}/events/{}", kDevice, name);
    const auto config = parse_config(root.read_text(path).value_or(""));
    const auto scale = parse_double(trim(root.read_text(path + ".scale").value_or("")));
    const auto unit = root.read_text(path + ".unit");
    // Old kernels for AMD list events that do not exist; these fail when they are opened.
    if (!config || !scale || !(*scale > 0) || !(*scale < 1) || !unit || trim(*unit) != "Joules")
      continue;
    out.events.push_back({kind, *config, *scale});
  }
  return out;
}

}  // namespace mete
