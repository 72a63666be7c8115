// A plan as a page: memory over time, every tensor's place, and how the step slows down with less
// fast memory. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/table.h"
#include "mete/cli/command.h"
#include "mete/placement/placement.h"
#include "mete/placement/problem.h"
#include "mete/placement/solver.h"
#include "mete/plot/page.h"

namespace mete {

/// What lies where, when, in seconds since the step began: tables for memory_use() and
/// memory_places(), as predicted.
struct PlacementStory {
  Table kernels;
  Table stays;
  double seconds = 0;  ///< of the whole step: as the judge has it
  double fast_pool = 0;
  double slow_pool = 0;
};
/// Of a placement that validate() accepts. `names`: of the problem's tensors; empty: their numbers.
PlacementStory story_of(const Problem& problem, const Placement& placement,
                        const std::vector<std::string>& names = {});

/// A row of memory_case_study() for a solved plan, added to the table (which may be empty).
void add_case(Table& cases, const Problem& problem, const SolvedPlan& solved);

/// `static` and `synchronous` at the fractions of the peak of AutoTM's case study that any kernel
/// order can run in; with progress. What a limit cannot hold is left out.
Result<Table> case_study(const Problem& problem, const SolveRequest& request,
                         const Context& context);

/// The whole page; `cases` may be empty.
Result<Page> plan_page(const Problem& problem, const SolvedPlan& solved, const Table& cases);

}  // namespace mete
