// mete model: what a model comes to: parameters, operations, bytes, layer by layer.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"
#include "mete/graph/summary.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::string_view kZoo = "zoo:";

struct Options {
  std::string action;
  std::string model;
  std::int64_t batch = 1;
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

void print_for_people(const ModelSummary& summary, const Options& options) {
  if (!options.totals) print_layers(summary);
  fmt::print("{}, batch {}: counted, not measured\n", summary.name, options.batch);
  fmt::print("{:14}{} ({})\n", "parameters", grouped(summary.parameters),
             number(summary.parameter_bytes, "B"));
  fmt::print("{:14}{}\n", "inputs", number(summary.input_bytes, "B"));
  fmt::print("{:14}{}\n", "activations", number(summary.activation_bytes, "B"));
  print_pass("forward", summary.forward);
  print_pass("training step", summary.training);
  fmt::print("{:14}{} mult-adds by torchinfo's rule\n", "torchinfo",
             grouped(summary.torchinfo_mult_adds));
}

Result<ExitCode> describe(const Options& options) {
  if (!options.model.starts_with(kZoo)) {
    return fail(Errc::invalid,
                "{}: expected a model of the zoo, as in zoo:resnet50 (`mete model list`)",
                options.model.empty() ? "no model given" : options.model);
  }
  METE_TRY(const ZooModel* model, find_zoo_model(options.model.substr(kZoo.size())));
  METE_TRY(const Graph graph, build_zoo_model(*model, options.batch));
  METE_TRY(const ModelSummary summary, summarise(graph));
  if (options.json) {
    Json json = to_json(summary);
    json.set("batch", options.batch);
    json.set("source", "counted");
    fmt::print("{}\n", json.dump());
  } else {
    print_for_people(summary, options);
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
  app.add_option("MODEL", options->model, "A model of the zoo: zoo:resnet50");
  app.add_option("--batch", options->batch, "How many samples at once")->capture_default_str();
  app.add_flag("--totals", options->totals, "Without the table of layers");
  app.add_flag("--json", options->json, "The figures, layers too, as JSON");
  return [options](const Context& /*context*/) { return model(*options); };
}

}  // namespace mete
