// One reading of signals, some of which need two looks. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

namespace mete {

class Target;

/// Reads what these handles of the target's platform ask for. Differences, such as utilisation,
/// have no value until some time has passed: up to half a second is given them.
void read_with_patience(Target& target, const std::vector<int>& handles);

}  // namespace mete
