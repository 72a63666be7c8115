// The graphs that verbs take: zoo:NAME, or FILE.onnx. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "mete/base/result.h"
#include "mete/graph/graph.h"

namespace mete {

/// What --batch of these verbs takes.
inline constexpr int kMostBatch = 1'000'000'000;

/// One training step at that batch: forward, gradients, updates. A file without a loss gets the
/// cross-entropy of its first result.
Result<Graph> load_training_step(const std::string& text, std::int64_t batch);

}  // namespace mete
