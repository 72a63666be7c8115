// Plugins: our own shared libraries that hold what is heavy to load (libtorch, CLP, OpenBLAS,
// Python), opened only by the verbs that need them. A plugin has one function, which hands out its
// runtime if both sides were built together. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "mete/base/library.h"

namespace mete {

struct PluginInfo {
  std::string_view file;  ///< "mete_torch.so"
  const char* symbol;     ///< of its one function
  int abi;                ///< counts up whenever the interface changes
  std::string_view
      need;  ///< "this solver needs CLP": the start of the error where the plugin is absent
  std::string_view packages;  ///< what apt installs for it
  /// OpenBLAS is loaded with it and hardly used: it shall start no threads of its own. It reads
  /// their number from the environment when it is loaded, and programs that mete runs later must
  /// not inherit the setting.
  bool one_blas_thread = false;
};

/// The plugin's function. The library stays open until the process ends (all are linked with -z
/// nodelete). `unavailable`, with the next step, where there is none. Call it before other threads
/// are started.
Result<void*> find_plugin_entry(const PluginInfo& info);
/// What its function says no with.
Error plugin_refusal(const PluginInfo& info);

/// The plugin's runtime: Runtime*(int abi, const char* mete_version), nullptr if it was built for
/// another of either.
template <class Runtime>
Result<Runtime*> open_plugin(const PluginInfo& info) {
  METE_TRY(auto* found, find_plugin_entry(info));
  Runtime* runtime =
      reinterpret_cast<Runtime* (*)(int, const char*)>(found)(info.abi, METE_VERSION);
  if (runtime == nullptr) return plugin_refusal(info);
  return runtime;
}

}  // namespace mete
