// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/copy_engine.h"

#include "mete/memory/copy.h"

namespace mete {

CopyEngine::CopyEngine(const Tier& from, const Tier& to, const Clock& clock)
    : from_(from), to_(to), clock_(clock) {}

CopyEngine::~CopyEngine() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CopyEngine::begin(std::byte* to, const std::byte* from, std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({to, from, bytes});
    ++open_;
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  changed_.notify_all();
}

void CopyEngine::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return open_ == 0; });
}

void CopyEngine::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Job job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    charged_copy(job.to, to_, job.from, from_, job.bytes, 1, clock_);
    lock.lock();
    --open_;
    if (open_ == 0) changed_.notify_all();
  }
}

}  // namespace mete
