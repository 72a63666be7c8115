// Finding powercap's zones.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/rapl/rapl_zones.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/provider/linux/kernel_file.h"

namespace mete {
namespace {

constexpr std::string_view kFolder = "/sys/class/powercap";
constexpr double kMicro = 1e-6;
/// The hardware's counters have 32 bits: max_energy_range_uj is what 2^32 - 1 steps are worth.
constexpr double kMostSteps = 4294967295.0;

/// A folder "intel-rapl:N" or "intel-rapl:N:M", read.
struct Folder {
  std::string path;
  int control = 0;  // 0: intel-rapl; 1: intel-rapl-mmio, which shows the same counters again
  int zone = 0;
  int subzone = -1;  // -1: a zone of its own
  std::string name;  // of the file "name"
};

std::optional<Folder> parse_folder(const std::string& entry) {
  const auto parts = split(entry, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  Folder folder;
  if (parts[0] == "intel-rapl-mmio") {
    folder.control = 1;
  } else if (parts[0] != "intel-rapl") {
    return std::nullopt;
  }
  const auto zone = parse_int(parts[1]);
  const auto subzone = parts.size() == 3 ? parse_int(parts[2]) : std::optional<std::int64_t>(-1);
  if (!zone || *zone < 0 || *zone > 65535 || !subzone || *subzone < -1 || *subzone > 65535) {
    return std::nullopt;
  }
  folder.path = fmt::format("{}/{}", kFolder, entry);
  folder.zone = static_cast<int>(*zone);
  folder.subzone = static_cast<int>(*subzone);
  return folder;
}

std::vector<Folder> list_folders(const SysRoot& root) {
  std::vector<Folder> folders;
  for (const auto& entry : root.list(kFolder)) {
    if (auto folder = parse_folder(entry)) folders.push_back(std::move(*folder));
  }
  std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) {
    return std::tie(a.control, a.zone, a.subzone) < std::tie(b.control, b.zone, b.subzone);
  });
  return folders;
}

/// N of "package-N" and "package-N-die-M".
std::optional<int> package_number(std::string_view name) {
  constexpr std::string_view kPrefix = "package-";
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const auto end = name.find('-');
  if (end != std::string_view::npos && name.substr(end, 5) != "-die-") return std::nullopt;
  const auto number = parse_int(name.substr(0, end));
  if (!number || *number < 0 || *number > 65535) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<RaplKind> subzone_kind(std::string_view name) {
  if (name == "core") return RaplKind::core;
  if (name == "uncore") return RaplKind::uncore;
  if (name == "dram") return RaplKind::dram;
  return std::nullopt;
}

bool is_platform(std::string_view name) { return name.substr(0, 4) == "psys"; }

/// /proc/cpuinfo names the maker in its first lines; the rest, long on a large machine, is not
/// read.
bool is_amd(const SysRoot& root) {
  const auto file = KernelFile::open(root, "/proc/cpuinfo");
  if (!file) return false;
  std::array<char, 256> start;
  const auto text = file->read(start).text;
  return text.find("AuthenticAMD") != std::string_view::npos ||
         text.find("HygonGenuine") != std::string_view::npos;
}

/// The range and the plausible power of one zone's counter.
std::optional<CounterShape> shape_of(const SysRoot& root, const Folder& folder, RaplKind kind) {
  const auto range = root.read_int(folder.path + "/max_energy_range_uj");
  // 2^53: beyond it readings would not be exact.
  if (!range || *range <= 0 || *range > (std::int64_t{1} << 53)) return std::nullopt;
  const double step = static_cast<double>(*range) / kMostSteps;
  CounterShape shape;
  shape.joules_per_count = kMicro;
  shape.modulus = static_cast<std::uint64_t>(*range) +
                  static_cast<std::uint64_t>(std::max<std::int64_t>(1, std::llround(step)));
  shape.step_joules = step * kMicro;
  shape.max_watts = plausible_watts(kind, shape.step_joules);
  constexpr double kMostBelieved = 10e3;
  for (int i = 0; i < 3; ++i) {
    const auto stated = root.read_int(fmt::format("{}/constraint_{}_max_power_uw", folder.path, i));
    if (!stated || *stated <= 0) continue;
    const double twice = 2 * kMicro * static_cast<double>(*stated);
    if (twice < kMostBelieved) shape.max_watts = std::max(shape.max_watts, twice);
  }
  return shape;
}

class Finder {
 public:
  Finder(const SysRoot& root, const std::vector<int>& kernel_packages)
      : root_(root), kernel_packages_(kernel_packages) {}

  RaplZones find() {
    std::vector<Folder> folders = list_folders(root_);
    out_.present = !folders.empty();
    for (Folder& folder : folders) {
      auto name = root_.read_text(folder.path + "/name");
      if (!name) {
        if (out_.hidden.empty()) out_.hidden = root_.path(folder.path);
        continue;
      }
      folder.name = trim(*name);
      if (folder.subzone < 0) {
        if (const auto number = package_number(folder.name)) numbers_.insert(*number);
        names_[{folder.control, folder.zone}] = folder.name;
      }
    }
    number_packages();
    amd_ = is_amd(root_);
    for (const Folder& folder : folders) {
      if (!folder.name.empty()) add(folder);
    }
    // A package of which one die cannot be read is not told at all: a sum with a part missing.
    std::erase_if(out_.zones, [this](const RaplZone& zone) {
      return incomplete_.count({zone.kind, zone.package}) != 0;
    });
    return std::move(out_);
  }

 private:
  /// Package ids as the CPUs have them; by rank where sysfs does not tell the CPUs.
  void number_packages() {
    if (kernel_packages_.empty()) {
      for (const int number : numbers_) dense_.emplace(number, static_cast<int>(dense_.size()));
    } else {
      for (std::size_t i = 0; i < kernel_packages_.size(); ++i) {
        dense_.emplace(kernel_packages_[i], static_cast<int>(i));
      }
    }
    out_.packages = static_cast<int>(dense_.size());
  }

  void note(std::string what, std::string why, std::string next) {
    out_.notes.push_back({std::move(what), std::move(why), std::move(next)});
  }

  void add(const Folder& folder) {
    if (folder.subzone < 0) {
      if (const auto number = package_number(folder.name)) {
        add_zone(folder, RaplKind::package, *number, folder.name);
      } else if (is_platform(folder.name)) {
        add_platform(folder);
      }  // other zones of their own are none of ours
      return;
    }
    const auto kind = subzone_kind(folder.name);
    const std::string parent = names_[{folder.control, folder.zone}];
    const auto number = package_number(parent);
    if (!kind || !number) return;
    if (*kind == RaplKind::core && amd_) {
      if (!std::exchange(told_amd_, true)) {
        note("CPU_CORE_ENERGY", "powercap's 'core' counts a single core on AMD's CPUs",
             "use CPU_ENERGY, which counts the package");
      }
      return;
    }
    add_zone(folder, *kind, *number, parent + "/" + folder.name);
  }

  void add_platform(const Folder& folder) {
    if (!seen_.insert("psys").second) {
      if (folder.control == 0) {
        note(fmt::format("a second psys ({})", root_.path(folder.path)),
             "it may count the same platform again, so it is not added to BOARD_ENERGY",
             "nothing; read its energy_uj yourself if you know this machine");
      }
      return;
    }
    add_readable(folder, RaplKind::platform, 0);
  }

  void add_zone(const Folder& folder, RaplKind kind, int number, const std::string& full_name) {
    // The same counter by another way.
    if (!seen_.insert(full_name).second) return;
    const auto at = dense_.find(number);
    if (at == dense_.end()) {
      if (kind == RaplKind::package) {
        note(fmt::format("energy of package {}", number),
             "none of its CPUs is online, so it is no part of this node's topology",
             "bring one of its CPUs online to count it");
      }
      return;
    }
    add_readable(folder, kind, at->second);
  }

  void add_readable(const Folder& folder, RaplKind kind, int package) {
    const auto shape = shape_of(root_, folder, kind);
    if (!shape) {
      note(fmt::format("the counter {}", root_.path(folder.path)),
           "its max_energy_range_uj is no positive number, so wraps could not be seen",
           "report it to the maker of the kernel");
      incomplete_.emplace(kind, package);
      return;
    }
    // Opened, not asked with access(): rights given by file capabilities count too.
    const std::string path = folder.path + "/energy_uj";
    const auto trial = KernelFile::open(root_, path);
    if (!trial) {
      std::string& why = trial.error().code == Errc::denied ? out_.denied : out_.hidden;
      if (why.empty()) why = root_.path(path);
      incomplete_.emplace(kind, package);
      return;
    }
    out_.zones.push_back({kind, package, root_.path(path), *shape});
  }

  const SysRoot& root_;
  const std::vector<int>& kernel_packages_;
  std::set<int> numbers_;
  std::map<int, int> dense_;                          // package number → dense id
  std::map<std::pair<int, int>, std::string> names_;  // of zones with subzones
  std::set<std::string> seen_;
  std::set<std::pair<RaplKind, int>> incomplete_;
  bool amd_ = false;
  bool told_amd_ = false;
  RaplZones out_;
};

}  // namespace

double plausible_watts(RaplKind kind, double step_joules) {
  // Twice to thrice what the largest parts of 2025 draw at a peak.
  constexpr double kCoarseStep = 0.1;
  switch (kind) {
    case RaplKind::package:
    case RaplKind::core:
      return 1500;
    case RaplKind::uncore:
    case RaplKind::dram:
      return 500;
    case RaplKind::platform:
      break;
  }
  return step_joules >= kCoarseStep ? 30e3 : 3000;
}

bool has_powercap_zones(const SysRoot& root) { return !list_folders(root).empty(); }

RaplZones find_powercap_zones(const SysRoot& root, const std::vector<int>& kernel_packages) {
  return Finder(root, kernel_packages).find();
}

}  // namespace mete
