// SIGINT, SIGTERM and SIGHUP as a value that loops ask for. One is made by main and passed down.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mete {

class Interrupt {
 public:
  virtual ~Interrupt() = default;
  /// The signal that asked us to stop, or 0.
  virtual int signal() const noexcept = 0;
  /// A descriptor that becomes readable when signal() becomes non-zero, for poll(); -1 if there is
  /// none.
  virtual int descriptor() const noexcept { return -1; }
};

/// Never asked to stop: for tests and library use.
class NoInterrupt final : public Interrupt {
 public:
  int signal() const noexcept override { return 0; }
};

/// Installs handlers for SIGINT, SIGTERM and SIGHUP and gives the old ones back when destroyed. A
/// second signal of the same kind within the same run is counted, not lost: repeated() is true
/// then. One at a time.
class SignalInterrupt final : public Interrupt {
 public:
  SignalInterrupt();
  SignalInterrupt(const SignalInterrupt&) = delete;
  SignalInterrupt& operator=(const SignalInterrupt&) = delete;
  ~SignalInterrupt() override;
  int signal() const noexcept override;
  int descriptor() const noexcept override;
  bool repeated() const noexcept;
};

}  // namespace mete
