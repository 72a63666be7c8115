// The options of a board as a table of rows: parsing, printing and help all come from it.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/machine_options.h"

#include <array>
#include <cmath>
#include <vector>

#include "mete/base/text.h"

namespace mete {
namespace {

struct Option {
  std::string_view name;
  std::string_view unit;
  double MachineOptions::* value;
  double most;
  std::string_view meaning;
};
constexpr std::array<Option, 8> kOptions{
    {{"sensor_lag", "s", &MachineOptions::sensor_lag, 3600, "time constant of the power sensor"},
     {"sensor_period", "s", &MachineOptions::sensor_period, 3600,
      "how often the sensor takes a new value"},
     {"power_noise", "", &MachineOptions::power_noise, 1,
      "spread of a sensor value, as a fraction of it"},
     {"quantisation", "W", &MachineOptions::quantisation, 1000, "step of the sensor"},
     {"switch_latency", "s", &MachineOptions::switch_latency, 3600,
      "from asking for a clock to running at it"},
     {"time_variation", "", &MachineOptions::time_variation, 1,
      "spread of a run's time, as a fraction"},
     {"power_variation", "", &MachineOptions::power_variation, 1,
      "spread of a run's power, as a fraction"},
     {"clock_step", "Hz", &MachineOptions::clock_step, 20e9,
      "step of the clocks that can be set; 0: measured ones"}}};

constexpr std::string_view kIdlePower = "idle_power";
constexpr double kMostWatts = 20e3;

std::vector<std::string> option_names() {
  std::vector<std::string> names{"exact", std::string(kIdlePower)};
  for (const auto& option : kOptions) names.emplace_back(option.name);
  return names;
}

Result<double> parse_value(std::string_view key, std::string_view text, std::string_view unit,
                           double most) {
  auto value = parse_quantity(text, unit);
  if (!value) return value.error().within(fmt::format("board option {}", key));
  // Not (x >= 0) refuses NaN as well.
  if (!(*value >= 0) || *value > most) {
    return fail(Errc::invalid, "board option {}={}: expected 0 to {} {}", key, trim(text), most,
                unit);
  }
  return *value;
}

Result<void> set_option(MachineOptions& options, std::string_view key, std::string_view text) {
  if (key == kIdlePower) {
    METE_TRY(options.idle_power, parse_value(key, text, "W", kMostWatts));
    return {};
  }
  for (const auto& option : kOptions) {
    if (option.name != key) continue;
    METE_TRY(options.*option.value, parse_value(key, text, option.unit, option.most));
    return {};
  }
  return fail(
      Errc::invalid, "no board option is named '{}'{}{}", key, did_you_mean(key, option_names()),
      nearest_names(key, option_names()).empty() ? "; they are " + join(option_names(), ", ") : "");
}

}  // namespace

MachineOptions MachineOptions::exact() {
  MachineOptions options;
  for (const auto& option : kOptions) options.*option.value = 0;
  return options;
}

Result<MachineOptions> parse_machine_options(std::string_view text) {
  MachineOptions options;
  for (const auto part : split(text, ',')) {
    const auto word = trim(part);
    if (word.empty()) continue;
    if (word == "exact") {
      options = MachineOptions::exact();
      continue;
    }
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) {
      return fail(Errc::invalid, "board option '{}': expected NAME=VALUE, or exact{}", word,
                  did_you_mean(word, option_names()));
    }
    METE_TRY_VOID(set_option(options, trim(word.substr(0, equals)), word.substr(equals + 1)));
  }
  return options;
}

std::string format_machine_options(const MachineOptions& options) {
  std::string out;
  for (const auto& option : kOptions)
    out += fmt::format("{}={},", option.name, options.*option.value);
  if (options.idle_power) return out + fmt::format("{}={}", kIdlePower, *options.idle_power);
  out.pop_back();
  return out;
}

std::string describe_machine_options() {
  const MachineOptions defaults;
  std::string out;
  for (const auto& option : kOptions) {
    out += fmt::format("{:<16} {} (default {}{}{})\n", option.name, option.meaning,
                       defaults.*option.value, option.unit.empty() ? "" : " ", option.unit);
  }
  out += fmt::format(
      "{:<16} power while no kernel runs (default: the lowest in the board's table)\n", kIdlePower);
  out += fmt::format("{:<16} sets all of the first seven to 0\n", "exact");
  return out;
}

}  // namespace mete
