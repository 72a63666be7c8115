// What `mete bench gemm` tells of a CPU, beside the library's own loop over the same shapes, and
// beside what the arithmetic units can do. Pairs in one process, each pair in random order: what
// else the machine does meets both alike. usage: gemm_pair [PAIRS [SECONDS [cpu]]]; "cpu" counts
// one thread's processor time, which a busy machine leaves nearly alone, in place of wall time.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include <cblas.h>
#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>

#include "mete/base/clock.h"
#include "mete/base/rng.h"
#include "mete/base/stats.h"
#include "mete/kernel/gemm.h"
#include "mete/study/efficiency/runtime_bench.h"

namespace {

using mete::GemmPoint;
/// The processor time of this process, all its threads.
class ProcessorClock final : public mete::Clock {
 public:
  [[nodiscard]] mete::Nanoseconds now() const noexcept override {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return mete::Nanoseconds(t.tv_sec * 1'000'000'000 + t.tv_nsec);
  }
  void sleep_until(mete::Nanoseconds) noexcept override {}
  [[nodiscard]] double wall_seconds() const noexcept override { return 0; }
};
mete::SteadyClock wall_clock;
ProcessorClock processor_clock;
mete::Clock* the_clock = &wall_clock;

double seconds_now() { return mete::to_seconds(the_clock->now()); }

template <class T>
struct Free {
  void operator()(T* p) const { std::free(p); }
};
template <class T>
using Buffer = std::unique_ptr<T[], Free<T>>;
template <class T>
Buffer<T> buffer(std::size_t count, const std::function<T()>& value) {
  auto* memory =
      static_cast<T*>(std::aligned_alloc(4096, (count * sizeof(T) + 4095) / 4096 * 4096));
  for (std::size_t i = 0; i < count; ++i) memory[i] = value();
  return Buffer<T>(memory);
}

/// The rate of `multiply`, called for `seconds`.
double rate_of(const std::function<void()>& multiply, double operations, double seconds) {
  multiply();
  std::uint64_t count = 0;
  const double start = seconds_now();
  double passed = 0;
  while (passed < seconds) {
    multiply();
    ++count;
    passed = seconds_now() - start;
  }
  return operations * static_cast<double>(count) / passed;
}

/// OpenBLAS called as its documentation calls it.
template <class T, class Call>
double blas_loop(const GemmPoint& point, double seconds, Call call) {
  std::minstd_rand random(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const auto value = [&] { return static_cast<T>(uniform(random)); };
  const auto a = buffer<T>(point.rows * point.depth, value);
  const auto b = buffer<T>(point.rows * point.depth, value);
  const auto c = buffer<T>(point.rows * point.rows, [] { return T{}; });
  const auto n = static_cast<blasint>(point.rows);
  const auto k = static_cast<blasint>(point.depth);
  return rate_of(
      [&] {
        call(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, k, T{1}, a.get(), k, b.get(), n, T{0},
             c.get(), n);
      },
      point.operations(), seconds);
}

/// oneDNN's matmul as its own examples write it, B in the library's blocks.
template <class A, class B, class C>
double dnn_loop(const GemmPoint& point, double seconds, dnnl::memory::data_type ta,
                dnnl::memory::data_type tb, dnnl::memory::data_type tc,
                const std::function<A()>& fill_a, const std::function<B()>& fill_b) {
  using dnnl::memory;
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const auto n = static_cast<memory::dim>(point.rows);
  const auto k = static_cast<memory::dim>(point.depth);
  const auto a = buffer<A>(point.rows * point.depth, fill_a);
  const auto b = buffer<B>(point.rows * point.depth, fill_b);
  const auto c = buffer<C>(point.rows * point.rows, [] { return C{}; });
  const memory::desc da({n, k}, ta, memory::format_tag::ab);
  const memory::desc db({k, n}, tb, memory::format_tag::any);
  const memory::desc dc({n, n}, tc, memory::format_tag::ab);
  const dnnl::matmul::primitive_desc how(dnnl::matmul::desc(da, db, dc), engine);
  memory plain({{k, n}, tb, memory::format_tag::ab}, engine, b.get());
  memory blocked(how.weights_desc(), engine);
  dnnl::reorder(plain, blocked).execute(stream, plain, blocked);
  memory ma(da, engine, a.get());
  memory mc(dc, engine, c.get());
  dnnl::matmul multiply(how);
  const std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, blocked}, {DNNL_ARG_DST, mc}};
  return rate_of(
      [&] {
        multiply.execute(stream, arguments);
        stream.wait();
      },
      point.operations(), seconds);
}

double library_rate(const GemmPoint& point, int threads, double seconds) {
  using type = dnnl::memory::data_type;
  std::minstd_rand random(7);
  omp_set_num_threads(threads);
  openblas_set_num_threads(threads);
  if (point.dtype == "float") return blas_loop<float>(point, seconds, cblas_sgemm);
  if (point.dtype == "double") return blas_loop<double>(point, seconds, cblas_dgemm);
  if (point.dtype == "bf16") {
    // Upper halves of floats from 1 to 2.
    const auto value = [&] { return static_cast<std::uint16_t>(0x3f80U + random() % 128); };
    return dnn_loop<std::uint16_t, std::uint16_t, float>(point, seconds, type::bf16, type::bf16,
                                                         type::f32, value, value);
  }
  return dnn_loop<std::uint8_t, std::int8_t, std::int32_t>(
      point, seconds, type::u8, type::s8, type::s32,
      [&] { return static_cast<std::uint8_t>(random() % 128); },
      [&] { return static_cast<std::int8_t>(static_cast<int>(random() % 128) - 64); });
}

struct Shape {
  const char* dtype;
  std::uint64_t rows;
  std::uint64_t depth;
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t pairs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 12;
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 0.5;
  auto runtime = mete::open_blas_runtime();
  if (!runtime) {
    fmt::print("{}\n", runtime.error().what);
    return 1;
  }
  const bool cpu_time = argc > 3 && std::string_view(argv[3]) == "cpu";
  if (cpu_time) the_clock = &processor_clock;
  const int threads =
      cpu_time ? 1 : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  mete::BenchHost host;
  host.threads = threads;
  host.free_bytes = [] { return 1e12; };
  mete::RuntimeBench bench(**runtime, *the_clock, std::move(host));
  fmt::print("{}, {} threads, {} time; {} pairs of {} s, each in random order\n",
             (*runtime)->libraries(), threads, cpu_time ? "processor" : "wall", pairs, seconds);
  fmt::print("{:<8}{:<11}{:>14}{:>14}  {:<34}{}\n", "type", "size", "mete GFLOP/s", "own loop",
             "mete / own loop [95 %], bar 2 %", "of the units' peak, median [least, most]");
  mete::Rng random(3);
  const Shape shapes[] = {{"float", 2048, 2048},  {"float", 1024, 1024},  {"float", 1024, 96},
                          {"double", 2048, 2048}, {"double", 1024, 1024}, {"bf16", 2048, 2048},
                          {"bf16", 1024, 1024},   {"int8", 2048, 2048},   {"int8", 1024, 1024}};
  for (const auto& shape : shapes) {
    GemmPoint point{"cpu", shape.dtype, "nontensor", shape.rows, shape.depth, 0};
    if (const auto there = bench.check(point); !there) {
      fmt::print("{:<8}{:<11}{}\n", shape.dtype, point.size_text(), there.error().what);
      continue;
    }
    mete::BenchPlan plan;
    plan.seconds = seconds;
    std::vector<double> ours;
    std::vector<double> own;
    std::vector<double> ratios;
    std::vector<double> shares;
    const auto type = mete::gemm_type_named(shape.dtype);
    for (std::size_t i = 0; i < pairs; ++i) {
      const bool first = random.below(2) == 0;
      const auto one = [&] {
        const auto run = bench.measure(point, plan, i + 1);
        ours.push_back(run ? run->flops : 0);
      };
      if (first) one();
      own.push_back(library_rate(point, threads, seconds));
      if (!first) one();
      ratios.push_back(ours.back() / own.back());
      // The peak between the runs: a clock that falls falls for both.
      const double wall = mete::to_seconds(wall_clock.now());
      const double used = seconds_now();
      const auto peak = (*runtime)->measure_peak(*type, threads, 0.2);
      // The loop counts wall time: what it did not run is not its units' fault.
      const double ran = (seconds_now() - used) / (mete::to_seconds(wall_clock.now()) - wall);
      if (peak) shares.push_back(ours.back() / *peak * (cpu_time ? ran : 1));
    }
    const auto ratio = mete::mean_interval(ratios);
    std::string share = "no peak loop";
    if (!shares.empty()) {
      std::sort(shares.begin(), shares.end());
      share = fmt::format("{:.1f} % [{:.1f}, {:.1f}]", 100 * shares[shares.size() / 2],
                          100 * shares.front(), 100 * shares.back());
    }
    fmt::print("{:<8}{:<11}{:>14.1f}{:>14.1f}  {:<34}{}\n", shape.dtype, point.size_text(),
               mete::mean_of(ours) / 1e9, mete::mean_of(own) / 1e9,
               fmt::format("{:.4f} [{:.4f}, {:.4f}] {}", ratio.estimate, ratio.low, ratio.high,
                           std::abs(ratio.estimate - 1) <= 0.02 ? "met" : "MISSED"),
               share);
    std::fflush(stdout);
  }
  return 0;
}
