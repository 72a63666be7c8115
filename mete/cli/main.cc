// Builds what every verb is given: the real clock, signals, the environment. The only place that
// reads it. SPDX-License-Identifier: BSD-3-Clause
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/clock.h"
#include "mete/base/files.h"
#include "mete/base/interrupt.h"
#include "mete/cli/command.h"
#include "mete/signal/control_guard.h"

namespace {

std::string host_name() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string environment_or(const char* variable, const char* fallback) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value != nullptr && *value != '\0' ? value : fallback;
}

/// A result that could not be printed was not given: a full disk behind `mete .. > file` is a
/// failure. A reader that went away (`| head`) is not: it has what it wanted.
int told(int exit_code) {
  // A verb that failed has said why.
  if (exit_code != 0 || (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)) return exit_code;
  const int error = errno;
  if (error == EPIPE) return exit_code;
  fmt::print(stderr, "mete: the output could not be written: {}\n", mete::errno_text(error));
  return 1;
}

constexpr int kDefect = 70;  // EX_SOFTWARE of sysexits.h

}  // namespace

int main(int argc, char** argv) {
  try {
    mete::SteadyClock clock;
    const mete::SignalInterrupt interrupt;
    const mete::Context context{clock,
                                interrupt,
                                mete::SysRoot(environment_or("METE_SYS_ROOT", "/")),
                                mete::default_state_directory(),
                                host_name(),
                                environment_or("METE_NVML_LIBRARY", ""),
                                environment_or("METE_DCGM_LIBRARY", "")};
    return told(mete::run_command_line(argc, argv, context));
  } catch (const std::exception& e) {
    fmt::print(stderr, "mete: internal error: {}; please report it with the command line\n",
               e.what());
    return kDefect;
  }
}
