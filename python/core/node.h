// What is there to read: signals, controls, agents and boards, for the Python package.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <pybind11/pybind11.h>

#include "mete/cli/command.h"
#include "mete/cli/target.h"

namespace mete {

/// The process as main.cc would describe it, but that `interrupt` is the caller's.
Context python_context(const Interrupt& interrupt);
/// board, gpus, board_option, seed of a dict of options, each perhaps None.
TargetOptions target_options(const pybind11::dict& options);

void add_node_functions(pybind11::module_& module);
void add_run_functions(pybind11::module_& module);
void add_file_functions(pybind11::module_& module);

}  // namespace mete
