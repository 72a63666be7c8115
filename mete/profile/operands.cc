// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/operands.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "mete/graph/ops.h"

namespace mete {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kLinesInPage = 64;

std::size_t round_to_lines(std::uint64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// Long enough that no row of a matrix repeats it, and a prime, so that rows differ.
constexpr std::size_t kPattern = 65521;

void fill_floats(float* to, std::size_t count, std::span<const float> pattern) {
  for (std::size_t at = 0; at < count; at += pattern.size()) {
    std::memcpy(to + at, pattern.data(), std::min(pattern.size(), count - at) * sizeof(float));
  }
}

/// Ops that read whole numbers: how many values there are.
struct IndexRule {
  const Op* op;
  std::size_t input;  ///< the one that holds the numbers
  std::size_t of;     ///< the one that says how many there are ..
  bool last_axis;     ///< .. by its last axis, else by its first
};
constexpr std::array<IndexRule, 4> kIndexRules{{
    {&kEmbeddingOp, 1, 0, false},
    {&kEmbeddingSgdOp, 2, 0, false},
    {&kCrossEntropyOp, 1, 0, true},
    {&kCrossEntropyBackwardOp, 1, 0, true},
}};

/// 1, which makes all of them 0, where no rule says more.
std::size_t index_limit(const KernelJob& job, std::size_t input) {
  for (const auto& rule : kIndexRules) {
    if (job.op->name != rule.op->name || input != rule.input || rule.of >= job.inputs.size())
      continue;
    const Shape& shape = job.inputs[rule.of].type.shape;
    if (shape.rank() == 0) return 1;
    return static_cast<std::size_t>(rule.last_axis ? shape.from_end(0) : shape[0]);
  }
  return 1;
}

void fill_input(const KernelJob& job, std::size_t input, std::byte* to, Rng rng,
                std::span<const float> pattern) {
  const TensorType& type = job.inputs[input].type;
  const std::size_t count = type.shape.elements();
  if (type.type == DataType::i64) {
    const std::size_t limit = index_limit(job, input);
    auto* const numbers = reinterpret_cast<std::int64_t*>(to);
    for (std::size_t i = 0; i < count; ++i)
      numbers[i] = static_cast<std::int64_t>(rng.below(limit));
  } else if (type.shape.rank() <= 1) {
    auto* const numbers = reinterpret_cast<float*>(to);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(0.5 + rng.uniform());
  } else {
    fill_floats(reinterpret_cast<float*>(to), count, pattern);
  }
}

}  // namespace

OperandPlan::OperandPlan(std::vector<std::uint64_t> slot_bytes, std::uint64_t cache_bytes, Rng rng)
    : slot_bytes_(std::move(slot_bytes)) {
  const auto bytes = std::accumulate(slot_bytes_.begin(), slot_bytes_.end(), std::uint64_t{1});
  const auto wanted = std::clamp<std::uint64_t>(2 * cache_bytes / bytes + 1, 1, kMostCopies);
  offsets_.resize(static_cast<std::size_t>(wanted));
  std::size_t at = 0;
  for (auto& copy : offsets_) {
    for (const auto size : slot_bytes_) {
      // Where a tensor begins within a page changes a kernel's time: no copy begins like another.
      at += rng.below(kLinesInPage) * kLine;
      copy.push_back(at);
      at += round_to_lines(size);
    }
  }
  pool_bytes_ = at;
}

void fill_operands(const KernelJob& job, const NodeSlots& slots, const OperandPlan& plan,
                   std::byte* pool, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> pattern(kPattern);
  for (auto& value : pattern) value = static_cast<float>(2 * rng.uniform() - 1);
  for (std::size_t copy = 0; copy < plan.copies(); ++copy) {
    for (std::size_t i = 0; i < job.inputs.size(); ++i) {
      fill_input(job, i, pool + plan.offset(copy, slots.of_input[i]), rng.fork(i), pattern);
    }
  }
}

void warm_up(const std::byte* data, std::size_t bytes) noexcept {
  // One word of each line is enough; volatile, because nobody wants the values.
  for (std::size_t at = 0; at < bytes; at += kLine) {
    static_cast<void>(*static_cast<const volatile std::byte*>(data + at));
  }
}

}  // namespace mete
