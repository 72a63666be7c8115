// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/run_name.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kSmallestPlainHertz = 1e7;  // 10 THz if it were MHz

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool starts_with_digit(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

struct Piece {
  std::string key;
  std::string value;
};

/// "a.b_1.5.c_2" → {"", a}, {b, 1.5}, {c, 2}: a dot between digits belongs to the number.
std::vector<Piece> pieces_of(std::string_view stem, bool join_decimals) {
  std::vector<Piece> pieces;
  for (const auto part : split(stem, '.')) {
    if (join_decimals && starts_with_digit(part) && part.find('_') == std::string_view::npos &&
        !pieces.empty() && !pieces.back().key.empty() && all_digits(pieces.back().value)) {
      pieces.back().value.append(".").append(part);
      continue;
    }
    const auto bar = part.find('_');
    if (bar == std::string_view::npos || bar == 0) {
      pieces.push_back({"", std::string(part)});
    } else {
      pieces.push_back({std::string(part.substr(0, bar)), std::string(part.substr(bar + 1))});
    }
  }
  return pieces;
}

Result<double> clock_of(std::string_view value) {
  const auto number = parse_double(value);
  if (!number) return parse_quantity(value, "Hz");
  if (!std::isfinite(*number) || *number <= 0)
    return fail(Errc::invalid, "'{}' is no clock", value);
  if (value.find('.') != std::string_view::npos && *number < 100) return *number * 1e9;
  return *number >= kSmallestPlainHertz ? *number : *number * 1e6;
}

Result<RunName> parse_experiment_name(std::string_view stem) {
  const auto words = split(stem, '_');
  std::optional<double> frequency;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (!words[i].ends_with('g')) continue;
    if (const auto hertz = parse_double(words[i].substr(0, words[i].size() - 1))) frequency = hertz;
  }
  if (!frequency || !(*frequency > 0) || !std::isfinite(*frequency)) {
    return fail(Errc::invalid,
                "its name says no GPU clock: expected '..gpufreq_<MHz>..' or '.._<Hz>g_<trial>', "
                "or a sweep.json beside it");
  }
  const auto trial = parse_int(words.back());
  if (!trial) {
    return fail(Errc::invalid, "its name ends in '{}', expected the number of the trial",
                words.back());
  }
  RunName name;
  name.app = std::string(words.front());
  name.frequency = *frequency;
  name.trial = *trial;
  return name;
}

std::string options_of(const std::map<std::string, std::string>& values) {
  std::string options;
  for (const auto* key : {"memratio", "precision"}) {
    if (const auto found = values.find(key); found != values.end()) options += "-" + found->second;
  }
  return options;
}

Result<std::int64_t> trial_of(const std::map<std::string, std::string>& values, bool required) {
  const auto found = values.find("trial");
  if (found == values.end()) {
    if (required)
      return fail(Errc::invalid, "its name says no trial: expected '..trial_<number>..'");
    return 0;
  }
  const auto trial = parse_int(found->second);
  if (!trial)
    return fail(Errc::invalid, "its name says trial '{}', expected a number", found->second);
  return *trial;
}

bool is_tutorial_name(std::string_view stem) {
  return stem.starts_with("gpufreq_") || stem.find(".gpufreq_") != std::string_view::npos;
}

}  // namespace

Result<RunName> parse_run_name(std::string_view stem) {
  if (!is_tutorial_name(stem)) return parse_experiment_name(stem);
  RunName name;
  std::map<std::string, std::string> values;
  for (const auto& piece : pieces_of(stem, true)) {
    if (piece.key == "gpufreq" || piece.key == "memratio" || piece.key == "precision" ||
        piece.key == "trial") {
      values[piece.key] = piece.value;
    } else if (piece.key != "agent") {
      if (!name.app.empty()) name.app += ".";
      name.app += piece.key.empty() ? piece.value : piece.key + "_" + piece.value;
    }
  }
  auto clock = clock_of(values["gpufreq"]);
  if (!clock) {
    return fail(Errc::invalid, "its name says gpufreq_{}, expected a clock in MHz",
                values["gpufreq"]);
  }
  name.frequency = *clock;
  METE_TRY(name.trial, trial_of(values, false));
  if (name.app.empty()) name.app = "app";
  name.options = options_of(values);
  return name;
}

Result<RunName> parse_run_name_as_tutorial(std::string_view stem) {
  if (!is_tutorial_name(stem)) return parse_experiment_name(stem);
  RunName name;
  std::map<std::string, std::string> values;
  for (const auto& piece : pieces_of(stem, false)) {
    if (!piece.key.empty()) values[piece.key] = piece.value;
  }
  const auto megahertz = parse_int(values["gpufreq"]);
  if (!megahertz) {
    return fail(Errc::invalid, "its name says gpufreq_{}, expected whole MHz", values["gpufreq"]);
  }
  name.frequency = static_cast<double>(*megahertz) * 1e6;
  METE_TRY(name.trial, trial_of(values, true));
  name.options = options_of(values);
  return name;
}

std::optional<RunFile> parse_run_file(std::string_view file_name) {
  constexpr std::string_view kTrace = ".trace-";
  constexpr std::string_view kReport = ".report";
  // The last one: what follows is the host, and hosts have dots.
  if (const auto at = file_name.rfind(kTrace); at != std::string_view::npos && at > 0) {
    const auto host = file_name.substr(at + kTrace.size());
    if (host.empty()) return std::nullopt;
    return RunFile{RunFile::Kind::trace, std::string(file_name.substr(0, at)), std::string(host)};
  }
  const auto at = file_name.rfind(kReport);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const auto rest = file_name.substr(at + kReport.size());
  if (!rest.empty() && rest[0] != '-') return std::nullopt;
  return RunFile{RunFile::Kind::report, std::string(file_name.substr(0, at)),
                 std::string(rest.empty() ? rest : rest.substr(1))};
}

}  // namespace mete
