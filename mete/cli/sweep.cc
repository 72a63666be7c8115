// mete sweep. SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/command.h"

namespace mete {
Runner add_sweep(CLI::App& /*app*/) {
  return [](const Context& /*context*/) -> Result<ExitCode> {
    return fail(Errc::internal, "sweep is being built");
  };
}
}  // namespace mete
