// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/board_workload.h"

#include <utility>

namespace mete {

BoardWorkload::BoardWorkload(Machine& machine, Program program)
    : machine_(machine), program_(std::move(program)) {}

std::string BoardWorkload::describe() const {
  return fmt::format("{} on {} GPU(s) of board {}", program_.text, machine_.gpu_count(),
                     machine_.board().name);
}

Result<void> BoardWorkload::start() {
  status_ = {};
  machine_.start(program_);
  return {};
}

bool BoardWorkload::wait_until(Nanoseconds deadline) noexcept {
  machine_.clock().advance_to(machine_.next_stop(deadline));
  return machine_.finished();
}

void BoardWorkload::stop(int signal) noexcept {
  if (machine_.finished()) return;
  machine_.stop();
  status_ = ExitStatus{128 + signal, signal};
}

}  // namespace mete
