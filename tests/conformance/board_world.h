// A board under test: one machine that runs a program, seen through as many providers as are asked
// for. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>

#include "tests/conformance/provider_world.h"

#include "mete/provider/board/board_provider.h"

namespace mete::test {

class BoardWorld final : public World {
 public:
  /// `program` runs from the start; the options are the defaults, noise and latency included.
  BoardWorld(const std::string& board, const std::string& program, int gpus)
      : machine_(
            Machine::make(load_board(board).value(), MachineOptions(), gpus, clock_, 1).value()) {
    machine_->start(load_program(program, machine_->board()).value());
  }
  std::unique_ptr<Provider> provider() override { return make_board_provider(*machine_); }
  void advance() override { clock_.advance_to(clock_.now() + std::chrono::milliseconds(10)); }

 private:
  VirtualClock clock_;
  std::unique_ptr<Machine> machine_;
};

inline ProviderCase on_board(std::string name, std::string board, std::string program, int gpus) {
  return {std::move(name), [=] { return std::make_unique<BoardWorld>(board, program, gpus); }};
}

}  // namespace mete::test
