// mete tune. SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/command.h"

namespace mete {
Runner add_tune(CLI::App& /*app*/) {
  return [](const Context& /*context*/) -> Result<ExitCode> {
    return fail(Errc::internal, "tune is being built");
  };
}
}  // namespace mete
