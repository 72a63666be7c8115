// Networks and frequency maps in GEOPM's forms: the arithmetic against a plain second version of
// it, the reader against files of GEOPM's own and against files with one thing wrong each.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/ffnet.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/base/rng.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Matrix = std::vector<std::vector<double>>;
struct PlainLayer {
  Matrix weights;
  std::vector<double> bias;
};

std::string number_list(const std::vector<double>& values) {
  std::string out;
  for (const double v : values) out += fmt::format("{}{}", out.empty() ? "" : ",", v);
  return "[" + out + "]";
}

std::string json_of(const std::vector<PlainLayer>& layers, std::size_t inputs) {
  std::string out = "{\"signal_inputs\": [";
  for (std::size_t i = 0; i < inputs; ++i) out += fmt::format("{}\"S{}\"", i == 0 ? "" : ",", i);
  out += "], \"trace_outputs\": [";
  for (std::size_t i = 0; i < layers.back().bias.size(); ++i) {
    out += fmt::format("{}\"R{}\"", i == 0 ? "" : ",", i);
  }
  out += "], \"layers\": [";
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::string rows;
    for (const auto& row : layers[l].weights) rows += (rows.empty() ? "" : ",") + number_list(row);
    out += fmt::format("{}[[{}], {}]", l == 0 ? "" : ",", rows, number_list(layers[l].bias));
  }
  return out + "]}";
}

std::vector<double> plain_forward(const std::vector<PlainLayer>& layers, std::vector<double> x) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::vector<double> y;
    for (std::size_t r = 0; r < layers[l].bias.size(); ++r) {
      long double sum = layers[l].bias[r];
      for (std::size_t c = 0; c < x.size(); ++c) {
        sum += static_cast<long double>(layers[l].weights[r][c]) * x[c];
      }
      const bool last = l + 1 == layers.size();
      y.push_back(static_cast<double>(last ? sum : 0.5L + 0.5L * std::tanh(sum / 2)));
    }
    x = y;
  }
  return x;
}

TEST(Ffnet, ForwardAgreesWithAPlainSecondVersion) {
  Rng rng(5);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t inputs = 1 + rng.below(5);
    std::vector<PlainLayer> layers;
    std::size_t width = inputs;
    for (std::size_t l = 0; l < 1 + rng.below(4); ++l) {
      PlainLayer layer;
      const std::size_t rows = 1 + rng.below(7);
      for (std::size_t r = 0; r < rows; ++r) {
        layer.weights.emplace_back();
        for (std::size_t c = 0; c < width; ++c) layer.weights.back().push_back(rng.normal());
        layer.bias.push_back(rng.normal());
      }
      width = rows;
      layers.push_back(layer);
    }
    auto net = FeedForwardNet::parse(json_of(layers, inputs), "net");
    ASSERT_TRUE(net) << net.error().what;
    std::vector<double> x;
    for (std::size_t i = 0; i < inputs; ++i) x.push_back(3 * rng.normal());
    std::vector<double> logits(width);
    for (int again = 0; again < 2; ++again) {  // nothing of the first call stays
      net->forward(x, logits);
      const auto expected = plain_forward(layers, x);
      for (std::size_t i = 0; i < width; ++i) EXPECT_NEAR(expected[i], logits[i], 1e-12);
    }
  }
}

TEST(Ffnet, WhatCannotBeSeenHasNoScores) {
  // The weight of the second input is 0, and still a missing value is not a number.
  auto net = FeedForwardNet::parse(json_of({{{{1, 0}}, {0}}}, 2), "net").value();
  std::vector<double> logit(1);
  net.forward(std::vector<double>{2, 5}, logit);
  EXPECT_EQ(2, logit[0]);
  net.forward(std::vector<double>{2, kNan}, logit);
  EXPECT_TRUE(std::isnan(logit[0]));
  net.forward(std::vector<double>{2}, logit);
  EXPECT_TRUE(std::isnan(logit[0]));
}

