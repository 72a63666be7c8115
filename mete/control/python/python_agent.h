// An object of a Python class as an Agent. Compiled into the plugin and into `import mete`; the
// Python half is python/mete/_agent_host.py. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include <pybind11/pybind11.h>

#include "mete/control/agent.h"

namespace mete {

/// What went wrong in Python code, with the traceback in further lines. Takes the exception and
/// needs Python's lock. `where` begins the first line.
Error python_error(const pybind11::object& host, pybind11::error_already_set& error,
                   const std::string& where);

/// `host`: the module _agent_host. `agent`: a class (made with `model` if that is not "") or an
/// object. `label` names it in errors. The caller holds Python's lock; afterwards the agent may be
/// used without it.
Result<std::unique_ptr<Agent>> wrap_python_agent(const pybind11::object& host,
                                                 const pybind11::object& agent,
                                                 const std::string& label,
                                                 const std::string& model);

}  // namespace mete
