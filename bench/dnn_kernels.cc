// The DNN kernels beside oneDNN's own best for the same shapes: every distinct convolution and
// matrix multiply of a training step, in the layouts that a step has, against the same primitive
// with every layout free and nothing but the primitive timed. The bar: within 3 %.
//
//   build/release/bin/dnn_kernels [BATCH=16] [THREADS=1] [SECONDS=1.5] [MODEL..=resnet50 vgg19]
//
// Each shape gets about SECONDS: turns of some 10 ms in random order, of our kernel and of two
// copies of the library's own, whose ratio to one another ("noise") is what the machine makes of
// equal things. Medians of the rounds' ratios with the sign test's 95 % interval. "reorder": what
// part of our kernel's time the copies between layouts would take. "matmul" among the models: dense
// layers only. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/turns.h"
#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>
#include <sys/mman.h>

#include "mete/base/clock.h"
#include "mete/base/stats.h"
#include "mete/graph/ops.h"
#include "mete/graph/training.h"
#include "mete/graph/zoo.h"
#include "mete/kernel/blocked_layout.h"
#include "mete/kernel/kernel.h"

namespace {

using namespace mete;
using dnnl::memory;
using Steady = std::chrono::steady_clock;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

/// One thread's own time on the processor, which other programs disturb less; with more threads,
/// the time that passes.
template <class F>
double seconds_of(F f, bool one_thread) {
  const double began = thread_cpu_seconds();
  const auto start = Steady::now();
  f();
  if (one_thread) return thread_cpu_seconds() - began;
  return std::chrono::duration<double>(Steady::now() - start).count();
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Bytes = std::unique_ptr<void, Free>;

/// Small numbers of both signs: no zeros, no subnormals. In huge pages, as a step's pools are, for
/// ours and for the library's own alike.
Bytes filled(std::size_t bytes) {
  constexpr std::size_t kHuge = std::size_t{2} << 20U;
  const std::size_t page = bytes < kHuge ? 4096 : kHuge;
  const std::size_t room = (bytes + page - 1) / page * page;
  Bytes memory(std::aligned_alloc(page, room));
  if (page == kHuge) madvise(memory.get(), room, MADV_HUGEPAGE);  // a wish
  auto* p = static_cast<float*>(memory.get());
  for (std::size_t i = 0; i < bytes / sizeof(float); ++i) {
    p[i] =
        static_cast<float>(static_cast<int>((i * 2654435761U >> 16U) & 255U) - 127) / 128 + 0.01F;
  }
  return memory;
}

memory::dims dims_of(const Shape& s) { return {s.dims().begin(), s.dims().end()}; }

memory::desc as_it_lies(const KernelOperand& o) {
  using tag = memory::format_tag;
  constexpr tag kPlain[] = {tag::a, tag::a, tag::ab, tag::abc, tag::abcd};
  const tag tags[] = {kPlain[o.type.shape.rank()], tag::nhwc, tag::nChw16c, tag::OIhw16i16o};
  return {dims_of(o.type.shape), memory::data_type::f32, tags[static_cast<std::size_t>(o.layout)]};
}

/// oneDNN's own choice: the primitive, and the memory that it wants.
class Best {
 public:
  explicit Best(const KernelJob& job) : stream_(engine()) {
    if (job.op->name == kMatMulOp.name) {
      multiply(job);
    } else {
      convolve(job);
    }
  }
  void run() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Seconds for bringing our tensors into these layouts, or back: of those that differ.
  double reorder_seconds(const KernelJob& job) {
    double total = 0;
    const bool one = job.threads == 1;
    for (const auto& [input, index, argument] : operands_) {
      const auto given = as_it_lies(input ? job.inputs[index] : job.outputs[index]);
      const auto wanted = arguments_.at(argument).get_desc();
      if (given == wanted) continue;
      const auto bytes = filled(given.get_size());
      memory own(given, engine(), bytes.get());
      memory& other = arguments_.at(argument);
      const auto copy = input ? dnnl::reorder(own, other) : dnnl::reorder(other, own);
      std::vector<double> times;
      for (int i = 0; i < 5; ++i) {
        times.push_back(seconds_of(
            [&] {
              if (input) {
                copy.execute(stream_, own, other);
              } else {
                copy.execute(stream_, other, own);
              }
              stream_.wait();
            },
            one));
      }
      total += median_of(times);
    }
    return total;
  }

 private:
  struct Operand {
    bool input;
    std::size_t index;
    int argument;
  };

  static memory::desc any(const KernelOperand& o) {
    return {dims_of(o.type.shape), memory::data_type::f32, memory::format_tag::any};
  }
  static dnnl::primitive_attr own_scratchpad() {
    dnnl::primitive_attr a;
    a.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return a;
  }
  void take(int argument, const memory::desc& desc) {
    const auto& kept = bytes_.emplace_back(filled(std::max<std::size_t>(desc.get_size(), 64)));
    arguments_.emplace(argument, memory(desc, engine(), kept.get()));
  }
  template <class Desc>
  void finish(const Desc& how) {
    name_ = how.impl_info_str();
    take(DNNL_ARG_SCRATCHPAD, how.scratchpad_desc());
  }

  void multiply(const KernelJob& job) {
    // Two axes only: what the bench asks for. A factor given transposed is the same shape here.
    const auto& a = job.attributes;
    const auto size = [](const KernelOperand& o, std::size_t i, bool turned) {
      return o.type.shape[turned ? 1 - i : i];
    };
    const memory::dims left{size(job.inputs[0], 0, a.transpose_a),
                            size(job.inputs[0], 1, a.transpose_a)};
    const memory::dims right{size(job.inputs[1], 0, a.transpose_b),
                             size(job.inputs[1], 1, a.transpose_b)};
    const auto free = [](const memory::dims& d) {
      return memory::desc(d, memory::data_type::f32, memory::format_tag::any);
    };
    const dnnl::matmul::primitive_desc how({free(left), free(right), any(job.outputs[0])},
                                           own_scratchpad(), engine());
    primitive_ = dnnl::matmul(how);
    take(DNNL_ARG_SRC, how.src_desc());
    take(DNNL_ARG_WEIGHTS, how.weights_desc());
    take(DNNL_ARG_DST, how.dst_desc());
    finish(how);
  }

  void convolve(const KernelJob& job) {
    const auto& a = job.attributes;
    const memory::dims stride{a.stride[0], a.stride[1]};
    const memory::dims dilation{a.dilation[0] - 1, a.dilation[1] - 1};
    const memory::dims before{a.pad[0], a.pad[1]};
    const memory::dims after{a.pad[2], a.pad[3]};
    const bool data = job.op->name == kConvBackwardDataOp.name;
    const bool filters = job.op->name == kConvBackwardFilterOp.name;
    const auto& image = data ? job.outputs[0] : job.inputs[0];
    const auto& filter = filters ? job.outputs[0] : job.inputs[1];
    const auto& result = data ? job.inputs[0] : filters ? job.inputs[1] : job.outputs[0];
    const auto direct = dnnl::algorithm::convolution_direct;
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, direct, any(image), any(filter), any(result), stride,
         dilation, before, after},
        own_scratchpad(), engine());
    if (data) {
      const dnnl::convolution_backward_data::primitive_desc how(
          {direct, any(image), any(filter), any(result), stride, dilation, before, after},
          own_scratchpad(), engine(), forward);
      primitive_ = dnnl::convolution_backward_data(how);
      take(DNNL_ARG_DIFF_DST, how.diff_dst_desc());
      take(DNNL_ARG_WEIGHTS, how.weights_desc());
      take(DNNL_ARG_DIFF_SRC, how.diff_src_desc());
      operands_ = {
          {true, 0, DNNL_ARG_DIFF_DST}, {true, 1, DNNL_ARG_WEIGHTS}, {false, 0, DNNL_ARG_DIFF_SRC}};
      finish(how);
    } else if (filters) {
      const dnnl::convolution_backward_weights::primitive_desc how(
          {direct, any(image), any(filter), any(result), stride, dilation, before, after},
          own_scratchpad(), engine(), forward);
      primitive_ = dnnl::convolution_backward_weights(how);
      take(DNNL_ARG_SRC, how.src_desc());
      take(DNNL_ARG_DIFF_DST, how.diff_dst_desc());
      take(DNNL_ARG_DIFF_WEIGHTS, how.diff_weights_desc());
      operands_ = {
          {true, 0, DNNL_ARG_SRC}, {true, 1, DNNL_ARG_DIFF_DST}, {false, 0, DNNL_ARG_DIFF_WEIGHTS}};
      finish(how);
    } else {
      primitive_ = dnnl::convolution_forward(forward);
      take(DNNL_ARG_SRC, forward.src_desc());
      take(DNNL_ARG_WEIGHTS, forward.weights_desc());
      take(DNNL_ARG_DST, forward.dst_desc());
      operands_ = {{true, 0, DNNL_ARG_SRC}, {true, 1, DNNL_ARG_WEIGHTS}, {false, 0, DNNL_ARG_DST}};
      finish(forward);
    }
  }

