// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/plan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <set>

#include "mete/base/files.h"
#include "mete/base/rng.h"
#include "mete/base/text.h"

namespace mete {
namespace {

/// The keys that GEOPM's tutorial gives to controls in file names, and the size of their unit.
struct FileKey {
  std::string_view control;
  std::string_view key;
  double scale;
};
constexpr std::array kFileKeys{
    FileKey{"GPU_CORE_FREQUENCY_MAX_CONTROL", "gpufreq", 1e6},
    FileKey{"GPU_CORE_FREQUENCY_MIN_CONTROL", "gpufreqmin", 1e6},
    FileKey{"CPU_FREQUENCY_MAX_CONTROL", "cpufreq", 1e6},
    FileKey{"CPU_FREQUENCY_MIN_CONTROL", "cpufreqmin", 1e6},
    FileKey{"CPU_UNCORE_FREQUENCY_MAX_CONTROL", "uncorefreq", 1e6},
    FileKey{"GPU_POWER_LIMIT_CONTROL", "gpupower", 1},
};

FileKey file_key(const StudyAxis& axis, std::string& storage) {
  for (const FileKey& known : kFileKeys) {
    if (known.control == axis.control) return known;
  }
  storage.clear();
  for (const char c : axis.control) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      storage += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return {axis.control, storage, axis.unit == "Hz" ? 1e6 : 1.0};
}

/// Whole numbers where they tell the values apart (the tutorial reads the clock with int()), else
/// decimals with 'p' for the point.
std::vector<std::string> value_pieces(const StudyAxis& axis, double scale) {
  for (int decimals = 0; decimals <= 9; ++decimals) {
    std::vector<std::string> pieces;
    for (const double value : axis.values) {
      std::string piece = fmt::format("{:.{}f}", value / scale, decimals);
      std::replace(piece.begin(), piece.end(), '.', 'p');
      pieces.push_back(std::move(piece));
    }
    if (std::set<std::string>(pieces.begin(), pieces.end()).size() == pieces.size()) return pieces;
  }
  std::vector<std::string> numbered;  // values nearer than a file name can say
  for (std::size_t i = 0; i < axis.values.size(); ++i) numbered.push_back(fmt::format("v{}", i));
  return numbered;
}

/// ".gpufreq_1380.cpufreq_2400" for one combination of value indices.
class SettingNames {
 public:
  explicit SettingNames(const std::vector<StudyAxis>& axes) {
    std::set<std::string> used;
    for (const StudyAxis& axis : axes) {
      std::string storage;
      const FileKey key = file_key(axis, storage);
      std::string name(key.key);
      while (!used.insert(name).second) name += 'x';
      keys_.push_back(name);
      pieces_.push_back(value_pieces(axis, key.scale));
    }
  }
  [[nodiscard]] std::string of(const std::vector<std::size_t>& choice) const {
    std::string out;
    for (std::size_t a = 0; a < choice.size(); ++a) {
      out += fmt::format(".{}_{}", keys_[a], pieces_[a][choice[a]]);
    }
    return out;
  }

 private:
  std::vector<std::string> keys_;
  std::vector<std::vector<std::string>> pieces_;
};

Result<std::size_t> grid_size(const StudyPlan& plan) {
  if (plan.axes.empty()) {
    return fail(Errc::invalid, "nothing to vary: give --control NAME=VALUE,.. at least once");
  }
  if (plan.trials < 1) {
    return fail(Errc::invalid, "trials: expected 1 or more, got {}", plan.trials);
  }
  std::set<std::string> names;
  double points = static_cast<double>(plan.trials);
  std::size_t grid = 1;
  for (const StudyAxis& axis : plan.axes) {
    if (!names.insert(axis.control).second) {
      return fail(Errc::invalid, "{}: given twice; list all its values in one --control",
                  axis.control);
    }
    if (axis.values.empty()) return fail(Errc::invalid, "{}: no values", axis.control);
    points *= static_cast<double>(axis.values.size());
    if (points > static_cast<double>(kMaxPoints)) break;
    grid *= axis.values.size();
  }
  if (points > static_cast<double>(kMaxPoints)) {
    return fail(Errc::invalid,
                "the grid has more than {} points; take fewer values, or FROM:TO:STEP with a "
                "wider step",
                kMaxPoints);
  }
  return grid;
}

std::vector<std::size_t> choice_of(std::size_t cell, const std::vector<StudyAxis>& axes) {
  std::vector<std::size_t> choice(axes.size());
  for (std::size_t a = axes.size(); a-- > 0;) {
    choice[a] = cell % axes[a].values.size();
    cell /= axes[a].values.size();
  }
  return choice;
}

PlannedPoint make_point(const StudyPlan& plan, const SettingNames& names,
                        const std::vector<std::size_t>& choice, std::int64_t trial,
                        bool reference) {
  PlannedPoint point;
  // References lie in a folder of their own, so that GEOPM's scripts, which take every report of a
  // folder for a run of the grid, see the grid alone.
  point.id = fmt::format("{}agent_{}.{}{}.trial_{}", reference ? "reference/" : "",
                         file_piece(plan.agent), file_piece(plan.app), names.of(choice), trial);
  for (std::size_t a = 0; a < choice.size(); ++a) {
    point.values.push_back(plan.axes[a].values[choice[a]]);
  }
  point.trial = trial;
  point.reference = reference;
  return point;
}

std::string axes_text(const std::vector<StudyAxis>& axes) {
  std::vector<std::string> out;
  for (const StudyAxis& axis : axes) {
    std::vector<std::string> values;
    for (const double v : axis.values) values.push_back(setting_text(v, axis.unit));
    out.push_back(axis.control + "=" + join(values, ","));
  }
  return join(out, " ");
}

}  // namespace

std::string file_piece(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-';
    out += plain ? c : '-';
    if (out.size() >= 80) break;  // room for the other pieces within a file name's 255 bytes
  }
  return out.empty() ? "app" : out;
}

