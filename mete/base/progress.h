// A progress line with an estimate of the time left, on a terminal only, and only for work over two
// seconds. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <string>

#include "mete/base/clock.h"

namespace mete {

class Progress {
 public:
  /// `total` units of work; writes to `out` if that is a terminal (or if `force`).
  Progress(std::string title, double total, const Clock& clock, std::FILE* out = stderr,
           bool force = false);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// `done` units are finished; `note` says what goes on ("epoch 3, error 4.1 MHz").
  void update(double done, const std::string& note = {});
  /// Clears the line, so that what follows starts at the left.
  void finish();

 private:
  std::string title_;
  double total_;
  const Clock& clock_;
  std::FILE* out_;
  bool enabled_;
  bool shown_ = false;
  Nanoseconds start_;
  Nanoseconds last_{0};
};

}  // namespace mete
