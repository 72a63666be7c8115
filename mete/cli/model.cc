// mete model: what a model comes to: parameters, operations, bytes, layer by layer.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/graph_arg.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"
#include "mete/graph/onnx/onnx.h"
#include "mete/graph/summary.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::string_view kZoo = "zoo:";

struct Options {
  std::string action;
  std::string model;
  std::optional<std::int64_t> batch;
  std::vector<std::string> dims;
  bool totals = false;
  bool json = false;
};

std::string number(std::uint64_t value, std::string_view unit) {
  return format_quantity(static_cast<double>(value), unit, 4);
}

/// 12345678 as "12,345,678": people compare parameters digit by digit.
std::string grouped(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

void print_layers(const ModelSummary& summary) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "output", "parameters", "MACs", "FLOPs", "torchinfo", "activation", "op"}};
  for (const auto& layer : summary.layers) {
    rows.push_back({layer.name, layer.output.text(), grouped(layer.parameters), grouped(layer.macs),
                    grouped(layer.flops), grouped(layer.torchinfo_mult_adds),
                    number(layer.activation_bytes, "B"), layer.op});
  }
  fmt::print("{}\n", align(rows));
}

void print_pass(std::string_view title, const PassSummary& pass) {
  fmt::print("{:14}{} nodes, {} MACs, {} FLOPs\n", title, pass.nodes, grouped(pass.macs),
             grouped(pass.flops));
  fmt::print("{:14}{} of memory at the peak, in {}; {} if nothing ran in place\n", "",
             number(pass.peak_bytes, "B"), pass.peak_at, number(pass.no_reuse_peak_bytes, "B"));
}

/// A model to be described, and what there is to say about where it comes from.
struct Described {
  ModelSummary summary;
  std::string of;           ///< "batch 16"; "ONNX opset 13, by pytorch"
  std::int64_t batch = 0;   ///< 0: as the file says
  std::string no_training;  ///< why no training step is counted; empty if one is
};

void print_for_people(const Described& model, const Options& options) {
  const ModelSummary& summary = model.summary;
  if (!options.totals) print_layers(summary);
  fmt::print("{}, {}: counted, not measured\n", summary.name, model.of);
  fmt::print("{:14}{} ({})\n", "parameters", grouped(summary.parameters),
             number(summary.parameter_bytes, "B"));
  fmt::print("{:14}{}\n", "inputs", number(summary.input_bytes, "B"));
  fmt::print("{:14}{}\n", "activations", number(summary.activation_bytes, "B"));
  print_pass("forward", summary.forward);
  if (model.no_training.empty()) {
    print_pass("training step", summary.training);
  } else {
    fmt::print("{:14}not counted: {}\n", "training step", model.no_training);
  }
  fmt::print("{:14}{} mult-adds by torchinfo's rule\n", "torchinfo",
             grouped(summary.torchinfo_mult_adds));
}

Result<Described> describe_zoo(const Options& options) {
  if (!options.dims.empty()) {
    return fail(Errc::invalid, "--dim: sizes of the zoo's models follow from --batch alone");
  }
  const std::int64_t batch = options.batch.value_or(1);
  METE_TRY(const ZooModel* model, find_zoo_model(options.model.substr(kZoo.size())));
  METE_TRY(const Graph graph, build_zoo_model(*model, batch));
  METE_TRY(const ModelSummary summary, summarise(graph));
  return Described{summary, fmt::format("batch {}", batch), batch, ""};
}

Result<OnnxOptions> onnx_options(const Options& options) {
  OnnxOptions onnx;
  onnx.batch = options.batch.value_or(0);
  for (const auto& dim : options.dims) {
    const auto at = dim.rfind('=');
    const auto size = at == std::string::npos ? std::nullopt : parse_int(dim.substr(at + 1));
    if (!size || *size < 1 || at == 0) {
      return fail(Errc::invalid, "--dim {}: expected NAME=N, as in --dim height=224", dim);
    }
    onnx.dims.emplace_back(dim.substr(0, at), *size);
  }
  return onnx;
}

/// The forward pass as the file has it; a training step with the batch's own averages in its norms,
/// and the cross-entropy of the first result, where the file has no loss.
Result<Described> describe_onnx(const Options& options) {
  METE_TRY(OnnxOptions onnx, onnx_options(options));
  METE_TRY(const OnnxModel model, read_onnx(options.model, onnx));
  Described described;
  METE_TRY(described.summary, summarise_forward(model.graph));
  described.of = fmt::format("ONNX opset {}{}", model.opset,
                             model.producer.empty() ? "" : ", by " + model.producer);
  described.batch = options.batch.value_or(0);
  onnx.training = true;
  METE_TRY(OnnxModel trained, read_onnx(options.model, onnx));
  if (trained.graph.loss == kNoTensor && !add_onnx_loss(trained)) {
    described.no_training =
        "the first result is not one row of numbers for each sample, to which mete could add a "
        "loss";
    return described;
  }
  const auto whole = summarise(trained.graph);
  if (whole) {
    described.summary.training = whole->training;
  } else {
    described.no_training = whole.error().what;
  }
  return described;
}

Result<ExitCode> describe(const Options& options) {
  if (options.model.empty()) {
    return fail(Errc::invalid,
                "no model given: expected zoo:NAME (`mete model list`) or an ONNX file");
  }
  const bool zoo = options.model.starts_with(kZoo);
  if (!zoo && !path_exists(options.model)) {
    return fail(Errc::invalid,
                "{}: no such file; expected an ONNX file, or a model of the zoo, as in "
                "zoo:resnet50 (`mete model list`)",
                options.model);
  }
  METE_TRY(const Described model, zoo ? describe_zoo(options) : describe_onnx(options));
  if (options.json) {
    Json json = to_json(model.summary);
    json.set("batch", model.batch == 0 ? Json() : Json(model.batch));
    if (!model.no_training.empty()) json.set("training_step", Json());
    json.set("source", "counted");
    fmt::print("{}\n", json.dump());
  } else {
    print_for_people(model, options);
  }
  return 0;
}

ExitCode list(const Options& options) {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& model : zoo_models()) {
    const std::string name = fmt::format("{}{}", kZoo, model.name);
    rows.push_back({name, std::string(model.summary)});
    json.push(Json::object({{"name", name}, {"summary", model.summary}}));
  }
  fmt::print("{}\n", options.json ? json.dump() : align(rows));
  return 0;
}

Result<ExitCode> model(const Options& options) {
  if (options.action == "describe") return describe(options);
  if (options.action == "list") return list(options);
  return fail(Errc::invalid, "model {}: expected describe or list{}", options.action,
              did_you_mean(options.action, {"describe", "list"}));
}

}  // namespace

Runner add_model(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action, "describe | list")->required();
  app.add_option("MODEL", options->model, "A model of the zoo: zoo:resnet50; or an ONNX file");
  app.add_option("--batch", options->batch,
                 "How many samples at once [1; of an ONNX file: as it says]")
      ->range(1, kMostBatch);
  app.add_option("--dim", options->dims,
                 "NAME=N: the size of an axis that an ONNX file leaves open")
      ->allow_extra_args(false);
  app.add_flag("--totals", options->totals, "Without the table of layers");
  app.add_flag("--json", options->json, "The figures, layers too, as JSON");
  return [options](const Context& /*context*/) { return model(*options); };
}

}  // namespace mete
