// Setting devfreq's range.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/jetson/gpu_clock.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {
constexpr double kMegahertz = 1e6;
}  // namespace

std::vector<double> devfreq_clocks(const SysRoot& root, const std::string& folder) {
  std::vector<double> clocks;
  const std::string text = root.read_text(folder + "/available_frequencies").value_or("");
  for (const auto word : split(text, ' ')) {
    const auto hertz = parse_int(trim(word));
    if (hertz && *hertz > 0) clocks.push_back(static_cast<double>(*hertz));
  }
  std::sort(clocks.begin(), clocks.end());
  clocks.erase(std::unique(clocks.begin(), clocks.end()), clocks.end());
  return clocks;
}

Result<ControlLimits> GpuClockControls::limits(const Request& request) const {
  METE_TRY([[maybe_unused]] const std::size_t row, find_control(info_, request, 1));
  return ControlLimits{clocks_.front(), clocks_.back(), clocks_};
}

Result<int> GpuClockControls::push(const Request& request) {
  METE_TRY([[maybe_unused]] const std::size_t row, find_control(info_, request, 1));
  METE_TRY([[maybe_unused]] const CpufreqRange now, present());
  is_max_.push_back(request.name == kGpuMaxControl);
  return static_cast<int>(is_max_.size()) - 1;
}

Result<CpufreqRange> GpuClockControls::present() const {
  METE_TRY(const std::int64_t min, root_.read_int(folder_ + "/min_freq"));
  METE_TRY(const std::int64_t max, root_.read_int(folder_ + "/max_freq"));
  return CpufreqRange{min, max};
}

Result<void> GpuClockControls::set(CpufreqRange wanted) const {
  METE_TRY(const CpufreqRange now, present());
  for (const CpufreqWrite& write : order_writes(now, wanted)) {
    METE_TRY_VOID(root_.write_text(folder_ + (write.is_max ? "/max_freq" : "/min_freq"),
                                   std::to_string(write.kilohertz)));
  }
  return {};
}

Result<void> GpuClockControls::write_batch(std::span<const double> values) {
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
  for (std::size_t h = 0; h < std::min(values.size(), is_max_.size()); ++h) {
    if (std::isnan(values[h])) continue;
    (is_max_[h] ? max : min) = std::llround(values[h]);
  }
  if (!min && !max) return {};
  if (min && max && *min > *max) {
    return fail(Errc::invalid, "{} of {} MHz is above {} of {} MHz: expected minimum <= maximum",
                kGpuMinControl, static_cast<double>(*min) / kMegahertz, kGpuMaxControl,
                static_cast<double>(*max) / kMegahertz);
  }
  METE_TRY(CpufreqRange range, present());
  if (max) range = {std::min(range.min, *max), *max};
  if (min) range = {*min, std::max(range.max, *min)};
  return set(range);
}

Result<std::string> GpuClockControls::save(const Request& request) const {
  METE_TRY([[maybe_unused]] const std::size_t row, find_control(info_, request, 1));
  METE_TRY(const CpufreqRange now, present());
  return fmt::format("{} {} Hz", now.min, now.max);
}

Result<void> GpuClockControls::restore(const Request& request, const std::string& saved) {
  METE_TRY([[maybe_unused]] const std::size_t row, find_control(info_, request, 1));
  const auto words = split(saved, ' ');
  const auto min = words.size() == 3 ? parse_int(words[0]) : std::nullopt;
  const auto max = words.size() == 3 ? parse_int(words[1]) : std::nullopt;
  // devfreq's own default for "no limit" is 0.
  if (!min || !max || *min < 0 || *max < *min || words[2] != "Hz") {
    return fail(Errc::invalid, "{} {} {}: cannot restore '{}': expected '<min> <max> Hz'",
                request.name, domain_name(request.domain), request.index, saved);
  }
  return set({*min, *max});
}

}  // namespace mete
