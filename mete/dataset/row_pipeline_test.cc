// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/row_pipeline.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

#include <gtest/gtest.h>

namespace mete {
namespace {

constexpr std::size_t kRowBytes = 4096;

/// Item i has `rows` rows, each its number.
RowPipeline::Read numbered(std::size_t rows) {
  return [rows](std::size_t item, RowPipeline::Sink& sink) -> Result<void> {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::uint64_t value = item * rows + r;
      std::memcpy(sink.row(), &value, sizeof value);
      METE_TRY_VOID(sink.add_row());
    }
    return {};
  };
}

TEST(RowPipeline, KeepsTheOrderThoughReadersRunAhead) {
  // Far more rows than may wait between the threads.
  constexpr std::size_t kItems = 5;
  constexpr std::size_t kRows = 10'000;
  RowPipeline pipeline(kItems, kRowBytes, numbered(kRows));
  ASSERT_TRUE(pipeline.start(3));
  std::uint64_t expected = 0;
  for (std::size_t item = 0; item < kItems; ++item) {
    while (true) {
      auto block = pipeline.next(item);
      ASSERT_TRUE(block);
      if (!*block) break;
      for (std::size_t at = 0; at < (*block)->used; at += kRowBytes) {
        std::uint64_t value = 0;
        std::memcpy(&value, (*block)->bytes.get() + at, sizeof value);
        ASSERT_EQ(value, expected++);
      }
      pipeline.recycle(std::move(**block));
    }
    ASSERT_EQ(expected, (item + 1) * kRows);
  }
}

TEST(RowPipeline, EndsItsThreadsWhenTheWriterGivesUp) {
  RowPipeline pipeline(4, kRowBytes, numbered(1'000'000));
  ASSERT_TRUE(pipeline.start(2));
  EXPECT_TRUE(pipeline.next(0));
}

TEST(RowPipeline, HandsErrorsAndExceptionsToTheWriter) {
  RowPipeline pipeline(3, kRowBytes, [](std::size_t item, RowPipeline::Sink&) -> Result<void> {
    if (item == 0) return fail(Errc::failed, "bad trace");
    if (item == 1) throw std::bad_alloc();
    return {};
  });
  ASSERT_TRUE(pipeline.start(2));
  const auto first = pipeline.next(0);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().what, "bad trace");
  EXPECT_FALSE(pipeline.next(1));
  const auto last = pipeline.next(2);
  ASSERT_TRUE(last);
  EXPECT_FALSE(last->has_value());
}

TEST(ForEachItem, CallsEachOnceAndStopsWhenAsked) {
  for (const std::size_t threads : {1U, 2U, 5U}) {
    std::vector<std::atomic<int>> calls(100);
    const auto each = [&](std::size_t i) { ++calls[i]; };
    ASSERT_TRUE(for_each_item(calls.size(), threads, each, [] { return Result<void>(); }));
    for (const auto& count : calls) EXPECT_EQ(count, 1);
    const auto stopped = for_each_item(calls.size(), threads, each, []() -> Result<void> {
      return fail(Errc::failed, "interrupted");
    });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().what, "interrupted");
    EXPECT_FALSE(for_each_item(
        3, threads, [](std::size_t) { throw std::bad_alloc(); }, [] { return Result<void>(); }));
  }
}

}  // namespace
}  // namespace mete
