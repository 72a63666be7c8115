// TorchScript models behind the Model interface, with the checks that keep a wrong file out of the
// control loop. SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/model.h"

#include <utility>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/learn/clock_model.h"
#include "mete/learn/torch_runtime.h"

namespace mete {
namespace {

/// How far the search for the width that a refused model takes goes.
constexpr std::size_t kWidestTried = 64;
constexpr std::size_t kTrialRows = 2;

class TorchModel final : public Model {
 public:
  TorchModel(std::unique_ptr<TorchModule> module, Json metadata)
      : module_(std::move(module)), metadata_(std::move(metadata)) {}
  const Json& metadata() const override { return metadata_; }
  std::size_t inputs() const override { return kClockModelInputs; }
  void predict(std::span<const double> rows, std::span<double> out) noexcept override {
    module_->predict(rows, kClockModelInputs, out);
  }

 private:
  std::unique_ptr<TorchModule> module_;
  Json metadata_;
};

bool one_output_per_row(const std::vector<std::int64_t>& shape) {
  const auto rows = static_cast<std::int64_t>(kTrialRows);
  return shape == std::vector<std::int64_t>{rows, 1} || shape == std::vector<std::int64_t>{rows};
}

Error wrong_inputs(const std::string& path, TorchModule& module, const Error& refusal) {
  for (std::size_t width = 1; width <= kWidestTried; ++width) {
    if (width == kClockModelInputs || !module.output_shape(kTrialRows, width)) continue;
    return fail(Errc::invalid, "{}: takes {} inputs per row, but a clock model has {}: {}", path,
                width, kClockModelInputs, clock_model_input_names());
  }
  return fail(Errc::invalid, "{}: does not take rows of {} inputs ({}): {}", path,
              kClockModelInputs, clock_model_input_names(), refusal.what);
}

Result<void> check_shape(const std::string& path, TorchModule& module) {
  const auto shape = module.output_shape(kTrialRows, kClockModelInputs);
  if (!shape) return wrong_inputs(path, module, shape.error());
  if (one_output_per_row(*shape)) return {};
  std::vector<std::string> sizes;
  for (const auto size : *shape) sizes.push_back(fmt::format("{}", size));
  return fail(Errc::invalid,
              "{}: gives {} numbers for {} rows, but a clock model gives one per row: the clock in "
              "GHz",
              path, join(sizes, " × "), kTrialRows);
}

/// A model of ours says what its inputs are: refuse one trained on others, in whatever order.
Result<Json> check_metadata(const std::string& path, const std::string& text) {
  if (text.empty()) return Json();
  auto metadata = parse_json(text);
  if (!metadata) return metadata.error().within(path + ": mete.json");
  const auto& features = (*metadata)["features"].items();
  const auto is = [&features](const auto& wanted) {
    bool same = features.size() == wanted.size();
    for (std::size_t i = 0; same && i < features.size(); ++i) {
      same = features[i]["name"].as_string() == wanted[i].name;
    }
    return same;
  };
  if (is(kClockModelFeatures) || is(kCpuClockModelFeatures)) return metadata;
  std::vector<std::string> names;
  for (const auto& feature : features) names.push_back(feature["name"].as_string("?"));
  return fail(Errc::invalid, "{}: was trained on other inputs ({}) than a clock model's: {}", path,
              join(names, ", "), clock_model_input_names());
}

}  // namespace

std::string clock_model_input_names() {
  std::vector<std::string> names;
  for (const auto& feature : kClockModelFeatures) names.emplace_back(feature.name);
  return join(names, ", ");
}

Result<std::unique_ptr<Model>> load_model(const std::string& path) {
  if (!path_exists(path)) {
    return fail(Errc::invalid, "{}: no such file; `mete train` writes one", path);
  }
  if (is_directory(path)) return fail(Errc::invalid, "{}: is a folder, not a model file", path);
  METE_TRY(auto* runtime, open_torch_runtime());
  METE_TRY(auto module, runtime->load(path));
  METE_TRY_VOID(check_shape(path, *module));
  METE_TRY(auto metadata, check_metadata(path, module->metadata()));
  return std::unique_ptr<Model>(
      std::make_unique<TorchModel>(std::move(module), std::move(metadata)));
}

}  // namespace mete
