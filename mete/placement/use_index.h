// A problem's uses, numbered through: tensor t has uses first[t] .. first[t + 1] - 1, in the order
// of its kernels. What every solver works on. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "mete/placement/placement.h"
#include "mete/placement/problem.h"

namespace mete {

struct UseIndex {
  explicit UseIndex(const Problem& problem);

  [[nodiscard]] std::size_t uses() const { return kernel.size(); }
  [[nodiscard]] std::size_t uses_of(std::size_t t) const { return first[t + 1] - first[t]; }

  std::vector<std::uint32_t> first;         ///< per tensor, one more than tensors
  std::vector<std::uint32_t> kernel;        ///< per use
  std::vector<std::uint32_t> slot;          ///< per use: which of the kernel's tensors it is
  std::vector<std::uint8_t> forced;         ///< per use: cannot be in slow memory
  std::vector<std::uint32_t> kernel_first;  ///< per kernel, one more than kernels
  std::vector<std::uint32_t> use_at;        ///< kernel_first[k] + slot → use
  std::vector<std::int64_t> bytes;          ///< per tensor
  std::vector<double> write_seconds;        ///< per tensor: a move to slow memory
  std::vector<double> read_seconds;         ///< per tensor: a move to fast memory
};

}  // namespace mete
