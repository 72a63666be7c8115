// Temperature files of cores and packages.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/sensors.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kHwmon = "/sys/class/hwmon";
constexpr std::string_view kThermal = "/sys/class/thermal";

/// Folders "prefixN" in the order of N, which is the order in which the kernel found the devices.
std::vector<std::string> numbered_folders(const SysRoot& root, std::string_view folder,
                                          std::string_view prefix) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const auto& name : root.list(folder)) {
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    if (const auto n = parse_int(name.substr(prefix.size()))) {
      found.emplace_back(*n, fmt::format("{}/{}", folder, name));
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [n, path] : found) paths.push_back(std::move(path));
  return paths;
}

/// N of "Core N"; nothing for other labels.
std::optional<std::int64_t> number_in(std::string_view label, std::string_view prefix) {
  if (label.substr(0, prefix.size()) != prefix) return std::nullopt;
  return parse_int(trim(label.substr(prefix.size())));
}

struct Sensor {
  std::string label;
  std::string path;
};

std::vector<Sensor> sensors_of(const SysRoot& root, const std::string& device) {
  constexpr std::string_view kSuffix = "_label";
  std::vector<Sensor> sensors;
  for (const auto& name : root.list(device)) {
    if (name.compare(0, 4, "temp") != 0 || name.size() <= kSuffix.size()) continue;
    if (name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) != 0) continue;
    const std::string input =
        fmt::format("{}/{}_input", device, name.substr(0, name.size() - kSuffix.size()));
    if (!root.exists(input)) continue;
    sensors.push_back({root.read_text(fmt::format("{}/{}", device, name)).value_or(""), input});
  }
  return sensors;
}

void set_first(std::vector<std::string>& paths, std::size_t index, const std::string& path) {
  if (index < paths.size() && paths[index].empty()) paths[index] = path;
}

/// One device per package. It names its package by the kernel's id; old kernels leave that label
/// out, and then the n-th device is the n-th package's.
void add_coretemp(const SysRoot& root, const CpuMap& map, const std::string& device,
                  std::size_t nth, TemperatureFiles& files) {
  const auto sensors = sensors_of(root, device);
  std::size_t package = nth;
  for (const auto& sensor : sensors) {
    const auto id = number_in(sensor.label, "Package id ");
    if (!id) continue;
    const auto at = std::find(map.kernel_package.begin(), map.kernel_package.end(), *id);
    package = static_cast<std::size_t>(at - map.kernel_package.begin());
    set_first(files.package, package, sensor.path);
  }
  for (const auto& sensor : sensors) {
    const auto id = number_in(sensor.label, "Core ");
    if (!id) continue;
    for (std::size_t c = 0; c < map.cores.size(); ++c) {
      if (static_cast<std::size_t>(map.cores[c].package) == package &&
          map.cores[c].kernel_core == *id) {
        set_first(files.core, c, sensor.path);
      }
    }
  }
}

/// One device per package. Tdie is the temperature; Tctl, which some models shift upwards for their
/// fans, is taken where there is no Tdie.
void add_k10temp(const SysRoot& root, const std::string& device, std::size_t nth,
                 TemperatureFiles& files) {
  const auto sensors = sensors_of(root, device);
  for (const std::string_view wanted : {"Tdie", "Tctl"}) {
    for (const auto& sensor : sensors) {
      if (sensor.label == wanted) set_first(files.package, nth, sensor.path);
    }
  }
  if (sensors.empty() && root.exists(device + "/temp1_input")) {
    set_first(files.package, nth, device + "/temp1_input");
  }
}

bool is_cpu_zone(std::string_view type) {
  if (type.size() < 4) return false;
  return iequals(type.substr(0, 4), "cpu-") || iequals(type.substr(0, 4), "cpu_") ||
         (iequals(type.substr(0, 3), "cpu") && type.find("thermal") != std::string_view::npos);
}

void add_thermal_zones(const SysRoot& root, TemperatureFiles& files) {
  std::size_t x86_packages = 0;
  for (const auto& zone : numbered_folders(root, kThermal, "thermal_zone")) {
    const std::string type = root.read_text(zone + "/type").value_or("");
    const std::string path = zone + "/temp";
    if (!root.exists(path)) continue;
    if (type == "x86_pkg_temp") {
      set_first(files.package, x86_packages++, path);
    } else if (is_cpu_zone(type)) {
      set_first(files.package, 0, path);  // boards with such zones have one package
    }
  }
}

}  // namespace

TemperatureFiles find_temperatures(const SysRoot& root, const CpuMap& map) {
  TemperatureFiles files;
  files.core.resize(map.cores.size());
  files.package.resize(map.kernel_package.size());
  std::size_t coretemps = 0;
  std::size_t k10temps = 0;
  for (const auto& device : numbered_folders(root, kHwmon, "hwmon")) {
    const std::string name = root.read_text(device + "/name").value_or("");
    if (name == "coretemp") add_coretemp(root, map, device, coretemps++, files);
    if (name == "k10temp" || name == "zenpower") add_k10temp(root, device, k10temps++, files);
  }
  add_thermal_zones(root, files);
  return files;
}

}  // namespace mete
