// The board provider: a machine's GPUs as signals and controls, with the names and meanings an
// NVIDIA GPU's have. Every value is replayed. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/provider/board/machine.h"
#include "mete/signal/provider.h"

namespace mete {

/// The machine must outlive the provider; several providers of one machine do not disturb each
/// other.
///
/// GPU_UTILIZATION and the activities are means over the time since this provider's read before;
/// when no time has passed since, they are what they were, and 0 at first. GPU_POWER is what the
/// board's sensor shows, GPU_ENERGY the exact integral of power since the machine was made.
std::unique_ptr<Provider> make_board_provider(Machine& machine);

}  // namespace mete
