// From any results of mete to the tables of an explorer page. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/plot/explorer.h"

namespace mete {

/// Adds the tables of each path: studies, sweeps, traces, reports, recordings, plans, problems,
/// training tables, CSV files, and folders of them. What a file is, its content says. Tables get
/// names of their own, whatever the files are called. `invalid`, with what can be viewed, for
/// anything else.
Result<void> add_views(const std::vector<std::string>& paths, ExplorerDocument& document);

}  // namespace mete
