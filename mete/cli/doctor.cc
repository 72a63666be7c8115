// mete doctor. SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/command.h"

namespace mete {
Runner add_doctor(CLI::App& /*app*/) {
  return [](const Context& /*context*/) -> Result<ExitCode> {
    return fail(Errc::internal, "doctor is being built");
  };
}
}  // namespace mete
