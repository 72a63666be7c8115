// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/attach_workload.h"

#include <algorithm>

#include <fmt/format.h>

namespace mete {
namespace {

constexpr Nanoseconds kLookEvery = std::chrono::milliseconds(50);
/// An interrupt must be heard soon, whatever the period.
constexpr Nanoseconds kSlice = std::chrono::milliseconds(20);

}  // namespace

std::string AttachWorkload::describe() const {
  return cgroup_.empty() ? fmt::format("process {}", fmt::join(pids_, ", "))
                         : fmt::format("cgroup {}", cgroup_);
}

bool AttachWorkload::over() const noexcept {
  if (!cgroup_.empty()) {
    const auto events = root_.read_text(cgroup_ + "/cgroup.events");
    if (events) return events->find("populated 0") != std::string::npos;
    const auto list =
        root_.read_text(cgroup_ + "/cgroup.procs");  // the first generation of cgroups
    return !list || list->empty();
  }
  return std::none_of(pids_.begin(), pids_.end(), [this](pid_t pid) {
    const auto stat = root_.read_text(fmt::format("/proc/{}/stat", pid));
    if (!stat) return false;
    const auto close = stat->rfind(')');
    // A zombie has ended; its parent may never ask.
    return close == std::string::npos || stat->compare(close, 3, ") Z") != 0;
  });
}

Result<void> AttachWorkload::start() {
  if (!over()) return {};
  return fail(Errc::invalid, "{}: nothing of it runs", describe());
}

bool AttachWorkload::wait_until(Nanoseconds deadline) noexcept {
  while (!stopped_) {
    const Nanoseconds now = clock_.now();
    if (now >= next_look_) {
      if (over()) return true;
      next_look_ = now + kLookEvery;
    }
    if (now >= deadline || interrupt_.signal() != 0) return false;
    clock_.sleep_until(std::min(deadline, now + kSlice));
  }
  return true;
}

}  // namespace mete
