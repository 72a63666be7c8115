// Placement problems of the shape of deep networks, made by rule: what solvers are timed on where
// no measured profile of that size exists. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/rng.h"
#include "mete/placement/problem.h"
#include "mete/placement/solver.h"

namespace mete::bench {

/// Adds kernels with additive times: reading or writing fast memory at 60 GB/s, each slow input at
/// 12 GB/s and each slow output at 5 GB/s instead, give or take a quarter.
class NetworkMaker {
 public:
  NetworkMaker(std::string name, std::uint64_t seed) : rng_(seed) {
    problem_.name = std::move(name);
    problem_.source = "made by rule (bench/placement_problems.h)";
    problem_.rates = {.fast_to_slow = 12e9, .slow_to_fast = 29e9};
  }

  /// `tables`: a full table of times where a kernel has at most 7 tensors.
  void use_tables() { tables_ = true; }
  std::uint32_t tensor(double bytes) {
    return problem_.add_tensor(static_cast<std::uint64_t>(bytes));
  }
  /// `work`: seconds per byte of compute on top.
  void kernel(const char* op, std::vector<std::uint32_t> inputs, std::vector<std::uint32_t> outputs,
              double work) {
    double fast = 2e-6;
    std::vector<double> slow;
    for (const auto t : inputs) slow.push_back(cost(t, 60e9, 12e9, work, fast));
    for (const auto t : outputs) slow.push_back(cost(t, 60e9, 5e9, work, fast));
    inputs.insert(inputs.end(), outputs.begin(), outputs.end());
    if (!tables_ || inputs.size() > 7) {
      problem_.add_additive_kernel(op, inputs, fast, slow);
      return;
    }
    std::vector<double> table;
    for (std::size_t mask = 0; mask < std::size_t{1} << slow.size(); ++mask) {
      double sum = fast;
      for (std::size_t b = 0; b < slow.size(); ++b) sum += ((mask >> b) & 1U) != 0 ? slow[b] : 0;
      table.push_back(sum);
    }
    problem_.add_kernel(op, inputs, table);
  }
  Problem finish() { return std::move(problem_); }

 private:
  double cost(std::uint32_t t, double fast_rate, double slow_rate, double work, double& fast) {
    const auto bytes = static_cast<double>(problem_.tensors[t].bytes);
    fast += bytes * (1 / fast_rate + work);
    return bytes * (1 / slow_rate - 1 / fast_rate) * (0.75 + 0.5 * rng_.uniform()) + 1e-6;
  }

