// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/stream.h"

#include <array>
#include <cmath>
#include <memory>
#include <new>
#include <thread>

namespace mete {
namespace {

constexpr std::size_t kLength = kStreamLength;
constexpr double kScalar = kStreamScalar;

struct Arrays {
  // Not set to zero here: each thread touches its own part first, so that it lies in that thread's
  // memory.
  std::unique_ptr<double[]> a{new double[kLength]};
  std::unique_ptr<double[]> b{new double[kLength]};
  std::unique_ptr<double[]> c{new double[kLength]};
};

using Loop = void (*)(Arrays&, std::size_t, std::size_t);
struct Kernel {
  const char* name;
  double arrays;  ///< how many are read or written
  Loop loop;
};
constexpr std::array kKernels{
    Kernel{"copy", 2,
           [](Arrays& x, std::size_t i, std::size_t end) {
             for (; i < end; ++i) x.c[i] = x.a[i];
           }},
    Kernel{"scale", 2,
           [](Arrays& x, std::size_t i, std::size_t end) {
             for (; i < end; ++i) x.b[i] = kScalar * x.c[i];
           }},
    Kernel{"add", 3,
           [](Arrays& x, std::size_t i, std::size_t end) {
             for (; i < end; ++i) x.c[i] = x.a[i] + x.b[i];
           }},
    Kernel{"triad", 3,
           [](Arrays& x, std::size_t i, std::size_t end) {
             for (; i < end; ++i) x.a[i] = x.b[i] + kScalar * x.c[i];
           }},
};

void fill(Arrays& x, std::size_t i, std::size_t end) {
  for (; i < end; ++i) {
    x.a[i] = 1;
    x.b[i] = 2;
    x.c[i] = 0;
  }
}

void on_all(Arrays& arrays, Loop loop, int threads) {
  const auto part = kLength / static_cast<std::size_t>(threads);
  std::vector<std::thread> workers;
  for (int t = 1; t < threads; ++t) {
    const auto first = static_cast<std::size_t>(t) * part;
    workers.emplace_back([&arrays, loop, first, last = t + 1 == threads ? kLength : first + part] {
      loop(arrays, first, last);
    });
  }
  loop(arrays, 0, threads == 1 ? kLength : part);
  for (auto& worker : workers) worker.join();
}

}  // namespace

StreamValues stream_values(int repeats) {
  StreamValues x;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    x.c = x.a;
    x.b = kScalar * x.c;
    x.c = x.a + x.b;
    x.a = x.b + kScalar * x.c;
  }
  return x;
}

bool stream_agrees(double element, double expected) {
  // After many repeats both are infinite, and equal.
  return element == expected || std::abs(element / expected - 1) <= 1e-12;
}

Result<std::vector<StreamResult>> run_stream(int threads, int repeats, const Clock& clock,
                                             const Interrupt& interrupt) {
  std::unique_ptr<Arrays> arrays;
  try {
    arrays = std::make_unique<Arrays>();
  } catch (const std::bad_alloc&) {
    return fail(Errc::failed, "stream needs 384 MiB, and they are not there");
  }
  on_all(*arrays, fill, threads);
  std::vector<StreamResult> results;
  for (const auto& kernel : kKernels) results.push_back({kernel.name, {}});
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t k = 0; k < kKernels.size(); ++k) {
      if (interrupt.signal() != 0) return fail(Errc::gone, "interrupted");
      const auto start = clock.now();
      on_all(*arrays, kKernels[k].loop, threads);
      const double seconds = to_seconds(clock.now() - start);
      results[k].bytes_per_second.push_back(
          kKernels[k].arrays * static_cast<double>(kLength * sizeof(double)) / seconds);
    }
  }
  const auto expected = stream_values(repeats);
  for (const std::size_t i : {std::size_t{0}, kLength / 2, kLength - 1}) {
    if (!stream_agrees(arrays->a[i], expected.a) || !stream_agrees(arrays->b[i], expected.b) ||
        !stream_agrees(arrays->c[i], expected.c))
      return fail(Errc::failed, "stream: the arrays do not hold what they must");
  }
  return results;
}

}  // namespace mete
