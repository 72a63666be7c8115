// The part of `mete run` that records: --record, --pid, --cgroup, --estimate, and what programs
// mark as regions. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/cli/command.h"
#include "mete/cli/target.h"
#include "mete/measure/recorder.h"
#include "mete/measure/session.h"

namespace mete {

class OptionSet;

struct RecordOptions {
  std::string directory;
  std::string process_period = "100ms";
  std::string memory_period = "10s";
  std::vector<std::string> pids;
  std::string cgroup;
  /// Something that runs already is looked at, instead of a command.
  [[nodiscard]] bool attaches() const { return !pids.empty() || !cgroup.empty(); }
};

void add_record_options(OptionSet& app, RecordOptions& options);

/// Lives as long as the session, and no longer than the target.
class RunRecord {
 public:
  /// Prepares what the options and the session's outputs ask for; `estimate`: as --estimate.
  static Result<std::unique_ptr<RunRecord>> make(const RecordOptions& options,
                                                 const std::string& estimate,
                                                 const SessionOptions& session, Target& target,
                                                 const Context& context);
  /// Null if there is nothing to observe.
  [[nodiscard]] SessionObserver* observer() { return recorder_.get(); }
  /// What --pid and --cgroup look at.
  static Result<std::unique_ptr<Workload>> attach(const RecordOptions& options,
                                                  const Context& context);

 private:
  std::unique_ptr<Recorder> recorder_;
};

/// The members `regions` and `attribution` of `mete run --json`.
void add_record_json(const RunResult& result, Json& out);

}  // namespace mete
