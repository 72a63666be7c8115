// What `mete bench gemm` tells of a CPU, beside the library's own loop over the same shapes, and
// beside what the arithmetic units can do, in turns of about 20 ms (or one multiply, where that
// takes longer) in random order: what else the machine does meets all alike. Two copies of the
// library's own loop show what the machine's noise alone makes of equal things.
//
// Before and after each turn the arithmetic units run alone for 3 ms: the peak that a turn is a
// share of. Shares count of turns between two bursts that both reached 95 % of the best: where
// another tenant of the host slows a core, which a virtual machine cannot see, a turn loses more or
// less than the burst. How many turns that left is printed; the choice looks at the bursts only.
// Ratios need no choice: of equal things the median is 1 whatever else runs, and two copies show
// it.
//
//   gemm_pair [SECONDS=18 [wall|cpu [TYPE]]]    of each large shape, half of that of the others
//
// "cpu" counts one thread's processor time, which a busy machine leaves nearly alone, in place of
// wall time.
//
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench/turns.h"
#include <cblas.h>
#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>

#include "mete/base/clock.h"
#include "mete/base/rng.h"
#include "mete/base/stats.h"
#include "mete/kernel/gemm.h"
#include "mete/kernel/matrix_memory.h"
#include "mete/study/efficiency/runtime_bench.h"

namespace {

using namespace mete;
using namespace mete::bench;
constexpr double kTurnSeconds = 0.02;
constexpr double kBurstSeconds = 0.003;
constexpr double kUndisturbed = 0.95;
/// Fewer turns have no interval worth the name.
constexpr std::size_t kFewestTurns = 6;

struct Shape {
  const char* dtype;
  const char* library;
  std::uint64_t rows;
  std::uint64_t depth;
};
/// The bar of 85 % is for float at N = 2048, by whatever library `auto` chooses.
constexpr Shape kShapes[] = {{"float", "auto", 2048, 2048},  {"float", "auto", 1024, 1024},
                             {"float", "auto", 1024, 96},    {"float", "openblas", 2048, 2048},
                             {"double", "auto", 2048, 2048}, {"double", "auto", 1024, 1024},
                             {"bf16", "auto", 2048, 2048},   {"bf16", "auto", 1024, 1024},
                             {"int8", "auto", 2048, 2048},   {"int8", "auto", 1024, 1024}};

MatrixMemory memory_of(std::uint64_t bytes) {
  auto memory = MatrixMemory::of(bytes, 4);
  if (memory) return std::move(*memory);
  fmt::print(stderr, "gemm_pair: {}\n", memory.error().what);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): one thread
}

/// A library called as its own documentation calls it, over matrices of the same kind.
struct OwnLoop {
  std::function<void()> multiply;
  std::vector<std::shared_ptr<MatrixMemory>> memory;  // shared: with copies of `multiply`
};

template <class T>
void fill(T* to, std::uint64_t count, Rng& random) {
  for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(2 * random.uniform() - 1);
}

/// `call(lda, ldb, a, b, c)`, over memory as mete takes it.
template <class T, class Call>
OwnLoop blas_loop(const Shape& shape, Call call) {
  const auto narrow = row_stride(shape.depth, sizeof(T));
  const auto wide = row_stride(shape.rows, sizeof(T));
  const auto count = shape.rows * narrow + shape.depth * wide + shape.rows * wide;
  auto memory = std::make_shared<MatrixMemory>(memory_of(count * sizeof(T)));
  auto* a = memory->take<T>(shape.rows * narrow);
  auto* b = memory->take<T>(shape.depth * wide);
  auto* c = memory->take<T>(shape.rows * wide);
  Rng random(7);
  fill(a, shape.rows * narrow, random);
  fill(b, shape.depth * wide, random);
  return {[=] { call(narrow, wide, a, b, c); }, {memory}};
}