std::string app_name(const std::vector<std::string>& command) {
  if (command.empty()) return "app";
  std::string name = base_name(command.front());
  for (const std::string_view ending : {".program", ".txt", ".py", ".sh"}) {
    if (name.size() > ending.size() && std::string_view(name).ends_with(ending)) {
      name.resize(name.size() - ending.size());
      break;
    }
  }
  return name.empty() ? "app" : name;
}

Result<std::vector<PlannedPoint>> lay_out(const StudyPlan& plan) {
  METE_TRY(const std::size_t grid, grid_size(plan));
  const SettingNames names(plan.axes);
  const std::vector<std::size_t> top = [&] {
    std::vector<std::size_t> choice;
    for (const StudyAxis& axis : plan.axes) choice.push_back(axis.values.size() - 1);
    return choice;
  }();
  std::vector<PlannedPoint> out;
  std::int64_t references = 0;
  const auto add_reference = [&] {
    out.push_back(make_point(plan, names, top, ++references, true));
  };
  std::size_t since_reference = 0;
  if (plan.reference_every > 0) add_reference();
  // Each trial is shuffled by itself: every setting then meets every part of the day, and a study
  // that is cut short is still balanced.
  for (std::int64_t trial = 1; trial <= plan.trials; ++trial) {
    std::vector<std::size_t> cells(grid);
    for (std::size_t i = 0; i < grid; ++i) cells[i] = i;
    Rng rng = Rng(plan.seed).fork(static_cast<std::uint64_t>(trial));
    rng.shuffle(cells);
    for (const std::size_t cell : cells) {
      if (plan.reference_every > 0 && since_reference == plan.reference_every) {
        add_reference();
        since_reference = 0;
      }
      out.push_back(make_point(plan, names, choice_of(cell, plan.axes), trial, false));
      ++since_reference;
    }
  }
  if (plan.reference_every > 0) add_reference();
  return out;
}

std::vector<std::string> differences(const StudyPlan& here, const StudyPlan& asked) {
  std::vector<std::string> out;
  const auto compare = [&](std::string_view what, const std::string& a, const std::string& b) {
    if (a != b) out.push_back(fmt::format("{}: {} here, {} asked for", what, a, b));
  };
  compare("command", join(here.command, " "), join(asked.command, " "));
  if (here.axes != asked.axes) compare("controls", axes_text(here.axes), axes_text(asked.axes));
  if (here.axes != asked.axes && out.empty()) out.emplace_back("controls: other values");
  compare("trials", std::to_string(here.trials), std::to_string(asked.trials));
  compare("seed", std::to_string(here.seed), std::to_string(asked.seed));
  compare("reference-every", std::to_string(here.reference_every),
          std::to_string(asked.reference_every));
  compare("app", here.app, asked.app);
  compare("app-config", here.app_config, asked.app_config);
  compare("agent", here.agent, asked.agent);
  compare("policy", here.policy, asked.policy);
  compare("model", here.model, asked.model);
  compare("signals", join(here.signals, ","), join(asked.signals, ","));
  compare("period", format_quantity(here.period, "s", 6), format_quantity(asked.period, "s", 6));
  compare("node", here.node, asked.node);
  compare("target", here.target, asked.target);
  compare("target options", here.target_options, asked.target_options);
  compare("energy", join(here.energy_signals, "+"), join(asked.energy_signals, "+"));
  return out;
}

}  // namespace mete
