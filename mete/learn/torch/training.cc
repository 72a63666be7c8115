// Adam on a small network, and its export as TorchScript.
//
// Batches are normalised by their own mean and variance while training, as PyTorch's BatchNorm1d
// does. The finished model scales by the training set's exact mean and variance instead of
// BatchNorm's running ones, which after few batches are still near their start (0 and 1), far from
// clocks of 1e9 Hz. SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/torch/training.h"

#include <cmath>
#include <cstring>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <torch/script.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

constexpr double kEpsilon = 1e-5;  // BatchNorm1d's default
constexpr double kMomentum = 0.1;  // has no effect here; an argument that must be given

std::int64_t as_size(std::size_t n) { return static_cast<std::int64_t>(n); }

torch::Tensor tensor_of(const std::vector<double>& values) {
  auto tensor = torch::empty({as_size(values.size())}, torch::kFloat);
  for (std::size_t i = 0; i < values.size(); ++i) {
    tensor.data_ptr<float>()[i] = static_cast<float>(values[i]);
  }
  return tensor;
}

/// Uniform in ±1/sqrt(fan_in), PyTorch's default for linear layers, from our own generator: the
/// same seed gives the same start with any libtorch.
torch::Tensor random_tensor(std::vector<std::int64_t> shape, std::size_t fan_in, Rng& rng) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  auto tensor = torch::empty(shape, torch::kFloat);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<float>()[i] = static_cast<float>(bound * (2 * rng.uniform() - 1));
  }
  return tensor.requires_grad_();
}

/// Adam (Kingma and Ba, 2015) with PyTorch's defaults, in plain loops: the network has some 200
/// parameters in ten tensors, and libtorch's own spends most of a step on calling its operators.
class Adam {
 public:
  Adam(std::vector<torch::Tensor> parameters, double rate)
      : parameters_(std::move(parameters)), rate_(rate) {
    for (const auto& parameter : parameters_) {
      moments_.emplace_back(static_cast<std::size_t>(parameter.numel()));
    }
  }
  void forget_gradients() {
    for (auto& parameter : parameters_) parameter.mutable_grad().reset();
  }
  void step() {
    ++steps_;
    const double first = 1 - std::pow(kDecay1, steps_);
    const double second = 1 - std::pow(kDecay2, steps_);
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      const auto gradient = parameters_[p].grad().contiguous();
      const float* g = gradient.data_ptr<float>();
      float* value = parameters_[p].data_ptr<float>();
      for (auto& [mean, square] : moments_[p]) {
        const auto slope = static_cast<double>(*g++);
        mean = kDecay1 * mean + (1 - kDecay1) * slope;
        square = kDecay2 * square + (1 - kDecay2) * slope * slope;
        const double change = rate_ * (mean / first) / (std::sqrt(square / second) + kTiny);
        *value = static_cast<float>(static_cast<double>(*value) - change);
        ++value;
      }
    }
  }

 private:
  static constexpr double kDecay1 = 0.9;
  static constexpr double kDecay2 = 0.999;
  static constexpr double kTiny = 1e-8;
  struct Moments {
    double mean = 0;
    double square = 0;
  };
  std::vector<torch::Tensor> parameters_;
  std::vector<std::vector<Moments>> moments_;
  double rate_;
  int steps_ = 0;
};

struct Layer {
  torch::Tensor weight;
  torch::Tensor bias;
};

class Training final : public TorchTraining {
 public:
  explicit Training(const NetworkSpec& spec)
      : inputs_(spec.inputs), mean_(tensor_of(spec.mean)), variance_(tensor_of(spec.variance)) {
    Rng rng(spec.seed);
    varies_ = (variance_ > 0).to(torch::kFloat);
    scale_ = torch::ones({as_size(inputs_)}, torch::kFloat).requires_grad_();
    shift_ = torch::zeros({as_size(inputs_)}, torch::kFloat).requires_grad_();
    auto widths = spec.hidden;
    widths.push_back(1);
    std::size_t fan_in = inputs_;
    std::vector<torch::Tensor> parameters{scale_, shift_};
    for (const auto width : widths) {
      Layer layer{random_tensor({as_size(width), as_size(fan_in)}, fan_in, rng),
                  random_tensor({as_size(width)}, fan_in, rng)};
      parameters.push_back(layer.weight);
      parameters.push_back(layer.bias);
      layers_.push_back(std::move(layer));
      fan_in = width;
    }
    optimizer_ = std::make_unique<Adam>(std::move(parameters), spec.learning_rate);
  }