/// oneDNN's matmul as its own examples write it, B in the library's blocks.
OwnLoop dnn_loop(const Shape& shape, dnnl::memory::data_type ta, dnnl::memory::data_type tb,
                 dnnl::memory::data_type tc) {
  using dnnl::memory;
  using tag = memory::format_tag;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const dnnl::stream stream(engine);
  const auto n = static_cast<memory::dim>(shape.rows);
  const auto k = static_cast<memory::dim>(shape.depth);
  const memory::desc da({n, k}, ta, tag::ab);
  const memory::desc dc({n, n}, tc, tag::ab);
  const dnnl::matmul::primitive_desc how(
      dnnl::matmul::desc(da, memory::desc({k, n}, tb, tag::any), dc), engine);
  const memory::desc plain({k, n}, tb, tag::ab);
  auto kept = std::make_shared<MatrixMemory>(memory_of(da.get_size() + dc.get_size()));
  auto kept_b = std::make_shared<MatrixMemory>(memory_of(how.weights_desc().get_size()));
  auto kept_plain = memory_of(plain.get_size());
  const memory a(da, engine, kept->take<std::byte>(da.get_size()));
  const memory c(dc, engine, kept->take<std::byte>(dc.get_size()));
  const memory b(how.weights_desc(), engine,
                 kept_b->take<std::byte>(how.weights_desc().get_size()));
  memory from(plain, engine, kept_plain.take<std::byte>(plain.get_size()));
  Rng random(7);
  const auto each = [&](const memory& m, memory::data_type type) {
    const auto size = m.get_desc().get_size();
    auto* bytes = static_cast<std::uint8_t*>(m.get_data_handle());
    // bf16: upper halves of floats from 1 to 2.
    for (std::size_t i = 0; i < size; ++i) {
      const auto low = static_cast<std::uint8_t>(random.below(128));
      bytes[i] = type == memory::data_type::bf16 ? (i % 2 == 1 ? std::uint8_t{0x3f} : low) : low;
    }
  };
  each(a, ta);
  each(from, tb);
  memory to = b;
  dnnl::reorder(from, to).execute(stream, from, to);
  dnnl::matmul multiply(how);
  const std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}};
  return {[=]() mutable {
            multiply.execute(stream, arguments);
            dnnl::stream(stream).wait();
          },
          {kept, kept_b}};
}

/// The loop for the library that made `implementation`.
OwnLoop own_loop(const Shape& shape, const std::string& implementation) {
  using type = dnnl::memory::data_type;
  const std::string_view dtype = shape.dtype;
  const auto n = shape.rows;
  const auto k = shape.depth;
  if (dtype == "bf16") return dnn_loop(shape, type::bf16, type::bf16, type::f32);
  if (dtype == "int8") return dnn_loop(shape, type::u8, type::s8, type::s32);
  if (implementation.starts_with("oneDNN")) {
    return blas_loop<float>(shape, [=](auto lda, auto ldb, float* a, float* b, float* c) {
      const auto dim = [](std::uint64_t x) { return static_cast<dnnl_dim_t>(x); };
      dnnl_sgemm('N', 'N', dim(n), dim(n), dim(k), 1, a, dim(lda), b, dim(ldb), 0, c, dim(ldb));
    });
  }
  const auto blas = [=](auto call) {
    return [=](auto lda, auto ldb, auto* a, auto* b, auto* c) {
      const auto dim = [](std::uint64_t x) { return static_cast<blasint>(x); };
      call(CblasRowMajor, CblasNoTrans, CblasNoTrans, dim(n), dim(n), dim(k), 1, a, dim(lda), b,
           dim(ldb), 0, c, dim(ldb));
    };
  };
  if (dtype == "float") return blas_loop<float>(shape, blas(cblas_sgemm));
  return blas_loop<double>(shape, blas(cblas_dgemm));
}

struct Setting {
  GemmRuntime& runtime;
  const Clock& clock;
  int threads;
  bool cpu_time;
  double seconds;
};

/// The arithmetic units' rate; their loop counts wall time, and what it did not run is not their
/// fault.
double peak_rate(const Setting& with, GemmType type) {
  const SteadyClock wall;
  const double passed = to_seconds(wall.now());
  const double used = to_seconds(with.clock.now());
  const auto peak = with.runtime.measure_peak(type, with.threads, kBurstSeconds);
  if (!peak) return std::nan("");
  if (!with.cpu_time) return *peak;
  return *peak / ((to_seconds(with.clock.now()) - used) / (to_seconds(wall.now()) - passed));
}

/// A turn and the units' rate right before and after it.
struct Turn {
  double rate = 0;
  double before = 0;
  double after = 0;

  [[nodiscard]] double slower() const { return std::min(before, after); }
  [[nodiscard]] double share() const { return rate / (0.5 * (before + after)); }
};

struct Figures {
  Interval ratio;  ///< mete / own loop
  Interval noise;  ///< own / own
  Interval share;  ///< of the peak
  double mete = 0;
  double own = 0;
  std::size_t rounds = 0;
};

/// turns[mete, own, other own][round].
Figures figures_of(const std::vector<std::vector<Turn>>& turns) {
  std::vector<double> bursts;
  for (const auto& list : turns) {
    for (const auto& turn : list) {
      if (!std::isnan(turn.slower())) bursts.push_back(std::max(turn.before, turn.after));
    }
  }
  std::sort(bursts.begin(), bursts.end());
  // Not the very best: a clock that was read late makes one burst too fast.
  const double best = bursts.empty() ? 0 : bursts[(bursts.size() - 1) * 98 / 100];
  const auto undisturbed = [&](const Turn& turn) {
    return bursts.empty() || turn.slower() >= kUndisturbed * best;
  };
  Figures out;
  out.rounds = turns[0].size();
  std::vector<double> ratios;
  std::vector<double> noises;
  std::vector<double> shares;
  std::vector<double> mete;
  std::vector<double> own;
  for (std::size_t i = 0; i < out.rounds; ++i) {
    mete.push_back(turns[0][i].rate);
    own.push_back(turns[1][i].rate);
    ratios.push_back(turns[0][i].rate / turns[1][i].rate);
    noises.push_back(turns[2][i].rate / turns[1][i].rate);
    if (undisturbed(turns[0][i])) shares.push_back(turns[0][i].share());
  }
  out.ratio = median_interval(ratios);
  out.noise = median_interval(noises);
  out.share = median_interval(shares);
  out.mete = median_of(mete);
  out.own = median_of(own);
  return out;
}

