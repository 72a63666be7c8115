// The extension module mete._core: what the package `mete` needs of the C++ side. Its users call
// the package, whose functions say what they take. SPDX-License-Identifier: BSD-3-Clause
#include "python/core/node.h"
#include <pybind11/pybind11.h>

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  module.attr("version") = METE_VERSION;
  module.attr("Error") = py::module_::import("mete._errors").attr("Error");
  mete::add_node_functions(module);
  mete::add_run_functions(module);
  mete::add_file_functions(module);
}
