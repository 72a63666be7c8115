// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/process_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// "0::/user.slice/x.scope" of /proc/PID/cgroup; version 1's hierarchies have no one name.
std::string cgroup_of(const SysRoot& root, pid_t pid) {
  const auto text = root.read_text(fmt::format("/proc/{}/cgroup", pid));
  if (!text) return {};
  for (const auto line : split(*text, '\n')) {
    if (line.starts_with("0::")) return std::string(line.substr(3));
  }
  return {};
}

double total(const std::array<double, kSharedDomains.size()>& watts) {
  double sum = 0;
  for (const double w : watts) sum += std::isnan(w) ? 0 : w;
  return sum;
}

}  // namespace

std::vector<pid_t> root_processes(const SysRoot& root) {
  std::vector<pid_t> out;
  for (const auto& name : root.list("/proc")) {
    const auto pid = parse_int(name);
    if (!pid) continue;
    ProcessStat stat;
    const auto text = root.read_text(fmt::format("/proc/{}/stat", *pid));
    if (text && parse_process_stat(*text, stat) && stat.parent == 0) {
      out.push_back(static_cast<pid_t>(*pid));
    }
  }
  return out;
}

ProcessWatch::ProcessWatch(Platform& platform, const NodeWatch& watch, SysRoot root,
                           std::size_t most, std::vector<std::string>& notices)
    : platform_(platform), watch_(watch), root_(std::move(root)), most_(most) {
  ProcessScope scope;
  scope.kind = ProcessScope::Kind::pids;
  scope.pids = root_processes(root_);
  if (scope.pids.empty()) {
    notices.emplace_back("processes are left out: no /proc here tells of any");
    return;
  }
  if (auto begun = shares_.begin(platform_, root_, scope, watch_.series(), notices); !begun) {
    notices.push_back(fmt::format("processes are left out: {}", begun.error().what));
  }
}

void ProcessWatch::look(Nanoseconds now) {
  const double seconds = to_seconds(now - last_);
  last_ = now;
  shares_.update(platform_, watch_.series(), true);
  busiest_.clear();
  if (shares_.meter() == nullptr) return;
  // The first look has nothing to be compared with.
  if (looked_ && seconds > 0) rank(seconds);
  looked_ = true;
  before_.clear();
  for (const auto& use : shares_.meter()->processes()) before_.emplace_back(use.pid, use.joules);
  std::sort(before_.begin(), before_.end());
}

void ProcessWatch::rank(double seconds) {
  const auto& uses = shares_.meter()->processes();
  for (std::size_t i = 1; i < uses.size(); ++i) {  // 0 is what ended unseen
    const ProcessUse& use = uses[i];
    if (use.ended) continue;
    WatchedProcess process;
    process.pid = use.pid;
    process.name = use.name;
    process.cpu_seconds = use.cpu_seconds;
    process.cpus = use.cpu_delta / seconds;
    process.rss_bytes = use.rss_bytes;
    process.gpu_share = use.gpu_share;
    process.gpu_memory_bytes = use.gpu_memory_bytes;
    const auto was = std::lower_bound(before_.begin(), before_.end(), use.pid,
                                      [](const auto& row, pid_t pid) { return row.first < pid; });
    const bool known = was != before_.end() && was->first == use.pid;
    for (std::size_t k = 0; k < kSharedDomains.size(); ++k) {
      process.joules[k] = shares_.any(k) ? use.joules[k] : kNaN;
      process.watts[k] = (process.joules[k] - (known ? was->second[k] : 0)) / seconds;
    }
    // One that rests for a moment stays, so that its series has no holes.
    if (process.cpu_seconds > 0 || total(process.joules) > 0) {
      busiest_.push_back(std::move(process));
    }
  }
  std::stable_sort(busiest_.begin(), busiest_.end(), [](const auto& a, const auto& b) {
    const double x = total(a.watts);
    const double y = total(b.watts);
    if (x != y) return x > y;
    return a.cpus != b.cpus ? a.cpus > b.cpus : a.cpu_seconds > b.cpu_seconds;
  });
  if (busiest_.size() > most_) busiest_.resize(most_);
  for (auto& process : busiest_) process.cgroup = cgroup_of(root_, process.pid);
}

}  // namespace mete
