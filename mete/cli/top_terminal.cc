// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/top_terminal.h"

#include <cerrno>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace mete {
namespace {

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

TopTerminal::TopTerminal() {
  changed_ = ::tcgetattr(STDIN_FILENO, &old_) == 0;
  if (changed_) {
    termios own = old_;
    own.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    own.c_cc[VSUSP] = _POSIX_VDISABLE;
    own.c_cc[VQUIT] = _POSIX_VDISABLE;
    own.c_cc[VMIN] = 1;
    own.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &own);
  }
  write_all("\033[?1049h\033[?25l");  // the other screen; no cursor (xterm's control sequences)
}

TopTerminal::~TopTerminal() {
  write_all("\033[?25h\033[?1049l");
  if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &old_);
}

TopTerminal::Size TopTerminal::size() {
  winsize window{};
  Size out;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0) return out;
  if (window.ws_col > 0) out.width = window.ws_col;
  if (window.ws_row > 0) out.height = window.ws_row;
  return out;
}

bool TopTerminal::draw(const std::vector<std::string>& lines) {
  std::string out = "\033[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out += lines[i] + "\033[K";
    if (i + 1 < lines.size()) out += "\r\n";
  }
  return write_all(out + "\033[J");
}

}  // namespace mete
