// A verb: how it describes itself to the command line, and how it runs.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/base/sys_root.h"

namespace mete {

class OptionSet;

/// What main gives to every verb.
struct Context {
  Clock& clock;  ///< real time
  const Interrupt& interrupt;
  SysRoot sys;                    ///< "/" or $METE_SYS_ROOT (tests)
  std::string state_directory;    ///< for ControlGuard
  std::string node;               ///< host name
  std::string nvml_library = {};  ///< $METE_NVML_LIBRARY (tests): another libnvidia-ml
  std::string dcgm_library = {};  ///< $METE_DCGM_LIBRARY (tests): another libdcgm
};

/// 0 done, 1 the work failed, 2 the input was wrong; a child's own status where it is the result
/// (run).
using ExitCode = int;
using Runner = std::function<Result<ExitCode>(const Context&)>;

/// One line on stderr, whatever the names and files of others in it hold: a file that is no text
/// must not command the terminal.
void say(std::string_view line);

/// Adds options to `app` and returns what to do once they are parsed. The options' storage lives in
/// the closure.
struct Command {
  std::string_view name;
  std::string_view group;    ///< heading in `mete --help`
  std::string_view summary;  ///< one line
  std::string_view example;  ///< shown at the end of the verb's --help
  Runner (*add)(OptionSet& app);
};

/// All verbs, in the order of `mete --help`: an explicit array, in commands.cc.
std::span<const Command> commands();

/// Everything main does but reading the environment. Tests call it.
int run_command_line(int argc, char** argv, const Context& context);

// One per verb file (mete/cli/<verb>.cc).
Runner add_doctor(OptionSet& app);
Runner add_list(OptionSet& app);
Runner add_read(OptionSet& app);
Runner add_write(OptionSet& app);
Runner add_restore(OptionSet& app);
Runner add_run(OptionSet& app);
Runner add_recording(OptionSet& app);
Runner add_sweep(OptionSet& app);
Runner add_process(OptionSet& app);
Runner add_train(OptionSet& app);
Runner add_evaluate(OptionSet& app);
Runner add_agent(OptionSet& app);
Runner add_tune(OptionSet& app);
Runner add_profile(OptionSet& app);
Runner add_plan(OptionSet& app);
Runner add_model(OptionSet& app);
Runner add_fit(OptionSet& app);
Runner add_exec(OptionSet& app);
Runner add_export(OptionSet& app);
Runner add_top(OptionSet& app);
Runner add_bench(OptionSet& app);
Runner add_study(OptionSet& app);
Runner add_view_verb(OptionSet& app);

}  // namespace mete
