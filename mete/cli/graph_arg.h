// The graphs that verbs take: zoo:NAME. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "mete/base/result.h"
#include "mete/graph/graph.h"

namespace mete {

/// The model's forward pass at that batch, with its loss.
Result<Graph> load_model(const std::string& text, std::int64_t batch);
/// One training step of it: forward, gradients, updates.
Result<Graph> load_training_step(const std::string& text, std::int64_t batch);

}  // namespace mete