  dnnl::stream stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, memory> arguments_;
  std::vector<Bytes> bytes_;
  std::vector<Operand> operands_;
  std::string name_;
};

/// One of our kernels, with tensors of its own.
class Ours {
 public:
  Ours(std::unique_ptr<Kernel> kernel, const KernelJob& job) : kernel_(std::move(kernel)) {
    for (const auto& o : job.inputs)
      inputs_.push_back(bytes_.emplace_back(filled(o.type.bytes())).get());
    for (const auto& o : job.outputs)
      outputs_.push_back(bytes_.emplace_back(filled(o.type.bytes())).get());
  }
  void run() {
    if (const auto ran = kernel_->run(inputs_, outputs_); !ran) {
      fmt::print(stderr, "dnn_kernels: {}\n", ran.error().what);
      std::exit(1);  // NOLINT(concurrency-mt-unsafe): one thread
    }
  }
  [[nodiscard]] std::string name() const { return kernel_->implementation(); }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::vector<Bytes> bytes_;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
};

struct Totals {
  double ours = 0;
  double best = 0;
  int shapes = 0;
  int shown = 0;                    ///< within 3 %, the whole interval
  std::vector<std::string> others;  ///< missed, or not shown either way
  int missed = 0;                   ///< of those: the whole interval above
};

