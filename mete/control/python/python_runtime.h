// The seam between mete and Python. libpython costs 10 ms and 8 MB at start, so it lives in a
// plugin, lib/mete_python.so, that is opened only when an agent in Python is asked for. The plugin
// is built by the same compiler from the same sources; a version check refuses any other.
//
// Nothing below throws. Agents may be used from any thread; each call takes Python's lock.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "mete/base/result.h"
#include "mete/control/agent.h"

namespace mete {

/// Counts up whenever anything in this header or in mete/control/agent.h changes.
inline constexpr int kPythonPluginAbi = 1;

class PythonRuntime {
 public:
  virtual ~PythonRuntime() = default;
  /// "3.11.2".
  [[nodiscard]] virtual std::string version() const = 0;
  /// Runs the file (once per process), makes an object of the class and asks it what it is.
  /// invalid: no such file or class; failed: its code refused, with the traceback in further lines.
  virtual Result<std::unique_ptr<Agent>> make_agent(const std::string& path,
                                                    const std::string& class_name,
                                                    const AgentContext& context) = 0;
};

/// The plugin's one function: nullptr if it was built for another ABI or another mete, or if Python
/// could not be started.
inline constexpr const char* kPythonPluginSymbol = "mete_python_runtime";

}  // namespace mete