void compare(const Shape& shape, const Setting& with, Rng& random) {
  const auto type = gemm_type_named(shape.dtype);
  GemmJob job{{shape.rows, shape.depth}, *type, with.threads, 1};
  job.library = shape.library;
  auto gemm = with.runtime.make(job);
  if (!gemm) {
    fmt::print("{:<8}{}\n", shape.dtype, gemm.error().what);
    return;
  }
  const auto chunk = warm_up(**gemm, with.clock);
  const auto who = (*gemm)->implementation();
  omp_set_num_threads(with.threads);
  openblas_set_num_threads(with.threads);
  const auto one = own_loop(shape, who);
  const auto other = own_loop(shape, who);
  const double operations = job.shape.operations() * static_cast<double>(*chunk);
  const auto mete_turn = [&] {
    const auto once = time_multiplies(**gemm, with.clock, *chunk, [](double p) { return p <= 0; });
    return once ? operations / once->seconds : std::nan("");
  };
  const auto own_turn = [&](const OwnLoop& loop) {
    const auto start = with.clock.now();
    for (std::uint64_t i = 0; i < *chunk; ++i) loop.multiply();
    return operations / to_seconds(with.clock.now() - start);
  };
  one.multiply();
  other.multiply();
  std::vector<std::vector<Turn>> turns(3);
  const auto between_bursts = [&](std::size_t which, const std::function<double()>& turn) {
    return [&, which, turn] {
      Turn now;
      now.before = peak_rate(with, *type);
      now.rate = turn();
      now.after = peak_rate(with, *type);
      turns[which].push_back(now);
      return now.rate;
    };
  };
  take_turns({between_bursts(0, mete_turn), between_bursts(1, [&] { return own_turn(one); }),
              between_bursts(2, [&] { return own_turn(other); })},
             {shape.rows < 2048 ? with.seconds / 2 : with.seconds, 12, 1000}, random);
  const auto figures = figures_of(turns);
  const bool barred = *type == GemmType::f32 && shape.rows == 2048 && job.library == "auto";
  const bool enough = figures.share.n >= kFewestTurns && !std::isnan(figures.share.estimate);
  fmt::print("{:<8}{:<10}{:>6}{:>10.1f}{:>10.1f}  {:<25}{:<11}{:<25}{:<31}{} | {}\n", shape.dtype,
             shape.rows == shape.depth ? fmt::format("{}", shape.rows)
                                       : fmt::format("{}x{}", shape.rows, shape.depth),
             figures.rounds, figures.mete / 1e9, figures.own / 1e9, text_of(figures.ratio),
             verdict_above(figures.ratio, 0.98), text_of(figures.noise),
             enough ? fmt::format("{} n {}", text_of(figures.share, 100, 1), figures.share.n)
                    : fmt::format("{} of {} turns undisturbed", figures.share.n, figures.rounds),
             barred && enough ? fmt::format("{} (85 %)", verdict_above(figures.share, 0.85)) : "",
             who);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  auto runtime = open_blas_runtime();
  if (!runtime) {
    fmt::print("{}\n", runtime.error().what);
    return 1;
  }
  const SteadyClock wall_clock;
  const ProcessorClock processor_clock;
  const bool cpu_time = argc > 2 && std::string_view(argv[2]) == "cpu";
  const Clock& clock = cpu_time ? static_cast<const Clock&>(processor_clock) : wall_clock;
  const int threads =
      cpu_time ? 1 : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const double seconds = argc > 1 ? std::strtod(argv[1], nullptr) : 18;
  const Setting with{**runtime, clock, threads, cpu_time, seconds};
  fmt::print(
      "{}, {} threads, {} time; turns of {} ms in random order; medians of paired ratios with "
      "the sign test's 95 % interval\n",
      (*runtime)->libraries(), threads, cpu_time ? "processor" : "wall", 1e3 * kTurnSeconds);
  fmt::print("{:<8}{:<10}{:>6}{:>10}{:>10}  {:<36}{:<25}{}\n", "type", "size", "rounds",
             "mete GF/s", "own loop", "mete / own loop, bar 0.98", "own / own (noise)",
             "% of the units' peak");
  Rng random(3);
  for (const auto& shape : kShapes) {
    if (argc <= 3 || std::string_view(argv[3]) == shape.dtype) compare(shape, with, random);
  }
  return 0;
}
