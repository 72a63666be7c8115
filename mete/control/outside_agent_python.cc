// Finds and opens the Python plugin.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/files.h"
#include "mete/base/library.h"
#include "mete/control/outside_agent.h"
#include "mete/control/python/python_runtime.h"

namespace mete {
namespace {

constexpr std::string_view kPluginName = "mete_python.so";

Result<PythonRuntime*> open_plugin(const std::string& path) {
  METE_TRY(const auto library, Library::open(path));
  METE_TRY(auto* entry, library.function<PythonPluginEntry>(kPythonPluginSymbol));
  PythonRuntime* runtime = entry(kPythonPluginAbi, METE_VERSION);
  if (runtime == nullptr) {
    return fail(Errc::unavailable,
                "{}: Python did not start, or the plugin was built with another mete than this one "
                "({}); rebuild both together",
                path, METE_VERSION);
  }
  return runtime;  // the plugin is linked with -z nodelete: closing the handle does not unload it
}

Result<PythonRuntime*> open_python_runtime() {
  const auto paths = plugin_paths(kPluginName);
  for (const auto& path : paths) {
    if (path_exists(path)) return open_plugin(path);
  }
  return fail(Errc::unavailable,
              "agents in Python need mete's plugin {}, which is neither in {} nor in "
              "$METE_PLUGIN_DIR; apt install pybind11-dev python3-dev, then build mete again",
              kPluginName, dir_name(paths.back()));
}

}  // namespace

Result<std::unique_ptr<Agent>> make_python_agent(const std::string& path,
                                                 const std::string& class_name,
                                                 const AgentContext& context) {
  METE_TRY(auto* runtime, open_python_runtime());
  return runtime->make_agent(path, class_name, context);
}

}  // namespace mete
