// Controls are borrowed: saved before the first write, given back on every way out.
//
// The destructor covers return, exception and the signals that Interrupt turns into a stop; a state
// file covers SIGKILL and power loss of the process: whoever starts next restores what a dead owner
// left (restore_abandoned), and `mete restore` does so by hand. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/signal/platform.h"

namespace mete {

/// Where state files live. Folder from $METE_STATE_DIR, else $XDG_STATE_HOME/mete, else
/// ~/.local/state/mete, else /tmp/mete-<uid>.
std::string default_state_directory();

/// Refused (denied), saying who, if a live process holds any native part of the control: what
/// `mete write` asks before it sets one. Nothing is held for an empty directory.
Result<void> check_not_held(const Platform& platform, const Request& request,
                            const std::string& state_directory);

class ControlGuard {
 public:
  /// `state_directory` empty: no state file (a board: nothing outlives the process).
  ControlGuard(Platform& platform, std::string state_directory);
  ControlGuard(const ControlGuard&) = delete;
  ControlGuard& operator=(const ControlGuard&) = delete;
  ~ControlGuard();

  /// Saves the present settings of the control's parts, once; must come before any write to it. The
  /// state file is on disk when this returns. Refused, saying who has held it since when, when a
  /// live process holds the same control. Of two that ask at the same moment, one gets it: the
  /// folder is locked meanwhile.
  Result<void> borrow(const Request& request);
  /// Gives everything back in the reverse order of borrowing; the first error is returned, all are
  /// tried. Done once.
  Result<void> restore();

 private:
  Result<void> write_state();

  Platform& platform_;
  std::string directory_;
  std::string state_path_;
  std::vector<Request> borrowed_;
  std::vector<Platform::SavedControl> saved_;
};

struct RestoreOutcome {
  int restored = 0;                   ///< controls given back
  std::vector<std::string> problems;  ///< one line each; their state files are kept
  std::vector<std::string> live;      ///< state files whose owner still runs: left alone
};
/// Restores what owners that no longer run left in the folder.
RestoreOutcome restore_abandoned(Platform& platform, const std::string& state_directory);

}  // namespace mete