TEST(Ffnet, MixIsTheSoftmaxMeanOfTheClocks) {
  const std::vector<double> clocks{1e9, 2e9};
  EXPECT_DOUBLE_EQ(1.5e9, mix_frequencies(std::vector<double>{7, 7}, clocks));
  // e^0 : e^(ln 3) is 1 : 3.
  EXPECT_NEAR(1.75e9, mix_frequencies(std::vector<double>{0, std::log(3.0)}, clocks), 1);
  EXPECT_NEAR(1.75e9, mix_frequencies(std::vector<double>{9000, 9000 + std::log(3.0)}, clocks), 1)
      << "exp(9000) alone would overflow";
  EXPECT_NEAR(1.75e9, mix_frequencies(std::vector<double>{-9000, -9000 + std::log(3.0)}, clocks),
              1);
  EXPECT_EQ(2e9, mix_frequencies(std::vector<double>{-kInfinity, 0}, clocks));
  EXPECT_TRUE(std::isnan(mix_frequencies(std::vector<double>{0, kNan}, clocks)));
  EXPECT_TRUE(std::isnan(mix_frequencies(std::vector<double>{kInfinity, kNan}, clocks)));
  EXPECT_EQ(kInfinity, mix_frequencies(std::vector<double>{kInfinity, 0}, clocks));
  EXPECT_EQ(kInfinity, mix_frequencies(std::vector<double>{-kInfinity, -kInfinity}, clocks));
}

TEST(Ffnet, PhiPicksTheElementBelow) {
  const std::vector<double> five{5, 4, 3, 2, 1};
  struct Case {
    double phi, expected;
  };
  for (const Case& c : {Case{0, 5}, Case{0.24, 5}, Case{0.25, 4}, Case{0.5, 3}, Case{0.99, 2},
                        Case{1, 1}, Case{-3, 5}, Case{3, 1}, Case{kNan, 5}}) {
    EXPECT_EQ(c.expected, frequency_at(five, c.phi)) << c.phi;
  }
  EXPECT_EQ(8, frequency_at(std::vector<double>{8}, 1));
}

// ---- GEOPM's own files ----

class GeopmFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!path_exists(net_path_) || !path_exists(map_path_)) {
      GTEST_SKIP() << "GEOPM's ffnet_dummy.json and fmap_dummy.json are not beside the sources";
    }
  }
  const std::string net_path_ = METE_SOURCE_DIR "/../shared/data/geopm/ffnet_dummy.json";
  const std::string map_path_ = METE_SOURCE_DIR "/../shared/data/geopm/fmap_dummy.json";
};

TEST_F(GeopmFiles, AreRead) {
  auto net = FeedForwardNet::load(net_path_);
  ASSERT_TRUE(net) << net.error().what;
  EXPECT_EQ((std::vector<std::string>{"REGION_HASH"}), net->signal_inputs());
  EXPECT_TRUE(net->delta_inputs().empty());
  ASSERT_EQ(2U, net->layers().size());
  EXPECT_EQ(12U, net->layers()[0].rows);
  EXPECT_EQ(12U, net->layers()[1].cols);
  EXPECT_EQ(6U, net->outputs().size());
  const auto map = FrequencyMap::load(map_path_);
  ASSERT_TRUE(map) << map.error().what;
  EXPECT_EQ(4U, map->size());
  ASSERT_NE(nullptr, map->find("geopmbench-0xd691da00"));
  EXPECT_EQ((std::vector<double>{2.1e9}), *map->find("geopmbench-0xd691da00"));
  EXPECT_EQ(nullptr, map->find("geopmbench-0x725e8066"));
}

TEST_F(GeopmFiles, TheRegionsHashPicksTheRegionsOutput) {
  // At region r's hash the two units that bracket it give 1/2 and 1/(1+e); all others are 0 or 1 in
  // pairs. So output r is 1/(1+e) - 1/2, and the others are 0.
  auto net = FeedForwardNet::load(net_path_).value();
  const double own = 1 / (1 + std::exp(1.0)) - 0.5;
  for (std::size_t r = 0; r < net.outputs().size(); ++r) {
    const auto hash = std::stoul(net.outputs()[r].substr(net.outputs()[r].find("0x")), nullptr, 16);
    std::vector<double> logits(6);
    net.forward(std::vector<double>{static_cast<double>(hash)}, logits);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_NEAR(i == r ? own : 0, logits[i], 1e-12) << net.outputs()[r] << ", output " << i;
    }
  }
}

// ---- what is refused ----

struct Wrong {
  std::string text;
  std::string says;
};

std::string with_layers(const std::string& layers) {
  return R"({"signal_inputs": ["A"], "trace_outputs": ["R"], "layers": )" + layers + "}";
}
std::string with_inputs(const std::string& members) {
  return "{" + members + R"(, "trace_outputs": ["R"], "layers": [[[[1, 2]], [0]]]})";
}
std::string with_outputs(const std::string& members) {
  return R"({"signal_inputs": ["A"], )" + members + R"("layers": [[[[1], [2]], [0, 0]]]})";
}

