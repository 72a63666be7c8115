// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/data_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/stats.h"
#include "mete/base/text.h"

namespace mete {
namespace {

// A log is some kilobytes; a hundred times the longest seen is no log.
constexpr std::size_t kLongestLog = std::size_t{4} << 20U;
constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 24U;

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto value = parse_int(text);
  if (!value || *value <= 0 || static_cast<std::uint64_t>(*value) > kLargestSize)
    return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

/// parse_double without its leniency: a log holds tens of thousands of plain numbers.
std::optional<double> plain_number(std::string_view text) {
  text = trim(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

/// The last line: 1 field or 3. False if it is neither.
bool read_tail(std::string_view line, GemmRun& run) {
  const auto fields = split(line, ',');
  if (fields.size() != 1 && fields.size() != 3) return false;
  std::array<double, 3> values{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = plain_number(fields[i]);
    if (!value || *value <= 0) return false;
    values[i] = *value;
  }
  run.flops = values[0];
  if (fields.size() == 3) {
    run.iterations = values[1];
    run.seconds = values[2];
  }
  return true;
}

Result<PowerSample> read_sample(std::string_view line, std::string_view file, std::size_t number) {
  const auto comma = line.find(',');
  const auto time =
      comma == std::string_view::npos ? std::nullopt : plain_number(line.substr(0, comma));
  const auto watts =
      comma == std::string_view::npos ? std::nullopt : plain_number(line.substr(comma + 1));
  if (!time || !watts || *watts < 0) {
    return fail(Errc::invalid, "{}: line {}: expected `unix_ms,watts`, got '{}'", file, number,
                line.substr(0, 60));
  }
  return PowerSample{*time / 1e3, *watts};
}

std::vector<double> positive_watts(const GemmRun& run) {
  std::vector<double> watts;
  for (const auto& sample : run.power) {
    if (sample.watts > 0) watts.push_back(sample.watts);
  }
  return watts;
}

void find_bad_readings(const GemmRun& run, double median, std::vector<Oddity>& out) {
  std::size_t zeros = 0;
  const std::size_t last = run.power.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const double watts = run.power[i].watts;
    if (watts == 0) ++zeros;
    // The ends may be idle, and the meter climbs for a while; after that no reading is off by a
    // quarter.
    const bool inner = i > 4 && i < last;
    if (inner && watts > 1.25 * median) {
      out.push_back({"spike", fmt::format("sample {} reads {:.4g} W where {:.4g} W is usual", i + 1,
                                          watts, median)});
    }
    if (inner && watts > 0 && watts < 0.5 * median) {
      out.push_back({"drop", fmt::format("sample {} reads {:.4g} W where {:.4g} W is usual", i + 1,
                                         watts, median)});
    }
  }
  if (zeros > 0)
    out.push_back(
        {"zero-reading", fmt::format("{} of {} samples read 0 W", zeros, run.power.size())});
}

void find_timing(const GemmRun& run, std::size_t usual_samples, std::vector<Oddity>& out) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < run.power.size(); ++i)
    steps.push_back(run.power[i].time - run.power[i - 1].time);
  if (!steps.empty()) {
    const double usual = median_of(steps);
    const double worst = *std::max_element(steps.begin(), steps.end());
    if (worst > 2 * usual)
      out.push_back(
          {"gap", fmt::format("{:.3g} s without a sample, {:.3g} s is usual", worst, usual)});
    if (*std::min_element(steps.begin(), steps.end()) <= 0) {
      out.push_back({"time-goes-back", "samples are not in the order of time"});
    }
  }
  if (usual_samples > 0 &&
      static_cast<double>(run.power.size()) < 0.8 * static_cast<double>(usual_samples)) {
    out.push_back({"few-samples",
                   fmt::format("{} samples where {} are usual", run.power.size(), usual_samples)});
  }
}

}  // namespace

Result<GemmPoint> parse_data_name(std::string_view file_name) {
  const auto name = base_name(file_name);
  const auto refuse = [&] {
    return fail(Errc::invalid,
                "{}: no name of a log: expected DEVICE-TYPE-SIZE-tensor|nontensor-HERTZ.data, or "
                "two sizes for a "
                "rectangular one",
                name);
  };
  constexpr std::string_view kEnding = ".data";
  if (!name.ends_with(kEnding)) return refuse();
  const auto stem = std::string_view(name).substr(0, name.size() - kEnding.size());
  const auto parts = split(stem, '-');
  if (parts.size() < 5) return refuse();
  // Read from the end: a device's name may hold a '-'.
  const auto frequency = parse_double(parts[parts.size() - 1]);
  const auto tensor = parts[parts.size() - 2];
  if (!frequency || !std::isfinite(*frequency) || *frequency < 0 ||
      (tensor != "tensor" && tensor != "nontensor")) {
    return refuse();
  }
  std::size_t at = parts.size() - 3;
  const auto last_size = parse_size(parts[at]);
  if (!last_size || at == 0) return refuse();
  auto first_size = at >= 3 ? parse_size(parts[at - 1]) : std::nullopt;
  if (first_size) --at;
  if (at < 2) return refuse();
  GemmPoint point;
  point.dtype = std::string(parts[at - 1]);
  point.device =
      std::string(stem.substr(0, static_cast<std::size_t>(parts[at - 1].data() - stem.data()) - 1));
  point.rows = first_size.value_or(*last_size);
  point.depth = *last_size;
  point.tensor = std::string(tensor);
  point.frequency = *frequency;
  if (point.dtype.empty() || point.device.empty()) return refuse();
  return point;
}

