// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/machine.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

// A few KiB for each CPU.
constexpr std::size_t kCpuInfoLimit = std::size_t{32} << 20U;
constexpr std::uint64_t kUnknownCache = std::uint64_t{32} << 20U;

/// The first "key : value" of /proc/cpuinfo.
std::string cpu_info(std::string_view text, std::string_view key) {
  for (const auto line : split(text, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || trim(line.substr(0, colon)) != key) continue;
    return std::string(trim(line.substr(colon + 1)));
  }
  return {};
}

std::string cpu_model(const SysRoot& sys) {
  if (const auto text = read_file(sys.path("/proc/cpuinfo"), kCpuInfoLimit)) {
    for (const auto* key : {"model name", "Model", "cpu model", "Hardware"}) {
      if (auto model = cpu_info(*text, key); !model.empty()) return model;
    }
    const std::string part = cpu_info(*text, "CPU part");
    if (!part.empty()) {
      return fmt::format("CPU {} part {}", cpu_info(*text, "CPU implementer"), part);
    }
  }
  utsname names{};
  return ::uname(&names) == 0 ? std::string(names.machine) : "unknown CPU";
}

}  // namespace

std::string machine_name(const SysRoot& sys) {
  std::size_t cpus = 1;
  if (const auto online = sys.read_text("/sys/devices/system/cpu/online")) {
    if (const auto ids = parse_cpu_list(*online); ids && !ids->empty()) cpus = ids->size();
  }
  return fmt::format("{}, {} CPU{}", cpu_model(sys), cpus, cpus == 1 ? "" : "s");
}

std::uint64_t last_level_cache(const SysRoot& sys) {
  std::uint64_t most = 0;
  const std::string folder = "/sys/devices/system/cpu/cpu0/cache";
  for (const auto& name : sys.list(folder)) {
    if (!name.starts_with("index")) continue;
    auto size = sys.read_text(fmt::format("{}/{}/size", folder, name));
    if (!size || !size->ends_with('K')) continue;
    size->pop_back();
    const auto kib = parse_int(*size);
    if (kib && *kib > 0 && *kib < (std::int64_t{1} << 32U)) {
      most = std::max(most, static_cast<std::uint64_t>(*kib) << 10U);
    }
  }
  return most == 0 ? kUnknownCache : most;
}

}  // namespace mete
