// ONNX's own tests (Debian's libonnx-testdata): models of mostly one node with inputs and results.
// Those that mete reads are run by the reference kernels, and by oneDNN where it opens, and
// compared within ONNX's tolerance. tests/onnx/passing.txt lists those that pass; it may only grow.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/graph/onnx/importer.h"
#include "mete/kernel/run_graph.h"

namespace mete {
namespace {

constexpr const char* kData = "/usr/share/libonnx-testdata/data";
constexpr const char* kGroups[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};
constexpr const char* kPassing = METE_SOURCE_DIR "/tests/onnx/passing.txt";
constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-7;

using Libraries = std::vector<KernelLibrary*>;

struct TestData {
  std::vector<OnnxTensor> inputs;
  std::vector<OnnxTensor> outputs;
};

Result<std::vector<OnnxTensor>> tensors_in(const OnnxParser& parser, const std::string& folder,
                                           const char* kind) {
  std::vector<OnnxTensor> found;
  for (std::size_t i = 0;; ++i) {
    const std::string path = path_join(folder, fmt::format("{}_{}.pb", kind, i));
    if (!path_exists(path)) return found;
    METE_TRY(const std::string bytes, read_file(path));
    METE_TRY(auto tensor, parser.parse_tensor(bytes));
    found.push_back(std::move(tensor));
  }
}

/// A tensor as the graph holds it; nothing for types that it does not hold.
std::optional<std::string> bytes_as(const OnnxTensor& tensor, DataType type) {
  const bool whole = tensor.type == OnnxType::i64 || tensor.type == OnnxType::i32;
  if (tensor.type == OnnxType::f32 && type == DataType::f32) return tensor.bytes;
  const auto known = constant_of(tensor);
  if (!whole || type != DataType::i64 || !known) return std::nullopt;
  return graph_bytes(*known);
}

bool close(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::fabs(double{a} - double{b}) <= kAbsolute + kRelative * std::fabs(double{b});
}

/// Empty if they agree, else where they do not.
std::string difference(const std::string& got, const OnnxTensor& expected, const TensorType& type) {
  if (type.shape != Shape{expected.dims}) {
    return fmt::format("a result of {}, expected {}", type.shape.text(),
                       Shape{expected.dims}.text());
  }
  const auto wanted = bytes_as(expected, type.type);
  if (!wanted) return fmt::format("a result of {}", onnx_type_name(expected.type));
  if (got.size() != wanted->size()) return "a result of another length";
  if (type.type == DataType::i64) return got == *wanted ? "" : "other whole numbers";
  for (std::size_t at = 0; at < got.size(); at += sizeof(float)) {
    float a = 0;
    float b = 0;
    std::memcpy(&a, got.data() + at, sizeof a);
    std::memcpy(&b, wanted->data() + at, sizeof b);
    if (!close(a, b)) return fmt::format("{} at {}, expected {}", a, at / sizeof a, b);
  }
  return "";
}

/// Runs the model on one set of data. Empty if the results are right.
std::string run(const OnnxModel& model, const TestData& data, const std::vector<OnnxTensor>& given,
                const Libraries& libraries) {
  const Graph& graph = model.graph;
  std::map<TensorId, std::string> held;
  for (const auto& value : model.values) held[value.tensor] = value.bytes;
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const auto& [name, id] = model.inputs[i];
    if (id == kNoTensor) continue;
    for (const auto& tensor : given) {
      if (tensor.name != name) continue;
      const auto bytes = bytes_as(tensor, graph.tensors[id].type.type);
      if (!bytes || bytes->size() != graph.tensors[id].bytes()) return "an input of another type";
      held[id] = *bytes;
    }
    if (!held.contains(id)) return fmt::format("no data for {}", name);
  }
  std::optional<GraphRun> running;
  if (!graph.nodes.empty()) {
    auto made = GraphRun::make(graph, libraries, {});
    if (!made) return made.error().what;
    running.emplace(std::move(*made));
    const Liveness live = liveness_of(graph, graph.nodes.size());
    for (const auto& [id, bytes] : held) {
      if (live.group_of[id] != kNoGroup) running->set(id, static_cast<const void*>(bytes.data()));
    }
    if (const auto done = running->run(); !done) return done.error().what;
  }
  if (graph.results.size() < data.outputs.size()) return "fewer results than expected";
  for (std::size_t i = 0; i < data.outputs.size(); ++i) {
    const TensorId id = graph.results[i];
    const Tensor& tensor = graph.tensors[id];
    std::string got;
    if (tensor.role == TensorRole::intermediate) {
      got.assign(reinterpret_cast<const char*>(running->data(id)), tensor.bytes());
    } else {
      got = held[id];
    }
    if (auto wrong = difference(got, data.outputs[i], tensor.type); !wrong.empty()) return wrong;
  }
  return "";
}

class NodeTests {
 public:
  explicit NodeTests(const OnnxParser& parser) : parser_(parser) {}

