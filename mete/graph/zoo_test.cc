// Parameter and operation counts of the zoo against published figures, and against sums written out
// here from the models' descriptions. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/zoo.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "mete/graph/layers.h"
#include "mete/graph/summary.h"

namespace mete {
namespace {

ModelSummary described(std::string_view name, std::int64_t batch) {
  const auto model = find_zoo_model(name);
  EXPECT_TRUE(model) << name;
  const auto graph = build_zoo_model(**model, batch);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().what);
  auto summary = summarise(*graph);
  EXPECT_TRUE(summary) << (summary ? "" : summary.error().what);
  return *summary;
}

TEST(Zoo, vgg19_has_the_published_parameters_and_macs) {
  const auto s = described("vgg19", 1);
  EXPECT_EQ(s.parameters, 143'667'240U);  // torchvision's table of weights
  EXPECT_NEAR(static_cast<double>(s.forward.macs) / 1e9, 19.632, 0.0005);  // same: GFLOPS 19.63
}

TEST(Zoo, resnet50_as_published) {
  GraphBuilder builder("published");
  build_resnet(builder, 1, {{3, 4, 6, 3}, true});
  const auto graph = builder.finish();
  ASSERT_TRUE(graph);
  const auto s = summarise(*graph);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->parameters, 25'557'032U);  // torchvision's table of weights
  EXPECT_NEAR(static_cast<double>(s->forward.macs) / 1e9, 4.089, 0.0005);
}

