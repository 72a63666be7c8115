// mete read. SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/command.h"

namespace mete {
Runner add_read(CLI::App& /*app*/) {
  return [](const Context& /*context*/) -> Result<ExitCode> {
    return fail(Errc::internal, "read is being built");
  };
}
}  // namespace mete
