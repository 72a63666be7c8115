// A program on a board as a workload: every GPU of the machine runs it, in virtual time.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/measure/workload.h"
#include "mete/provider/board/machine.h"

namespace mete {

class BoardWorkload final : public Workload {
 public:
  /// The machine must outlive it.
  BoardWorkload(Machine& machine, Program program);

  /// "vectorAdd:20s on 2 GPU(s) of board v100"
  std::string describe() const override;
  /// Starts the program on all GPUs at the present virtual time. It may be started again once it
  /// has ended.
  Result<void> start() override;
  /// Jumps the clock to the deadline or to the moment the last GPU has finished.
  bool wait_until(Nanoseconds deadline) noexcept override;
  /// Ends the program at the present time.
  void stop(int signal) noexcept override;
  ExitStatus status() const override { return status_; }

 private:
  Machine& machine_;
  Program program_;
  ExitStatus status_;
};

}  // namespace mete
