// SPDX-License-Identifier: BSD-3-Clause
#include "mete/memory/capacity.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

// Of what is available, the part that is not handed out: MemAvailable is the kernel's estimate.
constexpr std::uint64_t kKeptBack = 32;
constexpr long kTmpfsMagic = 0x01021994;

/// "MemAvailable:  123 kB" of /proc/meminfo, or "Node 0 MemFree: 123 kB" of a node's, in bytes.
std::optional<std::uint64_t> meminfo_line(std::string_view text, std::string_view key) {
  for (const auto line : split(text, '\n')) {
    const auto at = line.find(key);
    if (at == std::string_view::npos || (at > 0 && line[at - 1] != ' ')) continue;
    std::string_view rest = trim(line.substr(at + key.size()));
    if (rest.ends_with("kB")) rest = trim(rest.substr(0, rest.size() - 2));
    if (const auto kib = parse_int(rest); kib && *kib >= 0) {
      return static_cast<std::uint64_t>(*kib) << 10U;
    }
  }
  return std::nullopt;
}

/// "inactive_file 4096" of a control group's memory.stat.
std::uint64_t stat_line(const SysRoot& sys, const std::string& path, std::string_view key) {
  const auto text = sys.read_text(path);
  if (!text) return 0;
  for (const auto line : split(*text, '\n')) {
    const auto parts = split(line, ' ');
    if (parts.size() != 2 || parts[0] != key) continue;
    const auto value = parse_int(parts[1]);
    return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
  }
  return 0;
}

struct GroupFiles {
  std::string_view limit;
  std::string_view usage;
  std::string_view reclaimable;  ///< of memory.stat: file pages that the kernel drops first
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file"};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", "inactive_file"};

/// What one control group leaves; nothing if it sets no limit.
std::optional<std::uint64_t> group_leaves(const SysRoot& sys, const std::string& folder,
                                          const GroupFiles& files) {
  const auto limit = sys.read_int(fmt::format("{}/{}", folder, files.limit));
  const auto usage = sys.read_int(fmt::format("{}/{}", folder, files.usage));
  if (!limit || !usage || *limit < 0 || *usage < 0) return std::nullopt;  // "max": no limit
  const auto used = static_cast<std::uint64_t>(*usage);
  const auto most = static_cast<std::uint64_t>(*limit);
  const std::uint64_t droppable =
      std::min(used, stat_line(sys, folder + "/memory.stat", files.reclaimable));
  return most - std::min(most, used - droppable);
}

/// The least that any group from `path` up to the root leaves.
std::uint64_t groups_leave(const SysRoot& sys, const std::string& root, std::string path,
                           const GroupFiles& files) {
  std::uint64_t least = ~std::uint64_t{0};
  while (true) {
    if (const auto left = group_leaves(sys, root + path, files)) least = std::min(least, *left);
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos) return least;
    path.resize(slash);
  }
}

std::string nodes_text(const SysRoot& sys) {
  const auto text = sys.read_text("/sys/devices/system/node/has_memory");
  if (text && !trim(*text).empty()) return std::string(trim(*text));
  return "none that the kernel tells of";
}

}  // namespace

Result<std::uint64_t> memory_available(const SysRoot& sys) {
  METE_TRY(const std::string text, sys.read_text("/proc/meminfo"));
  const auto machine = meminfo_line(text, "MemAvailable:");
  if (!machine) return fail(Errc::unavailable, "/proc/meminfo: has no line MemAvailable");
  std::uint64_t least = *machine;
  if (const auto groups = sys.read_text("/proc/self/cgroup")) {
    for (const auto line : split(*groups, '\n')) {
      const auto parts = split(line, ':');
      if (parts.size() != 3) continue;
      const std::string path(parts[2]);
      if (parts[0] == "0" && parts[1].empty()) {
        least = std::min(least, groups_leave(sys, "/sys/fs/cgroup", path, kVersion2));
      } else if (parts[1] == "memory") {
        least = std::min(least, groups_leave(sys, "/sys/fs/cgroup/memory", path, kVersion1));
      }
    }
  }
  return least - least / kKeptBack;
}

Result<std::uint64_t> node_memory_available(const SysRoot& sys, int node) {
  const std::string folder = fmt::format("/sys/devices/system/node/node{}", node);
  if (!sys.exists(folder)) {
    return fail(Errc::unavailable,
                "numa:{}: this machine has no such node; those with memory: {} (`--slow throttled` "
                "emulates a slow tier)",
                node, nodes_text(sys));
  }
  METE_TRY(const std::string text, sys.read_text(folder + "/meminfo"));
  const auto total = meminfo_line(text, "MemTotal:");
  if (!total || *total == 0) {
    return fail(Errc::unavailable, "numa:{}: this node has no memory; those with memory: {}", node,
                nodes_text(sys));
  }
  // File pages are dropped for others; half of those in use, as the kernel counts MemAvailable.
  const std::uint64_t left = meminfo_line(text, "MemFree:").value_or(0) +
                             meminfo_line(text, "Inactive(file):").value_or(0) +
                             meminfo_line(text, "Active(file):").value_or(0) / 2;
  return left - left / kKeptBack;
}

Result<std::uint64_t> file_system_available(int fd, const std::string& where) {
  struct statvfs info{};
  if (::fstatvfs(fd, &info) != 0) {
    return fail(errc_of_errno(errno), "{}: cannot ask how much is free: {}", where,
                errno_text(errno));
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

bool lies_in_memory(int fd) {
  struct statfs info{};
  return ::fstatfs(fd, &info) == 0 && info.f_type == kTmpfsMagic;
}

Result<void> check_room(const std::string& tier, std::uint64_t bytes, std::uint64_t available) {
  if (bytes <= available) return {};
  return fail(Errc::unavailable,
              "{}: a pool of {} does not fit: {} are left here; choose a smaller batch or another "
              "tier",
              tier, format_quantity(static_cast<double>(bytes), "B", 4),
              format_quantity(static_cast<double>(available), "B", 4));
}

}  // namespace mete
