// The table of boards, and where sysfs shows their rails and GPU.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/jetson/jetson_board.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

// Orin's names hold Nano's and Xavier's: they come first.
constexpr std::array kBoards{
    JetsonBoard{"Jetson AGX Orin", "p3701", "AGX Orin",
                // VDDQ_VDD2_1V8AO is fed by VIN_SYS_5V0.
                "VDD_GPU_SOC VDD_CPU_CV VIN_SYS_5V0", "", "", ""},
    JetsonBoard{"Jetson Orin NX or Orin Nano", "p3767", "Orin NX|Orin Nano", "VDD_IN", "", "", ""},
    JetsonBoard{"Jetson Xavier NX", "p3668", "Xavier NX", "VDD_IN", "", "", ""},
    JetsonBoard{"Jetson AGX Xavier", "p2888", "AGX Xavier|Jetson-AGX", "GPU CPU SOC CV VDDRQ SYS5V",
                "GPU", "CPU", "VDDRQ"},
    JetsonBoard{"Jetson TX2", "p3310 p3489 p3636", "TX2|quill",
                // VDD_MUX feeds the carrier board and the module with it.
                "VDD_IN", "VDD_SYS_GPU", "VDD_SYS_CPU", "VDD_SYS_DDR"},
    JetsonBoard{"Jetson Nano 2GB", "p3448-0003", "Nano 2GB", "", "", "", ""},
    JetsonBoard{"Jetson Nano", "p3448", "Jetson Nano", "POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU", ""},
};

constexpr std::size_t kMostRails = 32;

/// Modules before carriers, for a carrier's number says nothing: "nvidia,p3737-0000+p3701-0000".
const JetsonBoard* by_module(std::string_view compatible) {
  const auto holds = [&](std::string_view number) {
    return compatible.find(number) != std::string_view::npos;
  };
  const JetsonBoard* found = nullptr;
  std::size_t longest = 0;  // p3448-0003 says more than p3448
  for (const JetsonBoard& board : kBoards) {
    for (const auto number : split(board.modules, ' ')) {
      if (number.size() > longest && holds(number)) {
        found = &board;
        longest = number.size();
      }
    }
  }
  return found;
}

const JetsonBoard* by_model(std::string_view model) {
  for (const JetsonBoard& board : kBoards) {
    for (const auto words : split(board.models, '|')) {
      if (model.find(words) != std::string_view::npos) return &board;
    }
  }
  return nullptr;
}

bool is_connected(std::string_view name) { return !name.empty() && name != "NC"; }

/// hwmon: channels 1 to 3; from 4 on come shunt voltages and their sum.
void add_hwmon_rails(const SysRoot& root, const std::string& folder,
                     std::vector<JetsonRail>& rails) {
  for (int n = 1; n <= 3 && rails.size() < kMostRails; ++n) {
    const std::string volts = fmt::format("{}/in{}", folder, n);
    const std::string label(trim(root.read_text(volts + "_label").value_or("")));
    const std::string amperes = fmt::format("{}/curr{}_input", folder, n);
    if (!is_connected(label) || !root.exists(amperes)) continue;
    if (root.read_int(volts + "_enable").value_or(1) == 0) continue;
    rails.push_back({label, volts + "_input", amperes, ""});
  }
}

/// iio: channels from 0; older kernels tell milliwatts too.
void add_iio_rails(const SysRoot& root, const std::string& folder, std::vector<JetsonRail>& rails) {
  for (int n = 0; n <= 2 && rails.size() < kMostRails; ++n) {
    const std::string name(
        trim(root.read_text(fmt::format("{}/rail_name_{}", folder, n)).value_or("")));
    if (!is_connected(name)) continue;
    const std::string power = fmt::format("{}/in_power{}_input", folder, n);
    const std::string volts = fmt::format("{}/in_voltage{}_input", folder, n);
    const std::string amperes = fmt::format("{}/in_current{}_input", folder, n);
    if (root.exists(power)) {
      rails.push_back({name, "", "", power});
    } else if (root.exists(volts) && root.exists(amperes)) {
      rails.push_back({name, volts, amperes, ""});
    }
  }
}

/// "1-0040": a device on an I2C bus, in a driver's folder among its other files.
bool is_i2c_device(const std::string& name) {
  const auto dash = name.find('-');
  return dash != std::string::npos && parse_int(name.substr(0, dash)).has_value() &&
         name.size() == dash + 5;
}

}  // namespace

const JetsonBoard* find_jetson_board(const SysRoot& root) {
  const auto compatible = root.read_text("/proc/device-tree/compatible");
  if (compatible && compatible->find("nvidia") == std::string::npos) return nullptr;
  if (compatible) {
    if (const JetsonBoard* board = by_module(*compatible)) return board;
  }
  const auto model = root.read_text("/proc/device-tree/model");
  return model ? by_model(*model) : nullptr;
}

std::vector<JetsonRail> find_jetson_rails(const SysRoot& root) {
  std::vector<JetsonRail> rails;
  for (const char* driver : {"/sys/bus/i2c/drivers/ina3221", "/sys/bus/i2c/drivers/ina3221x"}) {
    for (const auto& device : root.list(driver)) {
      if (!is_i2c_device(device)) continue;
      const std::string folder = fmt::format("{}/{}", driver, device);
      for (const auto& entry : root.list(folder + "/hwmon")) {
        if (entry.rfind("hwmon", 0) == 0)
          add_hwmon_rails(root, fmt::format("{}/hwmon/{}", folder, entry), rails);
      }
      for (const auto& entry : root.list(folder)) {
        if (entry.rfind("iio:device", 0) == 0)
          add_iio_rails(root, fmt::format("{}/{}", folder, entry), rails);
      }
    }
  }
  // A rail told twice under one name would be added twice.
  std::vector<JetsonRail> once;
  for (auto& rail : rails) {
    const bool known = std::any_of(once.begin(), once.end(),
                                   [&](const JetsonRail& r) { return r.name == rail.name; });
    if (!known) once.push_back(std::move(rail));
  }
  return once;
}

std::string find_jetson_gpu(const SysRoot& root) {
  constexpr std::string_view kClass = "/sys/class/devfreq";
  // The GPUs' names of Nano, TX2, Xavier, Orin and Thor; newer kernels call all of them gpu.
  for (const std::string_view end :
       {".gm20b", ".gp10b", ".gv11b", ".ga10b", ".gb10b", ".gpu", "gpu-gpc-0"}) {
    for (const auto& entry : root.list(kClass)) {
      if (entry.size() >= end.size() &&
          entry.compare(entry.size() - end.size(), end.size(), end) == 0) {
        return fmt::format("{}/{}", kClass, entry);
      }
    }
  }
  return {};
}

}  // namespace mete
