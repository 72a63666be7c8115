// SPDX-License-Identifier: BSD-3-Clause
#include "mete/memory/copy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace mete {
namespace {

constexpr std::size_t kLine = 64;
// Below this a tensor may well be used again before it leaves the cache.
constexpr std::size_t kStreamFrom = std::size_t{1} << 20U;
// Starting a thread costs as much as copying some 200 KiB.
constexpr std::size_t kBytesPerThread = std::size_t{4} << 20U;

#ifdef __SSE2__
void stream_lines(std::byte* to, const std::byte* from, std::size_t lines) noexcept {
  for (std::size_t i = 0; i < lines; ++i, to += kLine, from += kLine) {
    const auto* const source = reinterpret_cast<const __m128i*>(from);
    auto* const target = reinterpret_cast<__m128i*>(to);
    const __m128i a = _mm_loadu_si128(source);
    const __m128i b = _mm_loadu_si128(source + 1);
    const __m128i c = _mm_loadu_si128(source + 2);
    const __m128i d = _mm_loadu_si128(source + 3);
    _mm_stream_si128(target, a);
    _mm_stream_si128(target + 1, b);
    _mm_stream_si128(target + 2, c);
    _mm_stream_si128(target + 3, d);
  }
}

/// One store a line: some per cent faster than four.
__attribute__((target("avx512f"))) void stream_lines_512(std::byte* to, const std::byte* from,
                                                         std::size_t lines) noexcept {
  for (std::size_t i = 0; i < lines; ++i, to += kLine, from += kLine) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
  }
}
#endif

void stream_copy(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
#ifdef __SSE2__
  const std::size_t head =
      std::min(bytes, (kLine - reinterpret_cast<std::uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, head);
  to += head;
  from += head;
  bytes -= head;
  const std::size_t lines = bytes / kLine;
  if (__builtin_cpu_supports("avx512f")) {
    stream_lines_512(to, from, lines);
  } else {
    stream_lines(to, from, lines);
  }
  _mm_sfence();
  to += lines * kLine;
  from += lines * kLine;
  bytes -= lines * kLine;
#endif
  std::memcpy(to, from, bytes);
}

}  // namespace

void copy_bytes(void* to, const void* from, std::size_t bytes, int threads) noexcept {
  if (bytes == 0) return;
  if (bytes < kStreamFrom) {
    std::memcpy(to, from, bytes);
    return;
  }
  auto* const target = static_cast<std::byte*>(to);
  const auto* const source = static_cast<const std::byte*>(from);
  const std::size_t workers = std::clamp<std::size_t>(
      bytes / kBytesPerThread, 1, static_cast<std::size_t>(std::max(threads, 1)));
  const std::size_t part = (bytes / workers + kLine - 1) / kLine * kLine;
  const auto work = [=](std::size_t i) {
    const std::size_t begin = std::min(i * part, bytes);
    stream_copy(target + begin, source + begin, std::min(part, bytes - begin));
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < workers; ++i) {
    try {
      helpers.emplace_back(work, i);
    } catch (const std::system_error&) {  // no more threads here: its part is ours
      work(i);
    }
  }
  work(0);
  for (auto& helper : helpers) helper.join();
}

double move_charge(const Tier& from, const Tier& to, std::size_t bytes) {
  const auto count = static_cast<double>(bytes);
  return from.charge_seconds(count, 0) + to.charge_seconds(0, count);
}

double charged_copy(void* to, const Tier& to_tier, const void* from, const Tier& from_tier,
                    std::size_t bytes, int threads, const Clock& clock) noexcept {
  const Nanoseconds begin = clock.now();
  copy_bytes(to, from, bytes, threads);
  const double charge = move_charge(from_tier, to_tier, bytes);
  if (charge > 0) hold_until(clock.now(), charge, clock);
  return to_seconds(clock.now() - begin);
}

}  // namespace mete
