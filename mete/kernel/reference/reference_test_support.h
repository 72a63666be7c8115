// One op, run by the reference on small tensors. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/graph/ops.h"
#include "mete/kernel/kernel.h"

namespace mete {

struct TestOperand {
  TensorType type;
  std::vector<float> values = {};
  std::vector<std::int64_t> numbers = {};

  [[nodiscard]] const void* data() const {
    return type.type == DataType::i64 ? static_cast<const void*>(numbers.data()) : values.data();
  }
};
inline TestOperand floats(Shape shape, std::vector<float> values) {
  return {{std::move(shape)}, values};
}
inline TestOperand numbers(Shape shape, std::vector<std::int64_t> values) {
  return {{std::move(shape), DataType::i64}, {}, values};
}
inline TestOperand random(const Shape& shape, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(shape.elements());
  for (auto& each : values) each = static_cast<float>(rng.normal());
  return floats(shape, values);
}

using Results = std::vector<std::vector<float>>;
inline Result<Results> try_op(const Op& op, const std::vector<TestOperand>& in,
                              const Attributes& a = {}) {
  KernelJob job{&op, a, {}, {}, 1};
  std::vector<TensorType> types;
  std::vector<const void*> inputs;
  for (const auto& each : in) {
    types.push_back(each.type);
    job.inputs.push_back({each.type});
    inputs.push_back(each.data());
  }
  METE_TRY(const auto results, op.infer(types, a));
  Results out;
  for (const auto& each : results) {
    job.outputs.push_back({each});
    out.emplace_back(each.shape.elements(), NAN);
  }
  std::vector<void*> outputs;
  for (auto& each : out) outputs.push_back(each.data());
  METE_TRY(const auto kernel, make_reference_library()->make(job));
  METE_TRY_VOID(kernel->run(inputs, outputs));
  return out;
}

inline Results run_op(const Op& op, const std::vector<TestOperand>& in, const Attributes& a = {}) {
  auto done = try_op(op, in, a);
  EXPECT_TRUE(done) << op.name << ": " << (done ? "" : done.error().what);
  return done ? *done : Results(3);
}

}  // namespace mete
