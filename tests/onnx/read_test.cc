// ONNX files that are wrong, or leave something open, and what must be said about them; and real
// architectures against what torch counts in them. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdlib>
#include <limits>

#include "tests/onnx/onnx_bytes.h"
#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/graph/onnx/onnx.h"
#include "mete/graph/ops.h"
#include "mete/graph/summary.h"
#include "mete/kernel/run_graph.h"

namespace mete {
namespace {

using namespace onnx_bytes;  // NOLINT(google-build-using-namespace): a test's vocabulary

class OnnxRead : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto parser = open_onnx_parser();
    if (!parser) GTEST_SKIP() << parser.error().what;
  }

  static Result<OnnxModel> read(const Model& model, const OnnxOptions& options = {}) {
    return parse_onnx(model.bytes(), "file", "", options);
  }
  /// The error, which must be one line that names the file and blames it.
  static std::string refusal(const Model& model, const OnnxOptions& options = {}) {
    const auto result = read(model, options);
    if (result) return "it was read";
    EXPECT_EQ(result.error().code, Errc::invalid);
    EXPECT_TRUE(result.error().what.starts_with("file: ")) << result.error().what;
    EXPECT_EQ(result.error().what.find('\n'), std::string::npos);
    return result.error().what;
  }
};

void expect_says(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << text << "\nlacks: " << words;
}

TEST_F(OnnxRead, names_all_that_is_not_supported_at_once) {
  Model model{{node("Loop", {"x"}, {"a"}), node("Relu", {"a"}, {"b"}), node("Loop", {"b"}, {"c"}),
               node("Einsum", {"c"}, {"d"}), node("Conv", {"v", "w"}, {"e"}),
               node("Add", {"d", "e"}, {"y"})}};
  model.inputs.push_back(value("v", {1, 2, 4, 4, 4}));
  model.weights = {floats("w", {2, 2, 1, 1, 1})};
  const std::string said = refusal(model);
  expect_says(said, "Loop (2, first at 'the_Loop')");
  expect_says(said, "Einsum (1, first at 'the_Einsum')");
  expect_says(said, "Conv on images of 5 axes (1, first at 'the_Conv')");
}

TEST_F(OnnxRead, says_which_sizes_are_open_and_takes_them) {
  Model model{{node("Relu", {"x"}, {"y"})}};
  model.inputs = {value("x", {-1, 3, -1, 8}, "n")};
  expect_says(refusal(model), "axis 0 of 'x', axis 2 of 'x'; fix them with --batch N --dim n=N");
  OnnxOptions options;
  options.batch = 5;
  options.dims = {{"x:2", 7}};
  const auto read_model = read(model, options);
  ASSERT_TRUE(read_model) << read_model.error().what;
  EXPECT_EQ(read_model->graph.tensors[read_model->graph.results[0]].type.shape,
            (Shape{5, 3, 7, 8}));
  options.dims = {{"nn", 7}};
  model.inputs = {value("x", {-1, 3, 8, 8}, "n")};
  expect_says(refusal(model, options), "no axis is called nn");
}

TEST_F(OnnxRead, refuses_circles_gaps_and_names_given_twice) {
  expect_says(refusal({{node("Add", {"x", "b"}, {"a"}), node("Relu", {"a"}, {"b"}),
                        node("Relu", {"b"}, {"y"})}}),
              "reads 'b', which Relu 'the_Relu' makes only later");
  expect_says(refusal({{node("Add", {"x", "b"}, {"y"})}}), "reads 'b', which nothing makes");
  expect_says(refusal({{node("Relu", {"x"}, {"y"}), node("Tanh", {"x"}, {"y"})}}),
              "'y' is made twice");
  expect_says(refusal({{node("Relu", {"x"}, {"x"})}}), "'x' is there already");
  expect_says(refusal({{node("Relu", {"x"}, {"z"})}}), "the result 'y': nothing makes it");
  Model twice{{node("Relu", {"x"}, {"y"})}, {floats("w", {2}), floats("w", {2})}};
  expect_says(refusal(twice), "'w' is there twice");
}

