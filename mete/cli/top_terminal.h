// TopTerminal: a terminal borrowed for a full-screen view, given back on every way out but SIGKILL.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <termios.h>

namespace mete {

class TopTerminal {
 public:
  /// Switches to the other screen and reads keys as they are typed. Ctrl-C stays a signal; Ctrl-Z
  /// and Ctrl-\ do nothing, because they would leave the screen as it is.
  TopTerminal();
  TopTerminal(const TopTerminal&) = delete;
  TopTerminal& operator=(const TopTerminal&) = delete;
  ~TopTerminal();

  struct Size {
    std::size_t width = 80;
    std::size_t height = 24;
  };
  [[nodiscard]] static Size size();
  /// False if the terminal is gone.
  [[nodiscard]] static bool draw(const std::vector<std::string>& lines);

 private:
  termios old_{};
  bool changed_ = false;
};

}  // namespace mete