std::vector<Wrong> wrong_nets() {
  return {
      {"", "line 1"},
      {"{\"layers\": [", "line 1"},
      {"[]", "a JSON object"},
      {"null", "a JSON object"},
      {R"("layers")", "a JSON object"},
      {"{}", "no inputs"},
      {with_layers("[[[[1]], [0]]]").insert(1, R"("layer": 1, )"), "\"layer\" is no key"},
      {with_layers("[[[[1]], [0]]]").insert(1, R"("policy_inputs": [], )"), "policy_inputs"},
      // inputs
      {with_inputs(R"("signal_inputs": [], "delta_inputs": [])"), "no inputs"},
      {with_inputs(R"("signal_inputs": "A")"), "signal_inputs: expected a list"},
      {with_inputs(R"("signal_inputs": null)"), "signal_inputs: expected a list"},
      {with_inputs(R"("signal_inputs": ["A", 2])"), "signal_inputs 2"},
      {with_inputs(R"("signal_inputs": ["A", ["POWER", "gpu", 0]])"), "signal_inputs 2"},
      {with_inputs(R"("signal_inputs": ["A", ""])"), "signal_inputs 2"},
      {with_inputs(R"("signal_inputs": ["A", "A"])"), "A is there twice"},
      {with_inputs(R"("signal_inputs": ["A"], "delta_inputs": {})"), "delta_inputs"},
      {with_inputs(R"("signal_inputs": ["A"], "delta_inputs": ["B"])"), "delta_inputs 1"},
      {with_inputs(R"("signal_inputs": ["A"], "delta_inputs": [["B"]])"), "NUMERATOR"},
      {with_inputs(R"("signal_inputs": ["A"], "delta_inputs": [["B", "C", "D"]])"), "NUMERATOR"},
      {with_inputs(R"("signal_inputs": ["A"], "delta_inputs": [["B", 1]])"), "delta_inputs 1"},
      {with_inputs(R"("signal_inputs": ["A"])"), "layer 1: 2 weights in a row, expected 1"},
      {with_inputs(R"("signal_inputs": ["A", "B"], "delta_inputs": [["C", "D"]])"), "expected 3"},
      // outputs
      {with_outputs(""), "expected trace_outputs"},
      {with_outputs(R"("trace_outputs": {}, )"), "trace_outputs: expected a list"},
      {with_outputs(R"("trace_outputs": ["R"], )"), "1 names, expected 2"},
      {with_outputs(R"("trace_outputs": ["R", "S", "T"], )"), "3 names, expected 2"},
      {with_outputs(R"("trace_outputs": ["R", "R"], )"), "R is there twice"},
      {with_outputs(R"("trace_outputs": ["R", 7], )"), "trace_outputs 2"},
      {with_outputs(R"("trace_outputs": ["R", "S|T"], )"), "trace_outputs 2"},
      {with_outputs(R"("trace_outputs": ["R", "S\nT"], )"), "trace_outputs 2"},
      // layers
      {with_layers("[]"), "at least one"},
      {R"({"signal_inputs": ["A"], "trace_outputs": ["R"]})", "at least one"},
      {with_layers("{}"), "layers: expected a list"},
      {with_layers("[7]"), "layer 1: expected [weights, bias]"},
      {with_layers("[[[[1]]]]"), "layer 1: expected [weights, bias]"},
      {with_layers("[[[[1]], [0], [0]]]"), "layer 1: expected [weights, bias]"},
      {with_layers("[[[], []]]"), "rows of weights"},
      {with_layers("[[1, [0]]]"), "rows of weights"},
      {with_layers("[[[1], [0]]]"), "layer 1, row 1"},
      {with_layers("[[[[]], [0]]]"), "layer 1, row 1"},
      {with_layers("[[[[1], [1, 2]], [0, 0]]]"), "row 2: 2 weights, expected 1"},
      {with_layers("[[[[1], [2]], [0]]]"), "bias: 1 values, expected 2"},
      {with_layers("[[[[1]], 0]]"), "bias"},
      {with_layers("[[[[1]], []]]"), "bias"},
      {with_layers("[[[[1], [2]], [0, 0]], [[[1, 2, 3]], [0]]]"), "layer 2: 3 weights in a row"},
      {with_layers(R"([[[["1"]], [0]]])"), "value 1 is \"1\", expected a number"},
      {with_layers("[[[[null]], [0]]]"), "value 1 is null"},
      {with_layers("[[[[true]], [0]]]"), "value 1 is true"},
      {with_layers("[[[[1]], [[0]]]]"), "value 1 is a list of 1"},
      {with_layers("[[[[0x536c798f]], [0]]]"), "line 1, column"},
      {with_layers("[[[[NaN]], [0]]]"), "line 1, column"},
      {with_layers("[[[[1e999]], [0]]]"), "net.json: not JSON"},
      {with_layers(std::string(100'000, '[')), "deeper than"},
      {with_layers("[[[[1]], [0]]]") + "trailing", "line 1, column"},
      {std::string("{\"description\": \"\xff\"}"), "net.json: not JSON"},
      {with_layers("[[[[1]], [0]]]") + std::string(1U << 20U, ' '), "1048575"},
  };
}

std::vector<Wrong> wrong_maps() {
  return {
      {"", "line 1"},
      {"[]", "a JSON object"},
      {"{}", "expected regions"},
      {R"({"R": []})", "region \"R\""},
      {R"({"R": 1e9})", "region \"R\""},
      {R"({"R": [1e9, "1e9"]})", "value 2"},
      {R"({"R": [1e9, null]})", "value 2"},
      {R"({"R": [NaN]})", "line 1"},
      {R"({"R": [1.2]})", "1.2 is no clock: expected Hz"},
      {R"({"R": [1530]})", "expected Hz"},
      {R"({"R": [0]})", "expected Hz"},
      {R"({"R": [-1e9]})", "expected Hz"},
      {R"({"R": [1e9]})" + std::string(1U << 20U, ' '), "1048575"},
  };
}

TEST(Ffnet, AFileOfNothingButKeysIsRefusedAtOnce) {
  std::string text = "{";
  for (int i = 0; i < 70'000; ++i) text += fmt::format("{}\"{:x}\":[1e9]", i == 0 ? "" : ",", i);
  text += "}";
  ASSERT_LT(text.size(), kFfnetReadLimit);
  const auto map = FrequencyMap::parse(text, "map");
  ASSERT_FALSE(map);
  EXPECT_NE(std::string::npos, map.error().what.find("10000 names")) << map.error().what;
}

template <class T>
void expect_refused(const std::vector<Wrong>& cases, const char* where) {
  for (const auto& wrong : cases) {
    const auto read = T::parse(wrong.text, where);
    const auto shown = wrong.text.substr(0, 100);
    ASSERT_FALSE(read) << shown << " was not refused";
    EXPECT_EQ(Errc::invalid, read.error().code) << shown;
    const auto& what = read.error().what;
    EXPECT_TRUE(what.starts_with(std::string(where) + ": ")) << what;
    EXPECT_NE(std::string::npos, what.find(wrong.says)) << shown << "\n  says: " << what;
    EXPECT_EQ(std::string::npos, what.find('\n')) << what;
    EXPECT_LT(what.size(), 300U) << what;
  }
}

TEST(Ffnet, AWrongNetworkIsNamedWithWhatIsWrong) {
  expect_refused<FeedForwardNet>(wrong_nets(), "net.json");
}

TEST(Ffnet, AWrongMapIsNamedWithWhatIsWrong) {
  expect_refused<FrequencyMap>(wrong_maps(), "map.json");
}

TEST(Ffnet, EveryCutOfAFileIsRefused) {
  const auto whole = json_of({{{{1, 2}, {3, 4}}, {0, 1}}}, 2);
  ASSERT_TRUE(FeedForwardNet::parse(whole, "net"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(FeedForwardNet::parse(whole.substr(0, n), "net")) << n;
  }
}

TEST(Ffnet, OneOfTheTwoListsOfInputsIsEnough) {
  for (const auto* inputs :
       {R"("signal_inputs": ["A", "B"])", R"("signal_inputs": ["A"], "delta_inputs": [["B", "C"]])",
        R"("delta_inputs": [["B", "C"], ["C", "B"]])"}) {
    const auto net = FeedForwardNet::parse(with_inputs(inputs), "net");
    ASSERT_TRUE(net) << net.error().what;
    EXPECT_EQ(2U, net->inputs());
  }
}

TEST(Ffnet, FilesThatAreNotThereAreNamed) {
  for (const auto* path : {"/nowhere/net.json", "/"}) {
    const auto net = FeedForwardNet::load(path);
    ASSERT_FALSE(net);
    EXPECT_NE(std::string::npos, net.error().what.find(path)) << net.error().what;
    EXPECT_EQ(Errc::invalid, net.error().code);
    const auto map = FrequencyMap::load(path);
    ASSERT_FALSE(map);
    EXPECT_EQ(Errc::invalid, map.error().code);
  }
}

}  // namespace
}  // namespace mete