TEST_F(OnnxRead, refuses_data_that_are_not_as_long_as_their_sizes_say) {
  const std::int64_t huge = std::int64_t{1} << 40U;
  for (const auto& dims : {std::vector<std::int64_t>{3}, {huge, huge, huge}, {-1}, {huge}}) {
    Model model{{node("Add", {"x", "w"}, {"y"})}, {tensor("w", dims, 1, "1234")}};
    expect_says(refusal(model), "tensor 'w': ");
  }
  Model wide{{node("Relu", {"x"}, {"y"})}};
  wide.inputs = {value("x", {huge, huge})};
  expect_says(refusal(wide), "more than mete counts");
  wide.inputs = {value("x", std::vector<std::int64_t>(400, 1))};
  expect_says(refusal(wide), "400 axes");
}

TEST_F(OnnxRead, refuses_what_is_no_model) {
  const std::string none[] = {"hello", "", std::string(1000, '\xff')};
  for (const auto& bytes : none) {
    const auto result = parse_onnx(bytes, "file", "", {});
    ASSERT_FALSE(result);
    expect_says(result.error().what, "file: not an ONNX model");
  }
  const std::string whole = Model{{node("Relu", {"x"}, {"y"})}}.bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = parse_onnx(std::string_view(whole).substr(0, length), "file", "", {});
    EXPECT_TRUE(cut || cut.error().what.starts_with("file: ")) << cut.error().what;
  }
  // Sub-graphs within sub-graphs: protobuf's own limit holds.
  std::string deep = node("Relu", {"x"}, {"y"});
  for (int i = 0; i < 5000; ++i) deep = node("If", {"x"}, {"y"}, {part(6, part(1, deep))});
  expect_says(refusal({{deep}}), "not an ONNX model, or cut short");
  expect_says(refusal({{node("Relu", {"x"}, {"y"})}, {}, {value("x", {2})}, {value("y", {})}, 0}),
              "names no version");
}

TEST_F(OnnxRead, keeps_names_from_the_terminal) {
  const std::string said = refusal({{node("Add\x1b[31m\n", {"x"}, {"y"})}});
  expect_says(said, "Add\\x1b[31m\\n (1");
}

TEST_F(OnnxRead, reads_no_file_outside_the_models_folder) {
  const auto model = [](const std::string& location) {
    return Model{{node("Add", {"x", "w"}, {"y"})}, {external("w", {3}, location)}};
  };
  for (const auto* location : {"/etc/passwd", "../w", "a/../../w", ""}) {
    expect_says(refusal(model(location)), "mete does not read outside it");
  }
  OnnxOptions values;
  values.values = true;
  EXPECT_TRUE(read(model("weights.bin"))) << "counting needs no weights";
  expect_says(refusal(model("weights.bin"), values), "there is no such file beside the model");

  char folder[] = "/tmp/mete_onnx_XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string inside = path_join(folder, "model");
  ASSERT_TRUE(make_directories(inside));
  ASSERT_TRUE(write_file_atomically(path_join(folder, "secret"), "123456789abc"));
  ASSERT_TRUE(write_file_atomically(path_join(inside, "short"), "1234"));
  ASSERT_TRUE(write_file_atomically(path_join(inside, "good"), "123456789abc"));
  ASSERT_EQ(::symlink("../secret", path_join(inside, "link").c_str()), 0);
  const auto said = [&](const std::string& location) {
    const auto result = parse_onnx(model(location).bytes(), "file", inside, values);
    return result ? std::string("it was read") : result.error().what;
  };
  expect_says(said("link"), "a link out of the model's folder");
  expect_says(said("short"), "4 bytes there, 12 expected");
  expect_says(said("."), "that is no file");
  EXPECT_EQ(said("good"), "it was read");
  for (const auto* name : {"model/link", "model/short", "model/good", "secret"}) {
    ::unlink(path_join(folder, name).c_str());
  }
  ::rmdir(inside.c_str());
  ::rmdir(folder);
}

TEST_F(OnnxRead, weights_are_parameters_and_constants_are_not) {
  Model model{{node("MatMul", {"x", "w"}, {"a"}), node("Add", {"a", "b"}, {"c"}),
               node("Reshape", {"c", "s"}, {"y"})},
              {floats("w", {3, 4}), floats("b", {4}), integers("s", {-1, 2})}};
  OnnxOptions values;
  values.values = true;
  const auto result = read(model, values);
  ASSERT_TRUE(result) << result.error().what;
  const Graph& graph = result->graph;
  std::vector<const Op*> ops;
  for (const auto& each : graph.nodes) ops.push_back(each.op);
  EXPECT_EQ(ops, (std::vector<const Op*>{&kMatMulOp, &kBiasOp, &kReshapeOp}));
  EXPECT_EQ(graph.tensors[graph.results[0]].type.shape, (Shape{4, 2}));
  const auto summary = summarise_forward(graph);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->parameters, 16U);
  EXPECT_EQ(summary->forward.macs, 2U * 3 * 4);
  EXPECT_EQ(summary->layers.front().parameters, 16U) << "a bias is of the layer it follows";
  EXPECT_EQ(result->values.size(), 2U);
}

