// What DRAM does, and waiting exactly. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "mete/memory/tier.h"

namespace mete {
namespace {

constexpr std::size_t kLeastArray = std::size_t{256} << 20U;
constexpr std::size_t kMostArray = std::size_t{4} << 30U;
// Another program slows some passes down, a compiler beside us for seconds: go on until a better
// one has not come for a while.
constexpr int kPassesWithoutBetter = 12;
constexpr int kMostPasses = 100;
constexpr double kBetter = 1.01;

// Eight bytes times four: what a compiler makes loads of the machine's width of.
using Words = std::uint64_t __attribute__((vector_size(32)));

std::size_t array_bytes() {
  const long cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  const auto known = cache > 0 ? static_cast<std::size_t>(cache) : 0;
  return std::clamp(4 * known, kLeastArray, kMostArray) / 4096 * 4096;
}

std::uint64_t sum(const std::byte* data, std::size_t bytes) {
  const auto* const words = reinterpret_cast<const Words*>(data);
  Words a{};
  Words b{};
  Words c{};
  Words d{};
  for (std::size_t i = 0; i + 4 <= bytes / sizeof(Words); i += 4) {
    a += words[i];
    b += words[i + 1];
    c += words[i + 2];
    d += words[i + 3];
  }
  a += b;
  c += d;
  a += c;
  return a[0] + a[1] + a[2] + a[3];
}

void stream_fill(std::byte* data, std::size_t bytes, int value) {
#ifdef __SSE2__
  const __m128i word = _mm_set1_epi32(value);
  auto* const words = reinterpret_cast<__m128i*>(data);
  for (std::size_t i = 0; i + 4 <= bytes / sizeof(__m128i); i += 4) {
    _mm_stream_si128(words + i, word);
    _mm_stream_si128(words + i + 1, word);
    _mm_stream_si128(words + i + 2, word);
    _mm_stream_si128(words + i + 3, word);
  }
  _mm_sfence();
#else
  std::memset(data, value, bytes);
#endif
}

using Part = std::function<void(std::byte*, std::size_t)>;

/// Seconds that one pass takes.
double pass(Pool& pool, std::size_t parts, std::size_t part, const Clock& clock, const Part& work) {
  const Nanoseconds begin = clock.now();
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < parts; ++i) {
    helpers.emplace_back([&, i] { work(pool.data() + i * part, part); });
  }
  work(pool.data(), part);
  for (auto& helper : helpers) helper.join();
  return to_seconds(clock.now() - begin);
}

/// Bytes per second of the best pass: whatever disturbs a pass only makes it slower.
double best_rate(Pool& pool, int threads, const Clock& clock, const Part& work) {
  const auto parts = static_cast<std::size_t>(threads);
  const std::size_t part = pool.bytes() / parts / 4096 * 4096;
  double best = 0;
  for (int passes = 0, since_better = 0;
       passes < kMostPasses && since_better < kPassesWithoutBetter; ++passes) {
    const double seconds = pass(pool, parts, part, clock, work);
    const double rate = seconds > 0 ? static_cast<double>(part * parts) / seconds : 0;
    since_better = rate > kBetter * best ? 0 : since_better + 1;
    best = std::max(best, rate);
  }
  return best;
}

}  // namespace

Result<Bandwidth> measure_dram(int threads, const Clock& clock) {
  if (threads < 1) return fail(Errc::invalid, "{} threads: expected 1 or more", threads);
  METE_TRY(const auto tier, open_tier(TierSpec{}, Bandwidth{}));
  METE_TRY(const auto pool, tier->make_pool(array_bytes()));
  std::atomic<std::uint64_t> kept{0};  // so that no sum can be left out
  Bandwidth dram;
  dram.write = best_rate(*pool, threads, clock,
                         [](std::byte* data, std::size_t n) { stream_fill(data, n, 0x01020304); });
  dram.read = best_rate(*pool, threads, clock,
                        [&kept](std::byte* data, std::size_t n) { kept += sum(data, n); });
  if (!(dram.read > 0 && dram.write > 0)) {
    return fail(Errc::failed, "DRAM's bandwidth: the clock did not move while it was measured");
  }
  return dram;
}

void hold_until(Nanoseconds begin, double seconds, const Clock& clock) noexcept {
  if (!(seconds > 0)) return;
  const Nanoseconds end = begin + from_seconds(seconds);
  while (clock.now() < end) {
#ifdef __SSE2__
    _mm_pause();
#endif
  }
}

}  // namespace mete
