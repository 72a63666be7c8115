// The arithmetic units alone: independent fused multiply-adds in registers, no memory.
// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

using Steady = std::chrono::steady_clock;

// Two units of a latency of four need eight sums in flight; twelve leave room. Each has a name of
// its own: the compiler keeps an array of them in memory, and then the loop measures that.
constexpr int kSums = 12;
constexpr int kRounds = 4096;

#if defined(__x86_64__)
// One text for both types: for double its casts change nothing.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuseless-cast"
// Vectors of the compiler's own, so that the same lines serve both widths.
template <class T, std::size_t Bytes>
struct Vector {
  typedef T type __attribute__((vector_size(Bytes)));
};

#define METE_EACH(step) \
  step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)
#define METE_START(i) V sum##i = shift * static_cast<T>(seed + i);
// The barrier after each keeps the sum in its register and the multiply-add in its place.
#define METE_STEP(i)               \
  sum##i = sum##i * scale + shift; \
  asm volatile("" : "+v"(sum##i));
#define METE_ADD(i) all += sum##i;
#define METE_FMA_LOOP(name, target_isa, element, bytes)                    \
  __attribute__((target(target_isa), noinline)) double name(double seed) { \
    using T = element;                                                     \
    using V = Vector<T, bytes>::type;                                      \
    V scale{};                                                             \
    scale += static_cast<T>(0.999);                                        \
    V shift{};                                                             \
    shift += static_cast<T>(0.001);                                        \
    METE_EACH(METE_START)                                                  \
    for (int r = 0; r < kRounds; ++r) {                                    \
      METE_EACH(METE_STEP)                                                 \
    }                                                                      \
    V all{};                                                               \
    METE_EACH(METE_ADD)                                                    \
    return static_cast<double>(all[0]);                                    \
  }
METE_FMA_LOOP(float_512, "avx512f", float, 64)
METE_FMA_LOOP(double_512, "avx512f", double, 64)
METE_FMA_LOOP(float_256, "avx2,fma", float, 32)
METE_FMA_LOOP(double_256, "avx2,fma", double, 32)
#undef METE_FMA_LOOP
#undef METE_ADD
#undef METE_STEP
#undef METE_START
#undef METE_EACH
#pragma GCC diagnostic pop
#endif

}  // namespace

PeakLoop fma_loop(GemmType type) {
#if defined(__x86_64__)
  const bool wide = __builtin_cpu_supports("avx512f") != 0;
  if (!wide && (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0))
    return {};
  const double bytes = wide ? 64 : 32;
  const double fmas = static_cast<double>(kSums) * kRounds * 2;
  if (type == GemmType::f32) return {wide ? float_512 : float_256, fmas * bytes / 4};
  if (type == GemmType::f64) return {wide ? double_512 : double_256, fmas * bytes / 8};
#endif
  static_cast<void>(type);
  return {};
}

Result<double> arithmetic_peak(GemmType type, int threads, double seconds) {
  PeakLoop loop = dot_loop(type);
  // Without units of its own bf16 is widened and multiplied as float.
  if (loop.run == nullptr) loop = fma_loop(type == GemmType::bf16 ? GemmType::f32 : type);
  if (loop.run == nullptr)
    return fail(Errc::unsupported, "no peak loop for {} on this CPU", gemm_type_name(type));
  std::atomic<double> sink{0};
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      // Wide units wake slowly, and the clock falls for them.
      for (const auto start = Steady::now();
           std::chrono::duration<double>(Steady::now() - start).count() < 0.2 * seconds;) {
        sink = loop.run(t);
      }
      std::uint64_t calls = 0;
      const auto start = Steady::now();
      double passed = 0;
      while (passed < seconds) {
        for (int i = 0; i < 16; ++i) sink = loop.run(i);
        calls += 16;
        passed = std::chrono::duration<double>(Steady::now() - start).count();
      }
      rates[static_cast<std::size_t>(t)] = static_cast<double>(calls) * loop.operations / passed;
    });
  }
  for (auto& worker : workers) worker.join();
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace mete::blas