TEST_F(OnnxRead, constants_are_weights_where_there_are_no_others) {
  const std::string value = part(1, "value") + number(20, 4) + part(5, floats("", {3, 4}));
  Model model{{node("Constant", {}, {"w"}, {value}), node("MatMul", {"x", "w"}, {"y"})}};
  const auto counted = [&]() -> std::uint64_t {
    const auto result = read(model);
    EXPECT_TRUE(result) << (result ? "" : result.error().what);
    return result ? summarise_forward(result->graph)->parameters : 0;
  };
  EXPECT_EQ(counted(), 12U);
  model.nodes.push_back(node("Add", {"y", "b"}, {"z"}));
  model.weights = {floats("b", {4})};
  EXPECT_EQ(counted(), 4U);
}

TEST_F(OnnxRead, a_training_step_of_a_classifier_can_be_counted) {
  Model model{{node("MatMul", {"x", "w"}, {"y"})}, {floats("w", {3, 4})}};
  auto result = read(model);
  ASSERT_TRUE(result);
  ASSERT_TRUE(add_onnx_loss(*result));
  const auto summary = summarise(result->graph);
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(summary->training.macs, 2U * (2 * 3 * 4));  // the input needs no gradient
  EXPECT_FALSE(add_onnx_loss(*result)) << "it has one";
}

/// The numbers that a model makes of floats("x", shape), by the reference kernels.
std::vector<float> numbers_of(const Model& file, std::vector<const Op*>& ops) {
  OnnxOptions values;
  values.values = true;
  const auto model = parse_onnx(file.bytes(), "file", "", values);
  EXPECT_TRUE(model) << (model ? "" : model.error().what);
  if (!model) return {};
  for (const auto& each : model->graph.nodes) ops.push_back(each.op);
  const auto reference = make_reference_library();
  KernelLibrary* const libraries[] = {reference.get()};
  auto run = GraphRun::make(model->graph, libraries);
  EXPECT_TRUE(run) << (run ? "" : run.error().what);
  if (!run) return {};
  for (const auto& value : model->values) {
    run->set(value.tensor, static_cast<const void*>(value.bytes.data()));
  }
  const TensorId x = model->inputs[0].second;
  std::vector<float> given(model->graph.tensors[x].type.shape.elements());
  for (std::size_t i = 0; i < given.size(); ++i) given[i] = static_cast<float>(i % 7) - 3;
  run->set(x, given);
  EXPECT_TRUE(run->run());
  return run->values(model->graph.results[0]);
}

std::string scalar(std::string_view name, float value) {
  return tensor(name, {}, 1, {reinterpret_cast<const char*>(&value), sizeof value});
}

TEST_F(OnnxRead, gelu_written_out_is_one_op) {
  std::vector<const Op*> ops;
  const auto y = numbers_of({{node("Div", {"x", "root"}, {"a"}), node("Erf", {"a"}, {"b"}),
                              node("Add", {"b", "one"}, {"c"}), node("Mul", {"x", "c"}, {"d"}),
                              node("Mul", {"d", "half"}, {"y"})},
                             {scalar("root", 1.41421356F), scalar("one", 1), scalar("half", 0.5F)}},
                            ops);
  EXPECT_EQ(ops, (std::vector<const Op*>{&kGeluOp}));
  ASSERT_EQ(y.size(), 6U);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double x = static_cast<double>(i) - 3;
    EXPECT_NEAR(double{y[i]}, x * (1 + std::erf(x / std::sqrt(2.0))) / 2, 1e-6);
  }
}

