// What `mete run` does once its options are known, without printing: shared with `mete.run()` of
// the Python package. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/cli/command.h"
#include "mete/cli/run_record.h"
#include "mete/cli/target.h"
#include "mete/control/agent.h"
#include "mete/measure/session.h"

namespace mete {

/// As they are typed; see add_run for what each means.
struct RunOptions {
  TargetOptions target;
  std::string agent = "monitor";
  std::string policy;
  std::string model;
  std::string frequency_map;
  std::vector<std::string> words;  ///< the command
  /// As SessionOptions has it; the verb's, not typed.
  std::function<void(const std::string& why)> abandon = {};
  std::vector<std::string> settings;
  std::vector<std::string> signals;
  std::string period;
  std::string grace = "5s";
  std::string report;
  std::string trace;
  bool append_trace = false;
  std::string profile;
  RecordOptions record;
};

struct RunDone {
  RunResult result;
  SessionOptions session;
  std::string command;  ///< as the workload describes itself
};

/// `agent`: one that was made already, instead of options.agent; may be null. `notices` gets lines
/// about what was found on the way (controls that a dead mete had left).
Result<RunDone> run_workload(const RunOptions& options, std::unique_ptr<Agent> agent,
                             const Context& context, std::vector<std::string>& notices);

/// What `mete run --json` prints.
Json run_json(const RunDone& done);

}  // namespace mete