TEST(Zoo, resnet50_of_autotm_differs_by_biases_and_one_norm) {
  // One bias for each of the 26,560 filters; no norm (2 x 64) after the first convolution.
  EXPECT_EQ(described("resnet50", 1).parameters, 25'557'032U + 26'560U - 128U);
}

TEST(Zoo, resnet200_adds_blocks_to_resnet50) {
  // A block of width f without projection: 4f*f + 9f*f + f*4f weights, 6f biases, 12f norm.
  const auto block = [](std::uint64_t f) { return 17 * f * f + 18 * f; };
  EXPECT_EQ(described("resnet200", 1).parameters,
            described("resnet50", 1).parameters + 20 * block(128) + 30 * block(256));
}

TEST(Zoo, vgg416_by_hand) {
  const auto conv = [](std::uint64_t in, std::uint64_t out) { return (9 * in + 1) * out; };
  const std::uint64_t convs = conv(3, 64) + 80 * conv(64, 64) + conv(64, 128) +
                              81 * conv(128, 128) + conv(128, 256) + 82 * conv(256, 256) +
                              conv(256, 512) + (83 + 83) * conv(512, 512);
  const std::uint64_t dense = 25'089U * 4096 + 4097U * 4096 + 4097U * 1000;
  const auto s = described("vgg416", 1);
  EXPECT_EQ(s.parameters, convs + dense);
  EXPECT_EQ(std::count_if(s.layers.begin(), s.layers.end(),
                          [](const auto& layer) { return layer.op == "conv"; }),
            413);
}

TEST(Zoo, densenet264_by_hand) {
  std::uint64_t expected = (49U * 3 + 1) * 64;
  const auto layer = [](std::uint64_t in, std::uint64_t out, std::uint64_t kernel) {
    return 2 * in + (kernel * in + 1) * out;
  };
  for (const std::uint64_t count : {6U, 12U, 64U, 48U}) {
    for (std::uint64_t i = 0; i < count; ++i) {
      expected += layer(64 + 32 * i, 128, 1) + layer(128, 32, 9);
    }
    if (count != 48) expected += layer(64 + 32 * count, 64, 1);
  }
  EXPECT_EQ(described("densenet264", 1).parameters, expected + 1601U * 1000);
}

TEST(Zoo, transformer_by_hand) {
  const std::uint64_t d = 512;
  const std::uint64_t attention = 4 * d * d + 2 * d;
  const std::uint64_t feed_forward = (d + 1) * 2048 + (2048 + 1) * d + 2 * d;
  const std::uint64_t end = (d * 150 + 1) * 20'000;
  const auto s = described("transformer", 2);
  EXPECT_EQ(s.parameters,
            8 * (attention + feed_forward) + 8 * (2 * attention + feed_forward) + end);
  // Attention itself: q k' and weights v, 150 x 150 x 512 each, 24 times, for each of two
  // sentences.
  const std::uint64_t projections = 24 * 4 * d * d * 150;
  const std::uint64_t hidden = 16 * 2 * d * 2048 * 150;
  const std::uint64_t products = 24 * 2 * 150 * 150 * d;
  EXPECT_EQ(s.forward.macs, 2 * (projections + hidden + products + d * 150 * 20'000));
}

TEST(Zoo, dlrm_by_hand) {
  const std::vector<std::uint64_t> rows = {
      1461,  586,  10131227, 2202608, 306, 24,     12518,   634,   4,
      93146, 5684, 8351593,  3195,    28,  14993,  5461306, 11,    5653,
      2173,  4,    7046547,  18,      16,  286181, 105,     142572};
  const std::uint64_t tables = 5 * 16 * std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
  const std::uint64_t bottom = 14 * 512 + 513 * 256 + 257 * 64 + 65 * 16;
  const std::uint64_t top = 746 * 512 + 513 * 256 + 257;
  EXPECT_EQ(described("dlrm", 128).parameters, tables + bottom + top);
}

TEST(Zoo, inception_v4_ends_each_stage_at_the_published_size) {
  const auto s = described("inception-v4", 1);
  std::vector<std::string> concats;
  for (const auto& layer : s.layers) {
    if (layer.op == "concat") concats.push_back(layer.output.text());
  }
  // Stem 3, A 4, reduction 1, B 7, reduction 1, C 3 x 3.
  ASSERT_EQ(concats.size(), 25U);
  EXPECT_EQ(concats[2], "1x384x35x35");
  EXPECT_EQ(concats[7], "1x1024x17x17");
  EXPECT_EQ(concats[15], "1x1536x8x8");
  EXPECT_EQ(concats[24], "1x1536x8x8");
}

TEST(Zoo, counts_grow_with_the_batch_and_parameters_do_not) {
  for (const auto& model : zoo_models()) {
    if (model.name == "vgg416" || model.name == "resnet200") continue;
    const auto one = described(model.name, 1);
    const auto four = described(model.name, 4);
    EXPECT_EQ(one.parameters, four.parameters) << model.name;
    EXPECT_EQ(4 * one.forward.macs, four.forward.macs) << model.name;
    EXPECT_EQ(4 * one.training.macs, four.training.macs) << model.name;
    EXPECT_EQ(4 * one.torchinfo_mult_adds, four.torchinfo_mult_adds) << model.name;
    EXPECT_EQ(4 * one.input_bytes, four.input_bytes) << model.name;
    EXPECT_LE(one.training.peak_bytes, one.training.no_reuse_peak_bytes) << model.name;
  }
}

TEST(Zoo, one_convolution_as_torchinfo_and_strictly) {
  GraphBuilder rgb("conv");
  const TensorId y =
      conv_layer(rgb, rgb.input("image", {1, 3, 128, 128}), {.channels = 1, .kernel = {3, 3}});
  classify(rgb, flatten_layer(rgb, y));
  const auto graph = rgb.finish();
  ASSERT_TRUE(graph) << graph.error().what;
  const auto s = summarise(*graph);
  ASSERT_TRUE(s);
  EXPECT_EQ(s->torchinfo_mult_adds, 444'528U);  // (27 + 1) x 126 x 126
  EXPECT_EQ(s->forward.macs, 428'652U);         // 27 x 126 x 126
}

TEST(Zoo, refuses_what_it_cannot_build) {
  const auto unknown = find_zoo_model("resnet51");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::invalid);
  EXPECT_NE(unknown.error().what.find("resnet50"), std::string::npos) << unknown.error().what;
  const auto nothing_like_it = find_zoo_model("xxxxxxxxxxxxxxxxxxxxxxxxx");
  ASSERT_FALSE(nothing_like_it);
  EXPECT_NE(nothing_like_it.error().what.find("vgg19"), std::string::npos);

  for (const auto& model : zoo_models()) {
    for (const std::int64_t batch :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40, std::int64_t{1} << 62,
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
      const auto graph = build_zoo_model(model, batch);
      ASSERT_FALSE(graph) << model.name << " " << batch;
      EXPECT_EQ(graph.error().code, Errc::invalid);
      EXPECT_NE(graph.error().what.find("batch"), std::string::npos) << graph.error().what;
    }
  }
}

}  // namespace
}  // namespace mete
