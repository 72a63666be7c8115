// Numbers a problem's uses through.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/use_index.h"

#include "mete/placement/slow_tables.h"

namespace mete {

UseIndex::UseIndex(const Problem& problem) {
  first.push_back(0);
  for (const auto& tensor : problem.tensors) {
    first.push_back(first.back() + static_cast<std::uint32_t>(tensor.uses.size()));
    kernel.insert(kernel.end(), tensor.uses.begin(), tensor.uses.end());
    bytes.push_back(static_cast<std::int64_t>(tensor.bytes));
    write_seconds.push_back(static_cast<double>(tensor.bytes) / problem.rates.fast_to_slow);
    read_seconds.push_back(static_cast<double>(tensor.bytes) / problem.rates.slow_to_fast);
  }
  slot.resize(kernel.size());
  forced.resize(kernel.size());
  auto next = first;
  kernel_first.push_back(0);
  for (const auto& k : problem.kernels) {
    const auto table = k.additive() ? 0U : forced_slots(k);
    for (std::uint32_t b = 0; b < k.tensors.size(); ++b) {
      const auto use = next[k.tensors[b]]++;
      use_at.push_back(use);
      slot[use] = b;
      forced[use] = k.additive() ? k.slow_seconds[b] == kCannotRun : (table >> b) & 1U;
    }
    kernel_first.push_back(static_cast<std::uint32_t>(use_at.size()));
  }
}

}  // namespace mete
