// The progress line.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/progress.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/text.h"

namespace mete {
namespace {
constexpr Nanoseconds kQuietFor = std::chrono::seconds(2);
constexpr Nanoseconds kBetween = std::chrono::milliseconds(100);
constexpr int kBarWidth = 20;
}  // namespace

Progress::Progress(std::string title, double total, const Clock& clock, std::FILE* out, bool force)
    : title_(std::move(title)),
      total_(total > 0 ? total : 1),
      clock_(clock),
      out_(out),
      enabled_(force || ::isatty(::fileno(out)) == 1),
      start_(clock.now()) {}

Progress::~Progress() { finish(); }

void Progress::update(double done, const std::string& note) {
  if (!enabled_) return;
  const Nanoseconds now = clock_.now();
  if (now - start_ < kQuietFor || (shown_ && now - last_ < kBetween)) return;
  last_ = now;
  shown_ = true;
  const double part = std::clamp(done / total_, 0.0, 1.0);
  const double elapsed = to_seconds(now - start_);
  const int filled = static_cast<int>(part * kBarWidth);
  std::string bar(static_cast<std::size_t>(filled), '#');
  bar.append(static_cast<std::size_t>(kBarWidth - filled), '.');
  const std::string left =
      part > 0 ? fmt::format("{} left", format_duration(elapsed * (1 - part) / part))
               : "estimating";
  fmt::print(out_, "\r\033[K{} [{}] {:3.0f} %  {}  {}", title_, bar, part * 100, left, note);
  std::fflush(out_);
}

void Progress::finish() {
  if (!shown_) return;
  fmt::print(out_, "\r\033[K");
  std::fflush(out_);
  shown_ = false;
}

}  // namespace mete
