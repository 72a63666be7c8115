// Finds and opens the torch plugin.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/torch_runtime.h"

#include <cstdlib>
#include <optional>

#include "mete/base/files.h"
#include "mete/base/library.h"

namespace mete {
namespace {

constexpr std::string_view kPluginName = "mete_torch.so";

/// Sets an environment variable for as long as it lives. OpenBLAS reads its number of threads when
/// it is loaded, and there is no other way to tell it; the programs that mete runs later must not
/// inherit the setting.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    // NOLINTBEGIN(concurrency-mt-unsafe): see open_torch_runtime
    if (const char* old = std::getenv(name); old != nullptr) old_ = old;
    ::setenv(name, value, 1);
    // NOLINTEND(concurrency-mt-unsafe)
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() {
    // NOLINTBEGIN(concurrency-mt-unsafe): see open_torch_runtime
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
    // NOLINTEND(concurrency-mt-unsafe)
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

Result<TorchRuntime*> open_plugin(const std::string& path) {
  const ScopedVariable no_threads("OPENBLAS_NUM_THREADS", "1");
  METE_TRY(const auto library, Library::open(path));
  METE_TRY(auto* entry, library.function<TorchPluginEntry>(kTorchPluginSymbol));
  TorchRuntime* runtime = entry(kTorchPluginAbi, METE_VERSION);
  if (runtime == nullptr) {
    return fail(Errc::unavailable,
                "{}: was built with another mete than this one ({}); rebuild both together", path,
                METE_VERSION);
  }
  return runtime;  // the plugin is linked with -z nodelete: closing the handle does not unload it
}

}  // namespace

std::vector<std::string> torch_plugin_paths() { return plugin_paths(kPluginName); }

Result<TorchRuntime*> open_torch_runtime() {
  const auto paths = torch_plugin_paths();
  for (const auto& path : paths) {
    if (path_exists(path)) return open_plugin(path);
  }
  return fail(Errc::unavailable,
              "training and the torch agent need libtorch: its plugin {} is neither in {} nor in "
              "$METE_PLUGIN_DIR; apt install libtorch-dev, then build mete again",
              kPluginName, dir_name(paths.back()));
}

}  // namespace mete