  /// Empty if every set of data gives the right results; else the first thing that was wrong.
  std::string outcome(const std::string& folder, const Libraries& libraries) {
    const auto bytes = read_file(path_join(folder, "model.onnx"));
    if (!bytes) return bytes.error().what;
    const auto file = parser_.parse(*bytes);
    if (!file) return file.error().what;
    std::size_t sets = 0;
    for (;; ++sets) {
      const std::string set = path_join(folder, fmt::format("test_data_set_{}", sets));
      if (!path_exists(set)) break;
      if (auto wrong = outcome_of_set(*file, *bytes, set, libraries); !wrong.empty()) return wrong;
    }
    if (sets == 0) return "no data";
    ops_.clear();
    for (const auto& node : file->nodes) ops_.insert(node.op);
    return "";
  }

  /// Of the last model that passed.
  [[nodiscard]] const std::set<std::string>& ops() const { return ops_; }

 private:
  std::string outcome_of_set(const OnnxFile& file, const std::string& bytes, const std::string& set,
                             const Libraries& libraries) {
    auto inputs = tensors_in(parser_, set, "input");
    auto outputs = tensors_in(parser_, set, "output");
    if (!inputs) return inputs.error().what;
    if (!outputs) return outputs.error().what;
    TestData data{std::move(*inputs), std::move(*outputs)};
    // The data are in the order of the inputs that are no weights.
    std::size_t next = 0;
    for (const auto& input : file.inputs) {
      bool weight = false;
      for (const auto& tensor : file.initializers) weight = weight || tensor.name == input.name;
      if (!weight && next < data.inputs.size()) data.inputs[next++].name = input.name;
    }
    OnnxOptions options;
    options.values = true;
    auto model = parse_onnx(bytes, "model", "", options);
    if (!model) {
      // Shapes, axes and bounds that the test gives as inputs must be known beforehand.
      for (const auto& tensor : data.inputs) {
        if (tensor.type != OnnxType::f32 || tensor.dims.empty()) options.known.push_back(tensor);
      }
      model = parse_onnx(bytes, "model", "", options);
    }
    return model ? run(*model, data, data.inputs, libraries) : model.error().what;
  }

  const OnnxParser& parser_;
  std::set<std::string> ops_;
};

std::vector<std::string> all_tests() {
  std::vector<std::string> found;
  for (const auto* group : kGroups) {
    const auto names = list_directory(path_join(kData, group));
    if (!names) continue;
    for (const auto& name : *names) found.push_back(path_join(group, name));
  }
  return found;
}

std::set<std::string> listed_tests() {
  std::set<std::string> listed;
  const auto text = read_file(kPassing);
  EXPECT_TRUE(text) << (text ? "" : text.error().what);
  if (!text) return listed;
  for (const auto line : split(*text, '\n')) {
    if (!trim(line).empty() && !line.starts_with('#')) listed.emplace(trim(line));
  }
  return listed;
}

class OnnxNodes : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto parser = open_onnx_parser();
    if (!parser) GTEST_SKIP() << parser.error().what;
    if (!is_directory(kData)) GTEST_SKIP() << "apt install libonnx-testdata: no " << kData;
    parser_ = *parser;
  }
  const OnnxParser* parser_ = nullptr;
};

TEST_F(OnnxNodes, those_listed_pass_and_no_others) {
  const auto reference = make_reference_library();
  NodeTests tests(*parser_);
  const auto listed = listed_tests();
  std::set<std::string> passed;
  std::set<std::string> ops;
  const auto all = all_tests();
  for (const auto& name : all) {
    const std::string wrong = tests.outcome(path_join(kData, name), {reference.get()});
    if (wrong.empty()) {
      passed.insert(name);
      ops.insert(tests.ops().begin(), tests.ops().end());
    }
    if (!wrong.empty() && std::getenv("METE_ONNX_SHOW") != nullptr)
      fmt::print("{}: {}\n", name, wrong);
    EXPECT_EQ(wrong.empty(), listed.contains(name))
        << name << (wrong.empty() ? " passes: add it to tests/onnx/passing.txt" : ": " + wrong);
  }
  for (const auto& name : listed) EXPECT_TRUE(passed.contains(name)) << name << " is not there";
  std::vector<std::string> without;
  for (const auto list :
       {onnx_element_conversions(), onnx_window_conversions(), onnx_matrix_conversions(),
        onnx_shape_conversions(), onnx_norm_conversions(), onnx_sum_conversions()}) {
    for (const auto& each : list) {
      if (!ops.contains(std::string(each.op))) without.emplace_back(each.op);
    }
  }
  fmt::print("{} of {} pass; ops without one: {}\n", passed.size(), all.size(),
             without.empty() ? "none" : join(without, ", "));
}

TEST_F(OnnxNodes, those_listed_pass_with_onednn_first) {
  const auto dnn = open_dnn_library();
  if (!dnn) GTEST_SKIP() << dnn.error().what;
  const auto reference = make_reference_library();
  NodeTests tests(*parser_);
  for (const auto& name : listed_tests()) {
    EXPECT_EQ(tests.outcome(path_join(kData, name), {*dnn, reference.get()}), "") << name;
  }
}

}  // namespace
}  // namespace mete
