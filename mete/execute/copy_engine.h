// A thread that copies in one direction while kernels run.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>

#include "mete/base/clock.h"
#include "mete/memory/tier.h"

namespace mete {

/// One thread calls begin() and wait(). The thread starts with the first copy.
class CopyEngine {
 public:
  CopyEngine(const Tier& from, const Tier& to, const Clock& clock);
  CopyEngine(const CopyEngine&) = delete;
  CopyEngine& operator=(const CopyEngine&) = delete;
  ~CopyEngine();

  void begin(std::byte* to, const std::byte* from, std::size_t bytes);
  /// Returns once all that has begun is done.
  void wait();

 private:
  struct Job {
    std::byte* to = nullptr;
    const std::byte* from = nullptr;
    std::size_t bytes = 0;
  };
  void work();

  const Tier& from_;
  const Tier& to_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t open_ = 0;  ///< begun and not done
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace mete
