// DeviceWatch: what became of the clock that was asked for. It compares, step by step, what was
// asked of one part with what the part tells, and finds
//
//   overwritten   the limit in force is not the one that was set: another program, or the device
//   held below    busy, and slower than the limit allows: a thermal or power cap
//   held above    faster than the limit allows: the device does not obey
//   stuck         a power sensor or an energy counter that does not move, though it must
//
// It reads and judges; writing again is the Controller's. Allocates nothing after it is made.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mete {

/// A limit that is found changed is set again so often; after that it is left to whoever wants it.
inline constexpr int kMostRewrites = 3;

/// What one part tells at one step; NaN: not known.
struct DeviceTold {
  double status = std::numeric_limits<double>::quiet_NaN();       ///< clock, Hz
  double limit = std::numeric_limits<double>::quiet_NaN();        ///< the limit in force, Hz
  double utilization = std::numeric_limits<double>::quiet_NaN();  ///< fraction
  double power = std::numeric_limits<double>::quiet_NaN();        ///< W
  double energy = std::numeric_limits<double>::quiet_NaN();       ///< J
};

class DeviceWatch {
 public:
  struct Options {
    double top = 0;       ///< the highest setting, Hz
    double busy = 0.5;    ///< utilisation from which on the part counts as busy
    bool turbo = false;   ///< the highest setting is seldom reached: no cap shows there
    std::string part;     ///< "gpu-0", for the findings
    std::string control;  ///< names, for the findings
    std::string power;
    std::string energy;
  };
  explicit DeviceWatch(Options options) : options_(std::move(options)) {}

  /// Called at every step before the agent's decision. `asked`: the setting in force as far as we
  /// know, NaN before the first. True: it is no longer in force and is to be written again.
  bool look(double time, double asked, const DeviceTold& told) noexcept;
  /// True once the limit was left to whoever else sets it.
  [[nodiscard]] bool given_up() const noexcept { return given_up_; }
  /// One line each.
  [[nodiscard]] std::vector<std::string> findings() const;

 private:
  bool overwritten(double time, double asked, double limit) noexcept;
  void note_clock(double asked, const DeviceTold& told) noexcept;
  void note_stuck(double time, double asked, const DeviceTold& told) noexcept;

  Options options_;
  double asked_ = std::numeric_limits<double>::quiet_NaN();
  int since_ = 0;  ///< steps since another setting was asked for

  int foreign_steps_ = 0;
  double foreign_limit_ = 0;  ///< the first one found
  double last_rewrite_ = -1e300;
  int rewrites_ = 0;
  bool given_up_ = false;

  std::uint64_t judged_ = 0;  ///< busy steps at a settled clock
  std::uint64_t below_ = 0;
  std::uint64_t above_ = 0;
  double lowest_ = std::numeric_limits<double>::infinity();
  double highest_ = 0;

  struct Still {
    double value = 0;
    double since = 0;
    int changes = 0;  ///< other settings asked for meanwhile
    bool valid = false;
    bool stuck = false;
    double stuck_value = 0;
  };
  static void follow(Still& still, double value, double time, bool busy, bool changed,
                     int least_changes, double least_seconds) noexcept;
  Still power_;
  Still energy_;
};

}  // namespace mete
