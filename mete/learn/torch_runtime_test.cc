// Where the plugin is looked for, and what is said where it is not one.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/torch_runtime.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {

/// Points $METE_PLUGIN_DIR at a folder for as long as it lives.
class PluginFolder {
 public:
  explicit PluginFolder(const std::string& folder) {
    ::setenv("METE_PLUGIN_DIR", folder.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): a test
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;
  ~PluginFolder() { ::unsetenv("METE_PLUGIN_DIR"); }  // NOLINT(concurrency-mt-unsafe): a test
};

TEST(TorchPlugin, TheEnvironmentsFolderComesFirst) {
  const PluginFolder here("/somewhere");
  EXPECT_EQ("/somewhere/mete_torch.so", torch_plugin_paths().front());
}

TEST(TorchPlugin, AFileThatIsNoLibraryIsRefusedByName) {
  const auto folder = fmt::format("{}/mete-plugin-{}", ::testing::TempDir(), ::getpid());
  ASSERT_TRUE(make_directories(folder));
  ASSERT_TRUE(write_file_atomically(path_join(folder, "mete_torch.so"), "no library"));
  const PluginFolder here(folder);
  const auto runtime = open_torch_runtime();
  ASSERT_FALSE(runtime);
  EXPECT_EQ(Errc::unavailable, runtime.error().code);
  EXPECT_NE(std::string::npos, runtime.error().what.find(folder));
}

TEST(TorchPlugin, LoadingItLeavesTheEnvironmentAlone) {
  // A workload started later must have all its threads.
  (void)open_torch_runtime();
  EXPECT_EQ(nullptr, std::getenv("OPENBLAS_NUM_THREADS"));  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace
}  // namespace mete
