// Finding hwmon's sensors.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/hwmon/chips.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kClass = "/sys/class/hwmon";
constexpr std::size_t kMostChips = 64;
constexpr std::size_t kMostSensors = 256;
constexpr double kMicro = 1e-6;
constexpr double kMilli = 1e-3;

/// N of "<prefix>N<suffix>", such as 2 of "power2_input".
std::optional<int> channel(const std::string& file, std::string_view prefix,
                           std::string_view suffix) {
  if (file.size() <= prefix.size() + suffix.size() || file.rfind(prefix, 0) != 0 ||
      file.compare(file.size() - suffix.size(), suffix.size(), suffix) != 0) {
    return std::nullopt;
  }
  const auto n = parse_int(file.substr(prefix.size(), file.size() - prefix.size() - suffix.size()));
  if (!n || *n < 0 || *n > 9999) return std::nullopt;
  return static_cast<int>(*n);
}

struct Chip {
  std::string folder;
  std::string name;
  std::set<std::string> files;

  [[nodiscard]] bool has(const std::string& file) const { return files.count(file) != 0; }
};

bool tells_anything(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [](const std::string& f) {
    return f.rfind("power", 0) == 0 || f.rfind("temp", 0) == 0 || f.rfind("energy", 0) == 0 ||
           f.rfind("curr", 0) == 0;
  });
}

/// In the order of N, which is that in which the kernel found the devices. "power/" is the kernel's
/// folder of power management, in every device.
std::vector<Chip> list_chips(const SysRoot& root) {
  std::vector<std::pair<std::int64_t, std::string>> numbered;
  for (const auto& entry : root.list(kClass)) {
    const auto n = entry.rfind("hwmon", 0) == 0 ? parse_int(entry.substr(5)) : std::nullopt;
    if (n) numbered.emplace_back(*n, fmt::format("{}/{}", kClass, entry));
  }
  std::sort(numbered.begin(), numbered.end());
  if (numbered.size() > kMostChips) numbered.resize(kMostChips);
  std::vector<Chip> chips;
  for (const auto& [n, folder] : numbered) {
    Chip chip{folder, "", {}};
    auto files = root.list(folder);
    std::erase(files, "power");
    // Older drivers put the files of a chip with its device.
    if (!tells_anything(files)) {
      chip.folder += "/device";
      files = root.list(chip.folder);
    }
    chip.name = trim(root.read_text(folder + "/name").value_or(""));
    if (chip.name.empty()) chip.name = trim(root.read_text(chip.folder + "/name").value_or("chip"));
    chip.files = {files.begin(), files.end()};
    chips.push_back(std::move(chip));
  }
  return chips;
}

class Finder {
 public:
  explicit Finder(const SysRoot& root) : root_(root) {}

  std::vector<ChipSensor> find() {
    const auto chips = list_chips(root_);
    std::map<std::string, int> alike;
    for (const Chip& chip : chips) ++alike[name_of_label(chip.name)];
    std::map<std::string, int> nth;
    for (const Chip& chip : chips) {
      std::string name = name_of_label(chip.name);
      if (name.empty()) name = "CHIP";
      prefix_ = "HWMON::" + name;
      if (alike[name] > 1) prefix_ += fmt::format("#{}", nth[name]++);
      left_ = kMostSensors;
      add_powers(chip);
      add_plain(chip, SensorKind::energy, "energy", kMicro);
      add_plain(chip, SensorKind::temperature, "temp", kMilli);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool enabled(const Chip& chip, const std::string& stem) const {
    const std::string file = stem + "_enable";
    return !chip.has(file) || root_.read_int(chip.folder + "/" + file).value_or(1) != 0;
  }

  [[nodiscard]] std::string label(const Chip& chip, const std::vector<std::string>& files) const {
    for (const auto& file : files) {
      if (!chip.has(file)) continue;
      const std::string text(trim(root_.read_text(chip.folder + "/" + file).value_or("")));
      if (!name_of_label(text).empty()) return text;
    }
    return {};
  }

  void add(const Chip& chip, const std::string& stem, const std::string& label, ChipSensor sensor) {
    if (left_ == 0) return;
    constexpr const char* kSuffix[] = {"_POWER", "_ENERGY", "_TEMPERATURE"};
    const char* suffix = kSuffix[static_cast<std::size_t>(sensor.kind)];
    const std::string own = name_of_label(stem);
    std::string part = label.empty() ? own : name_of_label(label);
    if (names_.count(prefix_ + ":" + part + suffix) != 0) part += "_" + own;
    sensor.name = prefix_ + ":" + part + suffix;
    // A label may be another sensor's label and stem at once.
    if (!names_.insert(sensor.name).second) return;
    std::string people;
    for (const char c : label.empty() ? stem : label) people += c >= ' ' && c != 127 ? c : ' ';
    sensor.label = fmt::format("{}: {}", chip.name, people);
    --left_;
    out_.push_back(std::move(sensor));
  }

  /// powerN_average where there is one, since it misses nothing between readings, else
  /// powerN_input; on a chip with neither, the products of voltage and current of one channel.
  void add_powers(const Chip& chip) {
    bool any = false;
    std::set<int> done;
    for (const char* suffix : {"_average", "_input"}) {
      for (const auto& file : chip.files) {
        const auto n = channel(file, "power", suffix);
        if (!n || !done.insert(*n).second) continue;
        any = true;
        const std::string stem = fmt::format("power{}", *n);
        if (!enabled(chip, stem)) continue;
        ChipSensor sensor;
        sensor.averaged = std::string_view(suffix) == "_average";
        sensor.files = {chip.folder + "/" + file, "", kMicro};
        add(chip, stem, label(chip, {stem + "_label", stem + "_oem_info"}), std::move(sensor));
      }
    }
    if (any) return;
    for (const auto& file : chip.files) {
      const auto n = channel(file, "curr", "_input");
      const std::string volts = n ? fmt::format("in{}", *n) : "";
      if (!n || !chip.has(volts + "_input")) continue;
      const std::string stem = fmt::format("curr{}", *n);
      if (!enabled(chip, stem) || !enabled(chip, volts)) continue;
      ChipSensor sensor;
      sensor.product = true;
      sensor.files = {chip.folder + "/" + volts + "_input", chip.folder + "/" + file,
                      kMilli * kMilli};
      add(chip, stem, label(chip, {volts + "_label", stem + "_label"}), std::move(sensor));
    }
  }

  void add_plain(const Chip& chip, SensorKind kind, const char* prefix, double scale) {
    for (const auto& file : chip.files) {
      const auto n = channel(file, prefix, "_input");
      const std::string stem = n ? fmt::format("{}{}", prefix, *n) : "";
      if (!n || !enabled(chip, stem)) continue;
      ChipSensor sensor;
      sensor.kind = kind;
      sensor.files = {chip.folder + "/" + file, "", scale};
      add(chip, stem, label(chip, {stem + "_label"}), std::move(sensor));
    }
  }

  const SysRoot& root_;
  std::string prefix_;
  std::size_t left_ = 0;
  std::set<std::string> names_;
  std::vector<ChipSensor> out_;
};

}  // namespace

std::vector<ChipSensor> find_chip_sensors(const SysRoot& root) { return Finder(root).find(); }

}  // namespace mete
