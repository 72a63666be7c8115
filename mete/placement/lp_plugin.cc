// Finds and opens the plugin that solves linear programs.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>
#include <optional>

#include "mete/base/files.h"
#include "mete/base/library.h"
#include "mete/placement/lp.h"

namespace mete {
namespace {

constexpr std::string_view kPlugin = "mete_clp.so";
constexpr const char* kThreads = "OPENBLAS_NUM_THREADS";

/// OpenBLAS, which CLP links and hardly uses, would start a thread per core when it is loaded. Told
/// not to for as long as this lives; programs that mete runs later must not inherit it.
class OneBlasThread {
 public:
  OneBlasThread() {
    // NOLINTBEGIN(concurrency-mt-unsafe): see open_lp_runtime
    if (const char* old = std::getenv(kThreads); old != nullptr) old_ = old;
    ::setenv(kThreads, "1", 1);
    // NOLINTEND(concurrency-mt-unsafe)
  }
  OneBlasThread(const OneBlasThread&) = delete;
  OneBlasThread& operator=(const OneBlasThread&) = delete;
  ~OneBlasThread() {
    // NOLINTBEGIN(concurrency-mt-unsafe): see open_lp_runtime
    if (old_) {
      ::setenv(kThreads, old_->c_str(), 1);
    } else {
      ::unsetenv(kThreads);
    }
    // NOLINTEND(concurrency-mt-unsafe)
  }

 private:
  std::optional<std::string> old_;
};

std::vector<std::string> plugin_paths() {
  std::vector<std::string> paths;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): see open_lp_runtime
  if (const char* folder = std::getenv("METE_PLUGIN_DIR"); folder != nullptr && *folder != '\0') {
    paths.push_back(path_join(folder, kPlugin));
  }
  const auto prefix = path_join(program_directory(), "..");
  for (const auto* folder : {"lib64/mete", "lib/x86_64-linux-gnu/mete",
                             "lib/aarch64-linux-gnu/mete", "lib/mete", "lib"}) {
    paths.push_back(path_join(path_join(prefix, folder), kPlugin));
  }
  return paths;
}

}  // namespace

Result<LpRuntime*> open_lp_runtime() {
  const auto paths = plugin_paths();
  for (const auto& path : paths) {
    if (!path_exists(path)) continue;
    const OneBlasThread one_thread;
    METE_TRY(const auto library, Library::open(path));
    METE_TRY(auto* entry, library.function<LpPluginEntry>(kLpPluginSymbol));
    LpRuntime* runtime = entry(kLpPluginAbi, METE_VERSION);
    if (runtime != nullptr) return runtime;  // linked with -z nodelete: it stays loaded
    return fail(Errc::unavailable,
                "{}: was built with another mete than this one ({}); rebuild both together", path,
                METE_VERSION);
  }
  return fail(Errc::unavailable,
              "this solver needs CLP: its plugin {} is neither in {} nor in $METE_PLUGIN_DIR; apt "
              "install coinor-libclp-dev coinor-libcbc-dev, then build mete again",
              kPlugin, dir_name(paths.back()));
}

}  // namespace mete
