// From any result of mete to the tables of an explorer page. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "mete/base/result.h"
#include "mete/plot/explorer.h"

namespace mete {

/// Adds the tables of one path: a study (file or folder of logs), a trace, a CSV. `invalid`, with
/// what can be viewed, for anything else.
Result<void> add_view(const std::string& path, ExplorerDocument& document);

}  // namespace mete
