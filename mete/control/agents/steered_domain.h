// The two kinds of part whose clock an agent can steer, and what they are called in policies,
// reports and errors. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/control/agent.h"

namespace mete {

/// One kind: a GPU, or a CPU package.
struct SteeredKind {
  Domain domain = Domain::gpu;
  std::string_view label;   ///< in reports: "GPU 0 .."
  std::string_view prefix;  ///< of policy fields and signals: "GPU_PHI"
  std::string_view control;

  /// field("PHI"): "GPU_PHI" or "CPU_PHI".
  [[nodiscard]] std::string field(std::string_view name) const {
    return fmt::format("{}_{}", prefix, name);
  }
};

inline constexpr SteeredKind kSteeredGpu{Domain::gpu, "GPU", "GPU",
                                         "GPU_CORE_FREQUENCY_MAX_CONTROL"};
inline constexpr SteeredKind kSteeredPackage{Domain::package, "CPU", "CPU",
                                             "CPU_FREQUENCY_MAX_CONTROL"};

/// Of a domain that is neither: the GPU's; make_agent refuses what was not asked for.
constexpr const SteeredKind& steered_kind(Domain domain) {
  return domain == Domain::package ? kSteeredPackage : kSteeredGpu;
}
inline std::vector<Domain> steered_domains() { return {Domain::gpu, Domain::package}; }

}  // namespace mete
