// mete run. SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/command.h"

namespace mete {
Runner add_run(CLI::App& /*app*/) {
  return [](const Context& /*context*/) -> Result<ExitCode> {
    return fail(Errc::internal, "run is being built");
  };
}
}  // namespace mete
