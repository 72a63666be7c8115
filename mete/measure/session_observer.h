// SessionObserver: looks on while a session runs, without steering it: recordings, processes,
// regions. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/measure/run_header.h"
#include "mete/signal/platform.h"

namespace mete {

struct RunResult;

class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  /// Before the workload starts: pushes the signals it needs and opens its files. An error means
  /// that nothing is run.
  virtual Result<void> begin(Platform& platform, const RunHeader& header) = 0;
  /// After every read_batch, at `now` of the session's clock; the first comes before the workload
  /// starts, the last after its end. Throws nothing.
  virtual void sample(Platform& platform, Nanoseconds now) noexcept = 0;
  /// After the last sample: adds to the result what it has found, and its warnings.
  virtual void end(RunResult& result) = 0;
};

}  // namespace mete
