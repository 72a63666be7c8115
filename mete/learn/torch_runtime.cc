// Finds and opens the torch plugin.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/torch_runtime.h"

#include "mete/base/plugin.h"

namespace mete {
namespace {

constexpr PluginInfo kPlugin{.file = "mete_torch.so",
                             .symbol = kTorchPluginSymbol,
                             .abi = kTorchPluginAbi,
                             .need = "training and the torch agent need libtorch",
                             .packages = "libtorch-dev",
                             .one_blas_thread = true};

}  // namespace

std::vector<std::string> torch_plugin_paths() { return plugin_paths(kPlugin.file); }

Result<TorchRuntime*> open_torch_runtime() { return open_plugin<TorchRuntime>(kPlugin); }

}  // namespace mete