  Problem problem_;
  Rng rng_;
  bool tables_ = false;
};

/// One convolution with batch norm and ReLU, forward; what its backward pass needs.
struct Layer {
  std::uint32_t input = 0, convolved = 0, normed = 0, out = 0, statistics = 0;
};

inline Layer forward(NetworkMaker& net, std::uint32_t input, double bytes) {
  Layer layer;
  layer.input = input;
  layer.convolved = net.tensor(bytes);
  layer.normed = net.tensor(bytes);
  layer.statistics = net.tensor(2048);
  layer.out = net.tensor(bytes);
  net.kernel("Convolution", {input}, {layer.convolved}, 2e-10);
  net.kernel("BatchNorm", {layer.convolved}, {layer.normed, layer.statistics}, 0);
  net.kernel("Relu", {layer.normed}, {layer.out}, 0);
  return layer;
}

/// Takes the gradient of the layer's output; gives that of its input.
inline std::uint32_t backward(NetworkMaker& net, const Layer& layer, std::uint32_t gradient,
                              double bytes, double input_bytes) {
  const auto relu = net.tensor(bytes);
  net.kernel("ReluBackprop", {layer.normed, gradient}, {relu}, 0);
  const auto norm = net.tensor(bytes);
  net.kernel("BatchNormBackprop", {layer.convolved, layer.statistics, relu}, {norm}, 0);
  const auto weights = net.tensor(64 << 10);
  net.kernel("ConvolutionBackpropFilters", {layer.input, norm}, {weights}, 2e-10);
  const auto input = net.tensor(input_bytes);
  net.kernel("ConvolutionBackpropData", {norm}, {input}, 2e-10);
  net.kernel("Sgd", {weights}, {}, 0);
  return input;
}

/// Bottleneck blocks of three layers with a skip; 330 of them make 12,900 kernels or so.
inline Problem residual_network(int blocks, std::uint64_t seed, bool tables) {
  constexpr int kWidth = 3;
  NetworkMaker net(std::to_string(blocks) + " residual blocks", seed);
  if (tables) net.use_tables();
  const auto size = [blocks](int b) { return 50e6 / (1 << (4 * b / blocks)); };
  auto x = net.tensor(size(0));
  net.kernel("Input", {}, {x}, 0);
  std::vector<Layer> layers;
  for (int b = 0; b < blocks; ++b) {
    auto y = x;
    for (int i = 0; i < kWidth; ++i) {
      layers.push_back(forward(net, y, i + 1 < kWidth ? size(b) / 4 : size(b)));
      y = layers.back().out;
    }
    const auto sum = net.tensor(size(b));
    net.kernel("Add", {x, y}, {sum}, 0);
    x = sum;
  }
  auto gradient = net.tensor(size(blocks - 1));
  net.kernel("Loss", {x}, {gradient}, 0);
  for (int b = blocks - 1; b >= 0; --b) {
    auto inner = gradient;
    for (int i = kWidth - 1; i >= 0; --i) {
      const auto& layer = layers[static_cast<std::size_t>(b * kWidth + i)];
      inner = backward(net, layer, inner, i + 1 < kWidth ? size(b) / 4 : size(b),
                       i > 0 ? size(b) / 4 : size(b));
    }
    const auto sum = net.tensor(size(b));
    net.kernel("Add", {gradient, inner}, {sum}, 0);
    gradient = sum;
    for (int pad = 0; pad < 13; ++pad) {  // the optimizer's small kernels
      const auto step = net.tensor(4096 << (pad % 5));
      net.kernel("Sgd", {}, {step}, 0);
    }
  }
  return net.finish();
}

/// Dense blocks: every layer reads the concatenation of all before it.
inline Problem dense_network(const std::vector<int>& blocks, std::uint64_t seed, bool tables) {
  NetworkMaker net("a dense network", seed);
  if (tables) net.use_tables();
  struct Step {
    Layer narrow, wide;
    std::uint32_t joined = 0;
    double joined_bytes = 0, growth = 0;
  };
  std::vector<Step> steps;
  double growth = 6.4e6;
  auto x = net.tensor(2 * growth);
  net.kernel("Input", {}, {x}, 0);
  for (const int count : blocks) {
    double bytes = 2 * growth;
    for (int i = 0; i < count; ++i) {
      Step step;
      step.growth = growth;
      step.joined_bytes = bytes;
      step.narrow = forward(net, x, 4 * growth);
      step.wide = forward(net, step.narrow.out, growth);
      bytes += growth;
      step.joined = net.tensor(bytes);
      net.kernel("Concat", {x, step.wide.out}, {step.joined}, 0);
      x = step.joined;
      steps.push_back(step);
    }
    growth /= 4;
    const auto pooled = net.tensor(2 * growth);
    net.kernel("AvgPool", {x}, {pooled}, 0);
    x = pooled;
  }
  auto gradient = net.tensor(2 * growth);
  net.kernel("Loss", {x}, {gradient}, 0);
  for (std::size_t s = steps.size(); s-- > 0;) {
    const Step& step = steps[s];
    const auto before = net.tensor(step.joined_bytes);
    const auto own = net.tensor(step.growth);
    net.kernel("Slice", {gradient}, {before, own}, 0);
    auto inner = backward(net, step.wide, own, step.growth, 4 * step.growth);
    inner = backward(net, step.narrow, inner, 4 * step.growth, step.joined_bytes);
    gradient = net.tensor(step.joined_bytes);
    net.kernel("Add", {before, inner}, {gradient}, 0);
    for (int pad = 0; pad < 7; ++pad) {
      const auto small = net.tensor(4096 << (pad % 5));
      net.kernel("Sgd", {}, {small}, 0);
    }
  }
  return net.finish();
}

/// Calls show(problem) for each published problem in the folder, largest last. Whether all were
/// read and every show() said true.
template <class Show>
bool each_published(const std::string& folder, Show show) {
  bool met = true;
  for (const auto* name : {"vgg19", "resnet50", "inception"}) {
    const auto problem = read_problem(folder + "/" + name + ".json.gz");
    if (!problem) {
      std::fprintf(stderr, "%s\n", problem.error().what.c_str());
      return false;
    }
    met = show(*problem) && met;
  }
  return met;
}

/// The solver's answer at a ratio; nothing, with a line printed, if there is none.
inline std::optional<SolvedPlan> solve_at(const Problem& problem, const char* ratio,
                                          const char* name, LpRuntime* runtime) {
  SolveRequest request;
  request.lp = runtime;
  const auto limit = limit_of_ratio(ratio, problem);
  const auto solver = find_solver(name);
  if (!limit || !solver) {
    std::printf("%s at %s: no such solver or ratio\n", name, ratio);
    return std::nullopt;
  }
  request.limit_bytes = *limit;
  auto solved = solve(**solver, problem, request);
  if (!solved) {
    std::printf("%s: %s\n", problem.name.c_str(), solved.error().what.c_str());
    return std::nullopt;
  }
  return std::move(*solved);
}

}  // namespace mete::bench
