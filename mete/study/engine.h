// Engine: where a study's points are run. It is handed points, perhaps several at once, and says
// when each is done; it knows nothing of plans, manifests or resuming. LocalEngine runs one after
// the other in this process; a batch system would hold many.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/signal/info.h"

namespace mete {

/// One point, with everything an engine needs to run it, here or on another node.
struct PointJob {
  std::size_t index = 0;  ///< place in the plan: the name by which the outcome is told
  std::vector<std::pair<std::string, double>> controls;  ///< set before the command starts
  std::vector<std::string> command;
  std::string agent;
  std::string policy;
  std::string model;
  std::vector<std::string> signals;  ///< "NAME@domain"
  double period = 0.05;              ///< s
  std::vector<std::string> energy_signals;
  std::string node;
  std::string profile;      ///< for the report's heading
  std::string report_path;  ///< complete paths; the folders exist
  std::string trace_path;
};

struct PointOutcome {
  enum class Kind {
    done,         ///< the command ended well; report and trace are complete
    failed,       ///< the point cannot be used; `error` says why
    interrupted,  ///< we were asked to stop before it was done
  };
  std::size_t index = 0;
  Kind kind = Kind::failed;
  double runtime = std::numeric_limits<double>::quiet_NaN();  ///< s
  double energy = std::numeric_limits<double>::quiet_NaN();   ///< J
  Source source = Source::counter;                            ///< of the energy
  double started = 0;                                         ///< wall time, s since 1970
  Error error{Errc::failed, ""};
  std::vector<std::string> warnings;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// How many points it takes in hand at once; at least 1.
  [[nodiscard]] virtual std::size_t capacity() const = 0;
  /// Takes a point in hand. An error means that it never will be run, and that no other would.
  virtual Result<void> submit(const PointJob& job) = 0;
  /// Returns when at least one point in hand is done, failed or interrupted, with all that are. On
  /// an interrupt it ends what runs and returns every point in hand, in whatever state it is.
  virtual Result<std::vector<PointOutcome>> wait(const Interrupt& interrupt) = 0;
};

}  // namespace mete