std::string data_name(const GemmPoint& point) {
  const auto size = point.square() ? fmt::format("{}", point.rows)
                                   : fmt::format("{}-{}", point.rows, point.depth);
  return fmt::format("{}-{}-{}-{}-{:.0f}.data", point.device, point.dtype, size, point.tensor,
                     point.frequency);
}

Result<GemmRun> parse_data_file(std::string_view file_name, std::string_view text) {
  GemmRun run;
  METE_TRY(run.point, parse_data_name(file_name));
  run.origin = base_name(file_name);
  run.power_source = "sampled by a meter";
  std::vector<std::string_view> lines;
  for (const auto line : split(text, '\n')) lines.push_back(trim(line));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) return fail(Errc::invalid, "{}: empty; the run left nothing", run.origin);

  const bool has_tail = read_tail(lines.back(), run);
  const std::size_t samples = lines.size() - (has_tail ? 1 : 0);
  run.power.reserve(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    auto sample = read_sample(lines[i], run.origin, i + 1);
    if (!sample) return sample.error();
    run.power.push_back(*sample);
  }
  if (!has_tail)
    run.oddities.push_back(
        {"no-rate", "no last line with FLOP/s: its power is kept, its rate is unknown"});
  return run;
}

std::string data_text(const GemmRun& run) {
  std::string out;
  for (const auto& sample : run.power)
    out += fmt::format("{:.0f},{}\n", sample.time * 1e3, sample.watts);
  if (std::isnan(run.flops)) return out;
  out += fmt::format("{}", run.flops);
  if (!std::isnan(run.iterations) && !std::isnan(run.seconds))
    out += fmt::format(",{},{}", run.iterations, run.seconds);
  return out;
}

std::vector<Oddity> find_oddities(const GemmRun& run, std::size_t usual_samples) {
  std::vector<Oddity> out;
  if (run.power.empty()) {
    out.push_back({"no-power", "no power samples"});
    return out;
  }
  const auto watts = positive_watts(run);
  if (watts.empty()) {
    out.push_back({"zero-reading", "every sample reads 0 W"});
    return out;
  }
  const double median = median_of(watts);
  find_bad_readings(run, median, out);
  if (run.power.front().watts < 0.8 * median) {
    out.push_back({"idle-start", fmt::format("the first sample reads {:.4g} W, before the load",
                                             run.power.front().watts)});
  }
  if (run.power.size() > 1 && run.power.back().watts < 0.9 * median) {
    out.push_back({"idle-end", fmt::format("the last sample reads {:.4g} W, after the load",
                                           run.power.back().watts)});
  }
  find_timing(run, usual_samples, out);
  return out;
}

Result<DataFolder> read_data_folder(const std::string& folder) {
  METE_TRY(const auto names, list_directory(folder));
  DataFolder out;
  std::vector<double> counts;
  for (const auto& name : names) {
    const auto path = path_join(folder, name);
    if (is_directory(path)) {
      out.left_out.push_back(fmt::format("{}: a folder", name));
      continue;
    }
    if (auto point = parse_data_name(name); !point) {
      out.left_out.push_back(point.error().what);
      continue;
    }
    const auto text = read_file(path, kLongestLog);
    auto run = text ? parse_data_file(name, *text) : Result<GemmRun>(text.error());
    if (!run) {
      out.broken.push_back(run.error().what);
      continue;
    }
    counts.push_back(static_cast<double>(run->power.size()));
    out.runs.push_back(std::move(*run));
  }
  if (out.runs.empty() && out.broken.empty()) {
    return fail(Errc::invalid,
                "{}: no logs here (DEVICE-TYPE-SIZE-tensor|nontensor-HERTZ.data); {}", folder,
                out.left_out.empty() ? "the folder is empty"
                                     : fmt::format("{} other entries, such as {}",
                                                   out.left_out.size(), names.front()));
  }
  const auto usual = counts.empty() ? std::size_t{0} : static_cast<std::size_t>(median_of(counts));
  for (auto& run : out.runs) {
    for (auto& oddity : find_oddities(run, usual)) run.oddities.push_back(std::move(oddity));
  }
  return out;
}

}  // namespace mete
