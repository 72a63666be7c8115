// Workload: what is run under observation. A child process tree in real time, or a program on a
// board in virtual time; the session does not know which. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mete/base/clock.h"
#include "mete/base/result.h"

namespace mete {

struct ExitStatus {
  int code = 0;    ///< exit code, or 128 + signal as shells report it
  int signal = 0;  ///< the signal that ended it, or 0
  [[nodiscard]] bool ok() const { return code == 0; }
};

class Workload {
 public:
  virtual ~Workload() = default;
  /// The command line or program, for reports.
  virtual std::string describe() const = 0;
  /// Starts it. An error means that nothing runs (a command not found: invalid).
  virtual Result<void> start() = 0;
  /// Returns at `deadline`, or as soon as the workload ends, or when `stop` asks to (Interrupt),
  /// whichever is first. True once the workload has ended. A virtual clock jumps to that moment.
  /// Allocates nothing.
  virtual bool wait_until(Nanoseconds deadline) noexcept = 0;
  /// Asks the whole process tree to end with this signal (SIGINT, SIGTERM; SIGKILL cannot be
  /// refused).
  virtual void stop(int signal) noexcept = 0;
  /// Once ended.
  virtual ExitStatus status() const = 0;
};

}  // namespace mete
