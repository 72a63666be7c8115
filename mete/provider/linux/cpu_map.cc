// CPUs, cores, packages and memory nodes from sysfs.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/cpu_map.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kCpuFolder = "/sys/devices/system/cpu";
constexpr std::string_view kNodeFolder = "/sys/devices/system/node";

/// N of "cpuN", "nodeN"; -1 for other names.
int number_after(std::string_view prefix, std::string_view name) {
  if (name.substr(0, prefix.size()) != prefix) return -1;
  const auto id = parse_int(name.substr(prefix.size()));
  return id && *id >= 0 && *id <= 65535 ? static_cast<int>(*id) : -1;
}

std::vector<int> cpu_list(const SysRoot& root, const std::string& path) {
  const auto text = root.read_text(path);
  if (!text) return {};
  auto ids = parse_cpu_list(*text);
  return ids ? std::move(*ids) : std::vector<int>{};
}

std::vector<int> cpus_of_proc_stat(const SysRoot& root) {
  std::vector<int> ids;
  const auto text = root.read_text("/proc/stat");
  if (!text) return ids;
  for (const auto line : split(*text, '\n')) {
    const int id = number_after("cpu", line.substr(0, line.find(' ')));
    if (id >= 0) ids.push_back(id);
  }
  return ids;
}

/// `online` where the kernel has it; else those that have a folder (cpu0 cannot go offline on many
/// machines and old kernels then have no list); else what /proc/stat counts.
std::vector<int> online_cpus(const SysRoot& root) {
  auto ids = cpu_list(root, fmt::format("{}/online", kCpuFolder));
  if (ids.empty()) {
    for (const auto& name : root.list(kCpuFolder)) {
      const int id = number_after("cpu", name);
      if (id >= 0 && root.exists(fmt::format("{}/{}/topology", kCpuFolder, name)))
        ids.push_back(id);
    }
  }
  if (ids.empty()) ids = cpus_of_proc_stat(root);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// The kernel's ids around one CPU. `core_key` is the first thread of its core: core_id alone
/// repeats between the clusters of some ARM boards and the dies of some packages.
struct Place {
  int package = 0;
  int core_key = 0;
  int core_id = 0;
  int node = 0;
};

std::vector<Place> read_places(const SysRoot& root, const std::vector<int>& online) {
  std::map<int, Place> found;
  for (const int cpu : online) {
    if (found.count(cpu) != 0) continue;
    const std::string topology = fmt::format("{}/cpu{}/topology", kCpuFolder, cpu);
    Place place;
    // -1 is what a kernel without firmware tables says.
    place.package = static_cast<int>(
        std::max<std::int64_t>(0, root.read_int(topology + "/physical_package_id").value_or(0)));
    place.core_id = static_cast<int>(root.read_int(topology + "/core_id").value_or(cpu));
    place.core_key = cpu;
    found[cpu] = place;
    // Siblings share all of it: one core is read once.
    for (const int sibling : cpu_list(root, topology + "/thread_siblings_list")) {
      if (std::binary_search(online.begin(), online.end(), sibling)) found.emplace(sibling, place);
    }
  }
  for (const auto& name : root.list(kNodeFolder)) {
    const int node = number_after("node", name);
    if (node < 0) continue;
    for (const int cpu : cpu_list(root, fmt::format("{}/{}/cpulist", kNodeFolder, name))) {
      const auto it = found.find(cpu);
      if (it != found.end()) it->second.node = node;
    }
  }
  std::vector<Place> places;
  places.reserve(online.size());
  for (const int cpu : online) places.push_back(found[cpu]);
  return places;
}

/// Kernel ids in use → dense ids, in the same order.
template <class Key>
std::map<Key, int> dense_ids(std::vector<Key> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::map<Key, int> ids;
  for (const Key& key : keys) ids.emplace(key, static_cast<int>(ids.size()));
  return ids;
}

}  // namespace

int CpuMap::dense_cpu(int kernel_id) const {
  const auto it = std::lower_bound(kernel_cpu.begin(), kernel_cpu.end(), kernel_id);
  return it != kernel_cpu.end() && *it == kernel_id ? static_cast<int>(it - kernel_cpu.begin())
                                                    : -1;
}

int CpuMap::count(Domain domain) const {
  switch (domain) {
    case Domain::board:
      return 1;
    case Domain::package:
      return static_cast<int>(kernel_package.size());
    case Domain::core:
      return static_cast<int>(cores.size());
    case Domain::cpu:
      return static_cast<int>(cpus.size());
    default:
      return 0;
  }
}

std::vector<int> CpuMap::cpus_of(Domain domain, int index) const {
  std::vector<int> ids;
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    const int id = static_cast<int>(i);
    const bool inside =
        domain == Domain::board || (domain == Domain::package && cpus[i].package == index) ||
        (domain == Domain::core && cpus[i].core == index) || (domain == Domain::cpu && id == index);
    if (inside) ids.push_back(id);
  }
  return ids;
}

CpuMap read_cpu_map(const SysRoot& root) {
  CpuMap map;
  map.kernel_cpu = online_cpus(root);
  const std::vector<Place> places = read_places(root, map.kernel_cpu);

  std::vector<int> packages;
  std::vector<int> nodes;
  std::vector<std::pair<int, int>> cores;
  for (const Place& p : places) {
    packages.push_back(p.package);
    nodes.push_back(p.node);
    cores.emplace_back(p.package, p.core_key);
  }
  const auto package_ids = dense_ids(packages);
  const auto node_ids = dense_ids(nodes);
  const auto core_ids = dense_ids(cores);

  for (const auto& [kernel, dense] : package_ids) map.kernel_package.push_back(kernel);
  map.cores.resize(core_ids.size());
  for (const Place& p : places) {
    const int core = core_ids.at({p.package, p.core_key});
    map.cpus.push_back({package_ids.at(p.package), core, node_ids.at(p.node)});
    map.cores[static_cast<std::size_t>(core)] = {package_ids.at(p.package), p.core_id};
  }
  return map;
}

}  // namespace mete
