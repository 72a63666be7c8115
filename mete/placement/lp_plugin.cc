// Finds and opens the plugin that solves linear programs.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/plugin.h"
#include "mete/placement/lp.h"

namespace mete {

Result<LpRuntime*> open_lp_runtime() {
  return open_plugin<LpRuntime>({.file = "mete_clp.so",
                                 .symbol = kLpPluginSymbol,
                                 .abi = kLpPluginAbi,
                                 .need = "this solver needs CLP",
                                 .packages = "coinor-libclp-dev coinor-libcbc-dev",
                                 .one_blas_thread = true});
}

}  // namespace mete
