// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/patient_read.h"

#include "mete/cli/target.h"

namespace mete {
namespace {

bool wants_another_look(const Platform& platform, const std::vector<int>& handles) {
  for (const int handle : handles) {
    if (platform.sample(handle).fault == Errc::retry) return true;
  }
  return false;
}

}  // namespace

void read_with_patience(Target& target, const std::vector<int>& handles) {
  constexpr int kTries = 25;
  constexpr Nanoseconds kPause = std::chrono::milliseconds(20);
  target.platform().read_batch();
  for (int i = 0; i < kTries && wants_another_look(target.platform(), handles); ++i) {
    target.clock().sleep_until(target.clock().now() + kPause);
    target.platform().read_batch();
  }
}

}  // namespace mete
