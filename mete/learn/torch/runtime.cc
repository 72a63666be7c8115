// The plugin's entry, and TorchScript files loaded and run. Every exception of libtorch ends here.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <torch/script.h>
#include <torch/utils.h>
#include <torch/version.h>

#include "mete/base/text.h"
#include "mete/learn/torch/training.h"
#include "mete/learn/torch_runtime.h"

namespace mete {
namespace {

/// A refusal in the module's own code ends with the words that matter: "RuntimeError: ..".
std::string last_words(const char* what) {
  std::string words;
  for (const auto line : split(what, '\n')) {
    if (!trim(line).empty()) words = std::string(trim(line));
    if (line.starts_with("RuntimeError") || line.starts_with("Exception raised")) break;
  }
  return words;
}

class LoadedModule final : public TorchModule {
 public:
  LoadedModule(torch::jit::Module module, std::string metadata)
      : module_(std::move(module)), metadata_(std::move(metadata)) {
    for (const auto& parameter : module_.parameters()) {
      if (!parameter.is_floating_point()) continue;
      if (parameter.scalar_type() == torch::kDouble) type_ = torch::kDouble;
      break;
    }
    inputs_.resize(1);
  }
  const std::string& metadata() const override { return metadata_; }

  Result<std::vector<std::int64_t>> output_shape(std::size_t rows, std::size_t inputs) override {
    try {
      const c10::InferenceMode no_gradients;
      inputs_[0] = torch::zeros({as_size(rows), as_size(inputs)}, type_);
      const auto output = module_.forward(inputs_);
      if (!output.isTensor()) {
        return fail(Errc::invalid, "gives {} instead of a tensor", output.tagKind());
      }
      return output.toTensor().sizes().vec();
    } catch (const std::exception& e) {
      return fail(Errc::invalid, "{}", last_words(e.what()));
    }
  }

  void predict(std::span<const double> rows, std::size_t inputs,
               std::span<double> out) noexcept override {
    try {
      const c10::InferenceMode no_gradients;
      fill_input(rows, out.size(), inputs);
      const auto output = module_.forward(inputs_).toTensor();
      if (output.numel() == as_size(out.size())) {
        read_output(output.is_contiguous() ? output : output.contiguous(), out);
        return;
      }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a NaN says it
    }
    for (auto& value : out) value = std::numeric_limits<double>::quiet_NaN();
  }

 private:
  static std::int64_t as_size(std::size_t n) { return static_cast<std::int64_t>(n); }

  /// Copies the rows into a tensor that is kept from call to call: making one, and letting libtorch
  /// convert it, would take longer than the network.
  void fill_input(std::span<const double> rows, std::size_t count, std::size_t inputs) {
    const bool fits = inputs_[0].isTensor() && inputs_[0].toTensor().dim() == 2 &&
                      inputs_[0].toTensor().size(0) == as_size(count) &&
                      inputs_[0].toTensor().size(1) == as_size(inputs);
    if (!fits) inputs_[0] = torch::empty({as_size(count), as_size(inputs)}, type_);
    const auto tensor = inputs_[0].toTensor();
    if (type_ == torch::kFloat) {
      std::transform(rows.begin(), rows.end(), tensor.data_ptr<float>(),
                     [](double v) { return static_cast<float>(v); });
    } else {
      std::copy(rows.begin(), rows.end(), tensor.data_ptr<double>());
    }
  }

  static void read_output(const torch::Tensor& output, std::span<double> out) {
    if (output.scalar_type() == torch::kFloat) {
      std::copy_n(output.data_ptr<float>(), out.size(), out.begin());
    } else {
      const auto wide = output.to(torch::kDouble);
      std::copy_n(wide.data_ptr<double>(), out.size(), out.begin());
    }
  }

  torch::jit::Module module_;
  std::string metadata_;
  torch::ScalarType type_ = torch::kFloat;
  std::vector<torch::jit::IValue> inputs_;
};

class Runtime final : public TorchRuntime {
 public:
  std::string version() const override { return TORCH_VERSION; }

  Result<std::unique_ptr<TorchModule>> load(const std::string& path) override {
    try {
      torch::jit::ExtraFilesMap extra{{"mete.json", ""}};
      auto module = torch::jit::load(path, torch::kCPU, extra);
      module.eval();
      return std::unique_ptr<TorchModule>(
          std::make_unique<LoadedModule>(std::move(module), extra["mete.json"]));
    } catch (const std::exception& e) {
      return fail(Errc::invalid,
                  "{}: is no TorchScript file ({}); write one with `mete train`, or with "
                  "torch.jit.script(model).save() in PyTorch",
                  path, first_line(e.what()));
    }
  }

  Result<std::unique_ptr<TorchTraining>> train(const NetworkSpec& spec) override {
    return make_torch_training(spec);
  }
};

}  // namespace
}  // namespace mete

extern "C" mete::TorchRuntime* mete_torch_runtime(int abi, const char* mete_version) {
  if (abi != mete::kTorchPluginAbi || std::strcmp(mete_version, METE_VERSION) != 0) return nullptr;
  try {
    // Networks of six inputs gain nothing from threads, and the workload beside us wants its cores.
    torch::set_num_threads(1);
    static mete::Runtime runtime;
    return &runtime;
  } catch (const std::exception&) {
    return nullptr;
  }
}
