// AttachWorkload: processes that run already, looked at until they have ended or we are told to
// stop. Nothing is ever sent to them. Linux, real time. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "mete/base/interrupt.h"
#include "mete/base/sys_root.h"
#include "mete/measure/workload.h"

namespace mete {

class AttachWorkload final : public Workload {
 public:
  /// `pids`, or all of `cgroup` ("" for none). References outlive it.
  AttachWorkload(std::vector<pid_t> pids, std::string cgroup, SysRoot root, Clock& clock,
                 const Interrupt& interrupt)
      : pids_(std::move(pids)),
        cgroup_(std::move(cgroup)),
        root_(std::move(root)),
        clock_(clock),
        interrupt_(interrupt) {}

  std::string describe() const override;
  Result<void> start() override;
  bool wait_until(Nanoseconds deadline) noexcept override;
  void stop(int /*signal*/) noexcept override { stopped_ = true; }
  ExitStatus status() const override { return {}; }

 private:
  [[nodiscard]] bool over() const noexcept;

  std::vector<pid_t> pids_;
  std::string cgroup_;
  SysRoot root_;
  Clock& clock_;
  const Interrupt& interrupt_;
  Nanoseconds next_look_{0};
  bool stopped_ = false;
};

}  // namespace mete
