// Traces read on several threads while one writes: every thread turns whole traces into blocks of
// rows, and the writer gets the blocks in the order of the traces, as if one had read them all.
//
// What lies between the threads is bounded: a thread that is ahead waits. The thread of the trace
// that is being written may always hand over one block, so that nobody waits for ever.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// How many threads to use: `asked`, or as many as there are cores for us if it is 0; no more than
/// there are `items`.
std::size_t thread_count(std::size_t asked, std::size_t items);

/// Calls `each(i)` for 0 <= i < items on `threads` threads, this one among them, in any order.
/// `look` is called by this thread between its items; its error ends the work. Exceptions of `each`
/// (no memory) become errors.
Result<void> for_each_item(std::size_t items, std::size_t threads,
                           const std::function<void(std::size_t)>& each,
                           const std::function<Result<void>()>& look);

class RowPipeline {
 public:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;  ///< not filled with zeros: rows fill it
    std::size_t used = 0;                ///< bytes
  };
  /// Where a reading thread puts its rows.
  class Sink {
   public:
    Sink(RowPipeline& pipeline, std::size_t item);
    std::byte* row() { return block_.bytes.get() + block_.used; }
    Result<void> add_row() {
      block_.used += pipeline_.row_bytes_;
      if (block_.used < pipeline_.block_bytes_) return {};
      return hand_over();
    }
    /// Hands over what is left; by the thread's own call at the end of an item.
    Result<void> flush();

   private:
    Result<void> hand_over();

    RowPipeline& pipeline_;
    std::size_t item_;
    Block block_;
  };
  /// Reads one item's rows into the sink; called on the reading threads.
  using Read = std::function<Result<void>(std::size_t item, Sink& sink)>;

  RowPipeline(std::size_t items, std::size_t row_bytes, Read read);
  RowPipeline(const RowPipeline&) = delete;
  RowPipeline& operator=(const RowPipeline&) = delete;
  ~RowPipeline();

  /// False if not one thread could be started.
  bool start(std::size_t threads);
  /// The next block of `item`, empty at its end. Items must be asked for from 0 on, each to its
  /// end; after that what `read` wrote elsewhere about the item may be looked at.
  Result<std::optional<Block>> next(std::size_t item);
  /// Gives a block's memory back for further rows.
  void recycle(Block block);

 private:
  struct Item {
    std::deque<Block> blocks;
    std::optional<Error> error;
    bool done = false;
  };
  void work();
  Result<void> read_item(std::size_t item);
  Result<void> put(std::size_t item, Block& block);
  Block fresh();

  const std::size_t row_bytes_;
  const std::size_t block_bytes_;
  const std::size_t most_blocks_;
  const Read read_;

  std::mutex mutex_;
  std::condition_variable changed_;  ///< a block or an end for the writer
  std::condition_variable room_;     ///< room for the readers
  std::vector<Item> items_;
  std::vector<Block> spare_;
  std::size_t next_item_ = 0;
  std::size_t writing_ = 0;
  std::size_t waiting_blocks_ = 0;
  bool stop_ = false;
  std::vector<std::jthread> threads_;  ///< last: joined before anything else goes
};

}  // namespace mete
