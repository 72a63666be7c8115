// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/row_pipeline.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <sched.h>

namespace mete {
namespace {

// A block stays in a core's own cache between reader and writer.
constexpr std::size_t kBlockBytes = std::size_t{1} << 18U;
constexpr std::size_t kMostWaitingBytes = std::size_t{48} << 20U;
// While so much waits for the writer no further trace is begun: memory that is used again is still
// in a cache, and need not be asked of the system.
constexpr std::size_t kFewWaitingBlocks = 8;
constexpr std::size_t kMostThreads = 64;

Error of_exception(const std::exception& e) {
  return fail(Errc::failed, "reading the traces: {}", e.what());
}

}  // namespace

std::size_t thread_count(std::size_t asked, std::size_t items) {
  std::size_t count = asked;
  if (count == 0) {
    // Cores that this process may use, not those of the machine.
    cpu_set_t set;
    count = ::sched_getaffinity(0, sizeof set, &set) == 0
                ? static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)))
                : std::thread::hardware_concurrency();
  }
  return std::clamp<std::size_t>(count, 1, std::clamp<std::size_t>(items, 1, kMostThreads));
}

Result<void> for_each_item(std::size_t items, std::size_t threads,
                           const std::function<void(std::size_t)>& each,
                           const std::function<Result<void>()>& look) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> error;
  const auto give_up = [&](Error why) {
    next = items;
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(why);
  };
  const auto work = [&](bool own) {
    while (true) {
      try {
        if (own) {
          if (auto looked = look(); !looked) return give_up(looked.error());
        }
        const std::size_t i = next.fetch_add(1);
        if (i >= items) return;
        each(i);
      } catch (const std::exception& e) {
        return give_up(of_exception(e));
      }
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      while (others.size() + 1 < threads) others.emplace_back(work, false);
    } catch (const std::system_error&) {
      // The system gives no more threads: those that run do the work.
    }
    work(true);
  }
  if (error) return *error;
  return {};
}

RowPipeline::Sink::Sink(RowPipeline& pipeline, std::size_t item)
    : pipeline_(pipeline), item_(item), block_(pipeline.fresh()) {}

Result<void> RowPipeline::Sink::hand_over() {
  METE_TRY_VOID(pipeline_.put(item_, block_));
  block_ = pipeline_.fresh();
  return {};
}

Result<void> RowPipeline::Sink::flush() {
  if (block_.used > 0) return pipeline_.put(item_, block_);
  pipeline_.recycle(std::move(block_));
  return {};
}

RowPipeline::RowPipeline(std::size_t items, std::size_t row_bytes, Read read)
    : row_bytes_(row_bytes),
      block_bytes_(std::max<std::size_t>(1, kBlockBytes / row_bytes) * row_bytes),
      most_blocks_(std::max<std::size_t>(1, kMostWaitingBytes / block_bytes_)),
      read_(std::move(read)),
      items_(items) {}

RowPipeline::~RowPipeline() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  room_.notify_all();
}

bool RowPipeline::start(std::size_t threads) {
  try {
    while (threads_.size() < threads) threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // The system gives no more threads: those that run do the work.
  }
  return !threads_.empty();
}

void RowPipeline::work() {
  while (true) {
    std::size_t item = 0;
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] {
        return stop_ || next_item_ == items_.size() || waiting_blocks_ < kFewWaitingBlocks ||
               next_item_ == writing_;
      });
      if (stop_ || next_item_ == items_.size()) return;
      item = next_item_++;
    }
    auto done = read_item(item);
    const std::lock_guard lock(mutex_);
    if (!done) items_[item].error = std::move(done.error());
    items_[item].done = true;
    changed_.notify_one();
  }
}

Result<void> RowPipeline::read_item(std::size_t item) {
  try {
    Sink sink(*this, item);
    METE_TRY_VOID(read_(item, sink));
    return sink.flush();
  } catch (const std::exception& e) {
    return of_exception(e);
  }
}

RowPipeline::Block RowPipeline::fresh() {
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      Block block = std::move(spare_.back());
      spare_.pop_back();
      block.used = 0;
      return block;
    }
  }
  return {std::make_unique_for_overwrite<std::byte[]>(block_bytes_), 0};
}

void RowPipeline::recycle(Block block) {
  const std::lock_guard lock(mutex_);
  spare_.push_back(std::move(block));
}

Result<void> RowPipeline::put(std::size_t item, Block& block) {
  std::unique_lock lock(mutex_);
  auto& to = items_[item];
  room_.wait(lock, [&] {
    return stop_ || waiting_blocks_ < most_blocks_ || (item == writing_ && to.blocks.empty());
  });
  if (stop_) return fail(Errc::failed, "stopped");
  to.blocks.push_back(std::move(block));
  ++waiting_blocks_;
  if (item == writing_) changed_.notify_one();
  return {};
}

Result<std::optional<RowPipeline::Block>> RowPipeline::next(std::size_t item) {
  std::unique_lock lock(mutex_);
  if (writing_ != item) {
    writing_ = item;
    room_.notify_all();
  }
  auto& from = items_[item];
  changed_.wait(lock, [&] { return !from.blocks.empty() || from.done; });
  if (from.blocks.empty()) {
    if (from.error) return *from.error;
    return std::optional<Block>();
  }
  std::optional<Block> block(std::move(from.blocks.front()));
  from.blocks.pop_front();
  if (waiting_blocks_-- >= std::min(kFewWaitingBlocks, most_blocks_)) room_.notify_all();
  return block;
}

}  // namespace mete
