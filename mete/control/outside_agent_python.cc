// Finds and opens the Python plugin.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/plugin.h"
#include "mete/control/outside_agent.h"
#include "mete/control/python/python_runtime.h"

namespace mete {
Result<std::unique_ptr<Agent>> make_python_agent(const std::string& path,
                                                 const std::string& class_name,
                                                 const AgentContext& context) {
  METE_TRY(auto* runtime, open_plugin<PythonRuntime>({.file = "mete_python.so",
                                                      .symbol = kPythonPluginSymbol,
                                                      .abi = kPythonPluginAbi,
                                                      .need = "agents in Python need Python",
                                                      .packages = "pybind11-dev python3-dev"}));
  return runtime->make_agent(path, class_name, context);
}

}  // namespace mete
