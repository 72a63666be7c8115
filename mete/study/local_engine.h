// LocalEngine: runs points one after the other in this process.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mete/measure/session.h"
#include "mete/study/engine.h"

namespace mete {

/// What one point runs on, made anew for each: on a board a fresh machine at virtual time 0, on
/// hardware this machine.
class PointSite {
 public:
  virtual ~PointSite() = default;
  virtual Platform& platform() = 0;
  virtual Clock& clock() = 0;
  virtual Workload& workload() = 0;
  /// nullptr: nothing adjusts the controls while the command runs.
  virtual Steering* steering() = 0;
  [[nodiscard]] virtual std::string state_directory() const = 0;
  [[nodiscard]] virtual bool replayed() const = 0;
};
using MakePointSite = std::function<Result<std::unique_ptr<PointSite>>(const PointJob& job)>;

/// A control given to all parts of its native domain, as initial settings of a session.
Result<std::vector<ControlSetting>> settings_for(
    Platform& platform, const std::vector<std::pair<std::string, double>>& controls);

/// The default signals and those named, each once.
Result<std::vector<Request>> requests_for(const Platform& platform,
                                          const std::vector<std::string>& signals);

/// A run's energy: the sum of these signals over all their parts, NaN if one is missing; and the
/// weakest of their sources.
std::pair<double, Source> energy_of(const RunResult& run,
                                    const std::vector<std::string>& energy_signals);

class LocalEngine final : public Engine {
 public:
  explicit LocalEngine(MakePointSite make_site) : make_site_(std::move(make_site)) {}
  [[nodiscard]] std::string_view name() const override { return "local"; }
  [[nodiscard]] std::size_t capacity() const override { return 1; }
  Result<void> submit(const PointJob& job) override;
  Result<std::vector<PointOutcome>> wait(const Interrupt& interrupt) override;

 private:
  MakePointSite make_site_;
  std::optional<PointJob> in_hand_;
};

}  // namespace mete