  Result<double> step(std::span<const float> rows, std::span<const float> targets) override {
    try {
      optimizer_->forget_gradients();
      const auto normal = torch::batch_norm(borrow(rows, inputs_), scale(), shift_, {}, {}, true,
                                            kMomentum, kEpsilon, false);
      const auto loss = torch::mse_loss(layers_forward(normal), borrow(targets, 1));
      loss.backward();
      optimizer_->step();
      return static_cast<double>(loss.item<float>());
    } catch (const std::exception& e) {
      return fail(Errc::failed, "libtorch: {}", first_line(e.what()));
    }
  }

  Result<void> predict(std::span<const float> rows, std::span<float> out) override {
    try {
      const torch::NoGradGuard no_gradients;
      const auto normal = torch::batch_norm(borrow(rows, inputs_), scale(), shift_, mean_,
                                            variance_, false, kMomentum, kEpsilon, false);
      const auto output = layers_forward(normal).contiguous();
      std::memcpy(out.data(), output.data_ptr<float>(), out.size_bytes());
      return {};
    } catch (const std::exception& e) {
      return fail(Errc::failed, "libtorch: {}", first_line(e.what()));
    }
  }

  Result<std::string> save(const std::string& metadata) override {
    try {
      torch::jit::Module module("MeteClockModel");
      module.register_attribute("training", c10::BoolType::get(), false);
      module.register_parameter("norm_weight", scale().detach().clone(), false);
      module.register_parameter("norm_bias", shift_.detach().clone(), false);
      module.register_buffer("norm_mean", mean_);
      module.register_buffer("norm_variance", variance_);
      std::string code = fmt::format(
          "def forward(self, x: Tensor) -> Tensor:\n"
          "    y = torch.batch_norm(x, self.norm_weight, self.norm_bias, self.norm_mean, "
          "self.norm_variance, False, {}, {}, False)\n",
          kMomentum, kEpsilon);
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        const auto weight = fmt::format("weight{}", i);
        const auto bias = fmt::format("bias{}", i);
        module.register_parameter(weight, layers_[i].weight.detach().clone(), false);
        module.register_parameter(bias, layers_[i].bias.detach().clone(), false);
        code += fmt::format("    y = torch.linear(y, self.{}, self.{})\n", weight, bias);
        if (i + 1 < layers_.size()) code += "    y = torch.sigmoid(y)\n";
      }
      module.define(code + "    return y\n");
      std::ostringstream bytes;
      module.save(bytes, {{"mete.json", metadata}});
      return bytes.str();
    } catch (const std::exception& e) {
      return fail(Errc::failed, "libtorch: {}", first_line(e.what()));
    }
  }

 private:
  /// A tensor over the caller's memory: good only while the caller keeps it.
  static torch::Tensor borrow(std::span<const float> values, std::size_t width) {
    auto* data = const_cast<float*>(values.data());  // NOLINT(*-const-cast): from_blob asks so
    return torch::from_blob(data, {as_size(values.size() / width), as_size(width)}, torch::kFloat);
  }

  /// An input that never varied must not sway the model when it does for the first time, nor may
  /// its rounding errors while training: its scale is 0. (A NaN still comes out as NaN.)
  torch::Tensor scale() const { return scale_ * varies_; }

  torch::Tensor layers_forward(torch::Tensor y) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      y = torch::linear(y, layers_[i].weight, layers_[i].bias);
      if (i + 1 < layers_.size()) y = torch::sigmoid(y);
    }
    return y;
  }

  std::size_t inputs_;
  torch::Tensor mean_;
  torch::Tensor variance_;
  torch::Tensor varies_;  ///< 1, or 0 for an input whose variance is 0
  torch::Tensor scale_;
  torch::Tensor shift_;
  std::vector<Layer> layers_;
  std::unique_ptr<Adam> optimizer_;
};

}  // namespace

Result<std::unique_ptr<TorchTraining>> make_torch_training(const NetworkSpec& spec) {
  try {
    return std::unique_ptr<TorchTraining>(std::make_unique<Training>(spec));
  } catch (const std::exception& e) {
    return fail(Errc::failed, "libtorch: {}", first_line(e.what()));
  }
}

}  // namespace mete
