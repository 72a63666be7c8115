// CBC looks at no flag of ours for minutes on end (cuts, probing and diving ask nobody), so an
// integer program is solved in a child process, which an interrupt can end at any instant.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/placement/lp.h"

namespace mete {

/// Runs `work` in a forked child, on the calling thread, and gives what it gave. `gone` if
/// `interrupt` came first; `failed` if the child ended without an answer (killed for memory). The
/// child prints nothing to standard output, and ends with its parent.
Result<IntegerSolution> answer_of_child(const std::function<Result<IntegerSolution>()>& work,
                                        const Interrupt& interrupt);

}  // namespace mete