TEST_F(OnnxRead, layer_normalisation_written_out_is_one_op) {
  std::vector<const Op*> ops;
  const auto y = numbers_of(
      {{node("ReduceMean", {"x"}, {"m"}, {attribute("axes", {-1})}), node("Sub", {"x", "m"}, {"s"}),
        node("Pow", {"s", "two"}, {"p"}),
        node("ReduceMean", {"p"}, {"v"}, {attribute("axes", {-1})}), node("Add", {"v", "e"}, {"a"}),
        node("Sqrt", {"a"}, {"q"}), node("Div", {"s", "q"}, {"d"}), node("Mul", {"d", "g"}, {"t"}),
        node("Add", {"t", "b"}, {"y"})},
       {scalar("two", 2), scalar("e", 0.5F), floats("g", {3}), floats("b", {3})}},
      ops);
  EXPECT_EQ(ops, (std::vector<const Op*>{&kLayerNormOp}));
  ASSERT_EQ(y.size(), 6U);
  for (std::size_t i = 0; i < y.size(); ++i) {
    // Rows are -3 -2 -1 and 0 1 2: deviations -1 0 1, of variance 2/3.
    const double deviation = static_cast<double>(i % 3) - 1;
    const double weight = static_cast<double>(i % 3) - 3;
    EXPECT_NEAR(double{y[i]}, deviation / std::sqrt(2.0 / 3 + 0.5) * weight + weight, 1e-5);
  }
}

TEST_F(OnnxRead, divides_by_what_is_known) {
  std::vector<const Op*> ops;
  const auto y = numbers_of({{node("Div", {"x", "two"}, {"y"})}, {scalar("two", 2)}}, ops);
  EXPECT_EQ(ops, (std::vector<const Op*>{&kAffineOp}));
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], (static_cast<float>(i) - 3) / 2);
  expect_says(refusal({{node("Div", {"x", "zero"}, {"y"})}, {scalar("zero", 0)}}), "divides by 0");
  expect_says(refusal({{node("Div", {"x", "x"}, {"y"})}}), "Div by what is computed");
}

TEST_F(OnnxRead, folds_the_arithmetic_of_shapes) {
  // The shape that exporters compute: [x.shape[0], -1], after x.shape[0] * 1 / 1 + 0.
  std::vector<const Op*> ops;
  const auto y =
      numbers_of({{node("Shape", {"x"}, {"s"}), node("Slice", {"s", "zero", "one"}, {"n"}),
                   node("Mul", {"n", "one"}, {"m"}), node("Div", {"m", "one"}, {"d"}),
                   node("Add", {"d", "zero"}, {"a"}),
                   node("Concat", {"minus", "a"}, {"t"}, {attribute("axis", 0)}),
                   node("Reshape", {"x", "t"}, {"y"})},
                  {integers("zero", {0}), integers("one", {1}), integers("minus", {-1})}},
                 ops);
  EXPECT_EQ(ops, (std::vector<const Op*>{&kReshapeOp}));
  EXPECT_EQ(y.size(), 6U);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  // What overflows is not folded, and then there is no op of whole numbers for it.
  expect_says(refusal({{node("Shape", {"x"}, {"s"}), node("Mul", {"s", "big"}, {"m"}),
                        node("Mul", {"m", "big"}, {"t"}), node("Reshape", {"x", "t"}, {"y"})},
                       {integers("big", {most, most})}}),
              "Mul of int64");
}

/// torch's own counts (tests/onnx/make_models.py) against ours, of the same files.
TEST_F(OnnxRead, counts_what_torch_counts) {
  const std::string folder = METE_SOURCE_DIR "/tests/fixtures/onnx/";
  const auto text = read_file(folder + "counts.csv");
  ASSERT_TRUE(text) << text.error().what;
  std::size_t models = 0;
  for (const auto line : split(*text, '\n')) {
    const auto cells = split(line, ',');
    if (cells.size() != 4 || cells[0] == "model") continue;
    OnnxOptions options;
    options.batch = 2;
    const auto model = read_onnx(fmt::format("{}{}.onnx", folder, cells[0]), options);
    ASSERT_TRUE(model) << model.error().what;
    const auto summary = summarise_forward(model->graph);
    ASSERT_TRUE(summary) << summary.error().what;
    EXPECT_EQ(std::to_string(summary->parameters), cells[2]) << cells[0];
    EXPECT_EQ(std::to_string(summary->forward.macs), cells[3]) << cells[0];
    ++models;
  }
  EXPECT_GE(models, 4U);
}

}  // namespace
}  // namespace mete
