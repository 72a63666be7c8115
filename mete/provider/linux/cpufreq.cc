// cpufreq policies and their two limits.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/cpufreq.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/provider/request_check.h"

namespace mete {
namespace {

constexpr std::string_view kFolder = "/sys/devices/system/cpu/cpufreq";
constexpr double kHertzPerKilohertz = 1e3;

/// affected_cpus is a list of the online CPUs, divided by blanks.
std::vector<int> affected_cpus(const SysRoot& root, const std::string& policy, const CpuMap& map) {
  std::vector<int> cpus;
  const std::string text = root.read_text(policy + "/affected_cpus").value_or("");
  for (const auto word : split(text, ' ')) {
    const auto id = parse_int(trim(word));
    if (!id || *id < 0 || *id > 65535) continue;
    const int dense = map.dense_cpu(static_cast<int>(*id));
    if (dense >= 0) cpus.push_back(dense);
  }
  return cpus;
}

int part_of(const CpuMap& map, Domain domain, std::size_t cpu) {
  if (domain == Domain::package) return map.cpus[cpu].package;
  return domain == Domain::core ? map.cpus[cpu].core : static_cast<int>(cpu);
}

/// The policy of each part, if every part has exactly one and no policy reaches into two parts.
std::optional<std::vector<int>> match_parts(const CpuMap& map, Domain domain,
                                            const std::vector<int>& policy_of_cpu) {
  constexpr int kUnset = -2;
  std::vector<int> policy_of_part(static_cast<std::size_t>(map.count(domain)), kUnset);
  std::map<int, int> part_of_policy;
  for (std::size_t cpu = 0; cpu < policy_of_cpu.size(); ++cpu) {
    const int part = part_of(map, domain, cpu);
    int& policy = policy_of_part[static_cast<std::size_t>(part)];
    if (policy != kUnset && policy != policy_of_cpu[cpu]) return std::nullopt;
    policy = policy_of_cpu[cpu];
    if (policy >= 0 && part_of_policy.emplace(policy, part).first->second != part)
      return std::nullopt;
  }
  return policy_of_part;
}

std::optional<double> hertz(std::string_view kilohertz) {
  const auto value = parse_int(trim(kilohertz));
  if (!value || *value <= 0) return std::nullopt;
  return static_cast<double>(*value) * kHertzPerKilohertz;
}

}  // namespace

std::vector<CpufreqWrite> order_writes(CpufreqRange now, CpufreqRange wanted) {
  std::vector<CpufreqWrite> writes;
  const bool max_first = wanted.max >= now.min;
  for (const bool is_max : {max_first, !max_first}) {
    const std::int64_t from = is_max ? now.max : now.min;
    const std::int64_t to = is_max ? wanted.max : wanted.min;
    if (from != to) writes.push_back({is_max, to});
  }
  return writes;
}

std::string CpufreqMap::file(const SysRoot& root, int policy, const char* name) const {
  if (policy < 0) return {};
  std::string path = fmt::format("{}/{}", policies[static_cast<std::size_t>(policy)], name);
  return root.exists(path) ? path : std::string();
}

CpufreqMap read_cpufreq_map(const SysRoot& root, const CpuMap& map) {
  CpufreqMap out;
  out.policy_of_cpu.assign(map.cpus.size(), -1);
  for (const auto& name : root.list(kFolder)) {
    if (name.compare(0, 6, "policy") != 0) continue;
    const std::string folder = fmt::format("{}/{}", kFolder, name);
    const auto cpus = affected_cpus(root, folder, map);
    if (cpus.empty()) continue;  // all of its CPUs are offline
    for (const int cpu : cpus) {
      out.policy_of_cpu[static_cast<std::size_t>(cpu)] = static_cast<int>(out.policies.size());
    }
    out.policies.push_back(folder);
  }
  out.policy_of_part = out.policy_of_cpu;
  for (const Domain domain : {Domain::cpu, Domain::core, Domain::package}) {
    if (auto parts = match_parts(map, domain, out.policy_of_cpu)) {
      out.native = domain;
      out.policy_of_part = std::move(*parts);
      break;
    }
  }
  return out;
}

std::string CpufreqControls::path(int policy, const char* name) const {
  return fmt::format("{}/{}", map_.policies[static_cast<std::size_t>(policy)], name);
}

Result<CpufreqControls::Handle> CpufreqControls::find(const Request& request) const {
  METE_TRY([[maybe_unused]] const std::size_t row,
           find_control(info_, request, static_cast<int>(map_.policy_of_part.size())));
  const int policy = map_.policy_of_part[static_cast<std::size_t>(request.index)];
  if (policy < 0) {
    return fail(Errc::unavailable, "{}: {} {} has no cpufreq policy", request.name,
                domain_name(request.domain), request.index);
  }
  return Handle{policy, request.name == kMaxControl};
}

Result<ControlLimits> CpufreqControls::limits(const Request& request) const {
  METE_TRY(const Handle handle, find(request));
  METE_TRY(const std::int64_t min, root_.read_int(path(handle.policy, "cpuinfo_min_freq")));
  METE_TRY(const std::int64_t max, root_.read_int(path(handle.policy, "cpuinfo_max_freq")));
  if (min <= 0 || max < min) {
    return fail(Errc::failed,
                "{}: expected 0 < cpuinfo_min_freq <= cpuinfo_max_freq, got {} and {} kHz",
                root_.path(map_.policies[static_cast<std::size_t>(handle.policy)]), min, max);
  }
  ControlLimits limits{static_cast<double>(min) * kHertzPerKilohertz,
                       static_cast<double>(max) * kHertzPerKilohertz,
                       {}};
  for (const char* name : {"scaling_available_frequencies", "scaling_boost_frequencies"}) {
    const std::string text = root_.read_text(path(handle.policy, name)).value_or("");
    for (const auto word : split(text, ' ')) {
      if (const auto value = hertz(word)) limits.supported.push_back(*value);
    }
  }
  if (limits.supported.empty()) return limits;
  std::sort(limits.supported.begin(), limits.supported.end());
  limits.supported.erase(std::unique(limits.supported.begin(), limits.supported.end()),
                         limits.supported.end());
  limits.min = limits.supported.front();
  limits.max = limits.supported.back();
  return limits;
}

Result<int> CpufreqControls::push(const Request& request) {
  METE_TRY(const Handle handle, find(request));
  METE_TRY([[maybe_unused]] const CpufreqRange range, present(handle.policy));
  handles_.push_back(handle);
  return static_cast<int>(handles_.size()) - 1;
}

Result<CpufreqRange> CpufreqControls::present(int policy) const {
  METE_TRY(const std::int64_t min, root_.read_int(path(policy, "scaling_min_freq")));
  METE_TRY(const std::int64_t max, root_.read_int(path(policy, "scaling_max_freq")));
  return CpufreqRange{min, max};
}

Result<void> CpufreqControls::set(int policy, CpufreqRange wanted) const {
  METE_TRY(const CpufreqRange now, present(policy));
  for (const CpufreqWrite& write : order_writes(now, wanted)) {
    METE_TRY_VOID(
        root_.write_text(path(policy, write.is_max ? "scaling_max_freq" : "scaling_min_freq"),
                         std::to_string(write.kilohertz)));
  }
  return {};
}

Result<void> CpufreqControls::write_batch(std::span<const double> values) {
  struct Wanted {
    std::optional<std::int64_t> min;
    std::optional<std::int64_t> max;
  };
  // Both limits of a policy are gathered before either is written. Handles of one policy (CPUs of a
  // cluster) that disagree: the last one wins.
  std::map<int, Wanted> wanted;
  for (std::size_t h = 0; h < std::min(values.size(), handles_.size()); ++h) {
    if (std::isnan(values[h])) continue;
    const std::int64_t kilohertz = std::llround(values[h] / kHertzPerKilohertz);
    Wanted& w = wanted[handles_[h].policy];
    (handles_[h].is_max ? w.max : w.min) = kilohertz;
  }
  Result<void> outcome;
  const auto keep_first = [&outcome](Result<void> result) {
    if (!result && outcome) outcome = std::move(result);
  };
  for (const auto& [policy, w] : wanted) {
    if (w.min && w.max && *w.min > *w.max) {
      keep_first(fail(Errc::invalid,
                      "{} of {} MHz is above {} of {} MHz: expected minimum <= maximum",
                      kMinControl, static_cast<double>(*w.min) / kHertzPerKilohertz, kMaxControl,
                      static_cast<double>(*w.max) / kHertzPerKilohertz));
      continue;
    }
    auto range = present(policy);
    if (!range) {
      keep_first(range.error());
      continue;
    }
    if (w.max) *range = {std::min(range->min, *w.max), *w.max};
    if (w.min) *range = {*w.min, std::max(range->max, *w.min)};
    keep_first(set(policy, *range));
  }
  return outcome;
}

Result<std::string> CpufreqControls::save(const Request& request) const {
  METE_TRY(const Handle handle, find(request));
  METE_TRY(const CpufreqRange range, present(handle.policy));
  return fmt::format("{} {} kHz", range.min, range.max);
}

Result<void> CpufreqControls::restore(const Request& request, const std::string& saved) {
  METE_TRY(const Handle handle, find(request));
  const auto words = split(saved, ' ');
  const auto min = words.size() == 3 ? parse_int(words[0]) : std::nullopt;
  const auto max = words.size() == 3 ? parse_int(words[1]) : std::nullopt;
  if (!min || !max || *min <= 0 || *max < *min || words[2] != "kHz") {
    return fail(Errc::invalid, "{} {} {}: cannot restore '{}': expected '<min> <max> kHz'",
                request.name, domain_name(request.domain), request.index, saved);
  }
  return set(handle.policy, {*min, *max});
}

}  // namespace mete
