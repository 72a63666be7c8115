// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/plugin.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "mete/base/files.h"

namespace mete {
namespace {

constexpr const char* kBlasThreads = "OPENBLAS_NUM_THREADS";

/// For as long as it lives, OpenBLAS is told to start no threads.
class OneBlasThread {
 public:
  OneBlasThread() {
    // NOLINTBEGIN(concurrency-mt-unsafe): see find_plugin_entry
    if (const char* old = std::getenv(kBlasThreads); old != nullptr) old_ = old;
    ::setenv(kBlasThreads, "1", 1);
    // NOLINTEND(concurrency-mt-unsafe)
  }
  OneBlasThread(const OneBlasThread&) = delete;
  OneBlasThread& operator=(const OneBlasThread&) = delete;
  ~OneBlasThread() {
    // NOLINTBEGIN(concurrency-mt-unsafe): see find_plugin_entry
    if (old_) {
      ::setenv(kBlasThreads, old_->c_str(), 1);
    } else {
      ::unsetenv(kBlasThreads);
    }
    // NOLINTEND(concurrency-mt-unsafe)
  }

 private:
  std::optional<std::string> old_;
};

}  // namespace

Result<void*> find_plugin_entry(const PluginInfo& info) {
  const auto paths = plugin_paths(info.file);
  for (const auto& path : paths) {
    if (!path_exists(path)) continue;
    std::optional<OneBlasThread> one_thread;
    if (info.one_blas_thread) one_thread.emplace();
    METE_TRY(const auto library, Library::open(path));
    METE_TRY(auto* entry, library.function<void()>(info.symbol));
    return reinterpret_cast<void*>(entry);
  }
  return fail(Errc::unavailable,
              "{}: its plugin {} is neither in {} nor in $METE_PLUGIN_DIR; apt install {}, then "
              "build mete again",
              info.need, info.file, dir_name(paths.back()), info.packages);
}

Error plugin_refusal(const PluginInfo& info) {
  return fail(Errc::unavailable,
              "{} was built with another mete than this one ({}), or could not start; rebuild both "
              "together",
              info.file, METE_VERSION);
}

}  // namespace mete
