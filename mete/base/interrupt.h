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
  /// True if a terminal sent signal(): then it went to every process of its foreground group, ours
  /// among them, and must not be sent to these again.
  virtual bool from_terminal() const noexcept { return false; }
  /// True once a second signal came: whoever sends it does not want to wait any longer.
  virtual bool repeated() const noexcept { return false; }
};

/// Never asked to stop: for tests and library use.
class NoInterrupt final : public Interrupt {
 public:
  int signal() const noexcept override { return 0; }
};

/// Installs handlers for SIGINT, SIGTERM and SIGHUP and gives the old ones back when destroyed. One
/// at a time. A signal that was ignored when this was made (nohup, a background job of a script)
/// stays ignored, here and in the children.
class SignalInterrupt final : public Interrupt {
 public:
  SignalInterrupt();
  SignalInterrupt(const SignalInterrupt&) = delete;
  SignalInterrupt& operator=(const SignalInterrupt&) = delete;
  ~SignalInterrupt() override;
  int signal() const noexcept override;
  int descriptor() const noexcept override;
  bool from_terminal() const noexcept override;
  bool repeated() const noexcept override;
};

}  // namespace mete