struct Asked {
  std::int64_t batch = 16;
  int threads = 1;
  double seconds = 1.5;
  bool only_matmul = false;
};

std::string describe(const KernelJob& job) {
  const auto& a = job.attributes;
  return fmt::format("{:<21} {:<17} {:<15} s{}", job.op->name, job.inputs[0].type.shape.text(),
                     job.inputs[1].type.shape.text(), a.stride[0]);
}

void compare(KernelLibrary& library, const KernelJob& job, std::uint64_t macs, const Asked& asked,
             Totals& totals) {
  auto kernel = library.make(job);
  if (!kernel) {
    fmt::print("{}: {}\n", describe(job), kernel.error().what);
    totals.others.push_back(describe(job));
    ++totals.missed;
    return;
  }
  Ours ours(std::move(*kernel), job);
  omp_set_num_threads(job.threads);
  Best best(job);
  Best again(job);
  const bool one = job.threads == 1;
  ours.run();
  again.run();
  best.run();
  const double once = std::max(seconds_of([&] { best.run(); }, one), 1e-6);
  const auto count = static_cast<std::size_t>(std::clamp(0.01 / once, 1.0, 10'000.0));
  const auto turn = [&](auto& who) {
    return seconds_of(
               [&] {
                 for (std::size_t i = 0; i < count; ++i) who.run();
               },
               one) /
           static_cast<double>(count);
  };
  Rng random(17);
  const auto times = bench::take_turns(
      {[&] { return turn(ours); }, [&] { return turn(best); }, [&] { return turn(again); }},
      {asked.seconds, 9, 400}, random);
  const auto ratio = bench::ratio_of(times[0], times[1]);
  const auto noise = bench::ratio_of(times[2], times[1]);
  const double seconds = median_of(times[0]);
  const std::string verdict = bench::verdict_below(ratio, 1.03);
  const auto line =
      fmt::format("{} {:8.2f} ms {:5.0f} GF/s {:>4} {:<21} {:<10} {:<21} {:5.1f} %  {} | {}",
                  describe(job), 1e3 * seconds, 2e-9 * static_cast<double>(macs) / seconds, ratio.n,
                  bench::text_of(ratio, 1, 3), verdict, bench::text_of(noise, 1, 3),
                  100 * best.reorder_seconds(job) / seconds, ours.name(), best.name());
  fmt::print("{}\n", line);
  std::fflush(stdout);
  totals.ours += seconds;
  totals.best += median_of(times[1]);
  ++totals.shapes;
  if (verdict == "shown") {
    ++totals.shown;
    return;
  }
  totals.missed += verdict == "MISSED" ? 1 : 0;
  totals.others.push_back(line);
}

Result<void> bench_model(const std::string& model, const Asked& asked, KernelLibrary* library,
                         Totals& totals) {
  METE_TRY(const auto* found, find_zoo_model(model));
  METE_TRY(const auto forward, build_zoo_model(*found, asked.batch));
  METE_TRY(const auto graph, training_step(forward, 0.1));
  KernelLibrary* const libraries[] = {library};
  const auto layouts = layouts_for(graph, libraries);
  std::vector<std::string> seen;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    const auto& node = graph.nodes[n];
    if (node.work.macs == 0) continue;
    const auto job = job_of(graph, n, layouts, asked.threads);
    if (asked.only_matmul && job.op->name != kMatMulOp.name) continue;
    const auto key = fmt::format("{} {} {} {} {}", describe(job), job.attributes.pad[0],
                                 job.attributes.transpose_a, job.attributes.transpose_b,
                                 job.outputs[0].type.shape.text());
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(key);
    compare(*library, job, node.work.macs, asked, totals);
  }
  return {};
}

int number(int argc, char** argv, int i, int otherwise) {
  return argc > i ? std::max(1, std::atoi(argv[i])) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  Asked asked;
  asked.batch = number(argc, argv, 1, 16);
  asked.threads = number(argc, argv, 2, 1);
  if (argc > 3) asked.seconds = std::max(0.01, std::atof(argv[3]));
  std::vector<std::string> models(argv + std::min(argc, 4), argv + argc);
  asked.only_matmul = std::erase(models, "matmul") > 0;
  if (models.empty()) models = {"resnet50", "vgg19"};
  const auto library = open_dnn_library();
  if (!library) {
    fmt::print(stderr, "dnn_kernels: {}\n", library.error().what);
    return 1;
  }
  fmt::print("{}, batch {}, {} thread(s), {} s a shape\n", (*library)->version(), asked.batch,
             asked.threads, asked.seconds);
  fmt::print("{:<57} {:>11} {:>10} {:>4} {:<32} {:<21} {:>7}  ours | best\n",
             "op, operands, stride", "ours", "", "n", "ours / best, bar 1.03",
             "best / best (noise)", "reorder");
  Totals totals;
  for (const auto& model : models) {
    fmt::print("-- {}\n", model);
    if (const auto done = bench_model(model, asked, *library, totals); !done) {
      fmt::print(stderr, "dnn_kernels: {}\n", done.error().what);
      return 2;
    }
  }
  fmt::print(
      "{} shapes: {} shown within 3 % of oneDNN's own best, {} not shown either way, {} missed; in "
      "all {:.3f} s against {:.3f} s: {:.3f}\n",
      totals.shapes, totals.shown, static_cast<int>(totals.others.size()) - totals.missed,
      totals.missed, totals.ours, totals.best, totals.ours / totals.best);
  for (const auto& line : totals.others) fmt::print("look at: {}\n", line);
  return 0;
}
