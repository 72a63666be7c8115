// Layouts, judged by writing elements out in the order that a layout promises, and by rules that
// every model must keep. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/layout.h"

#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "mete/graph/layers.h"
#include "mete/graph/ops.h"
#include "mete/graph/training.h"
#include "mete/graph/zoo.h"
#include "mete/kernel/blocked_layout.h"

namespace mete {
namespace {

constexpr Layout kLayouts[] = {Layout::plain, Layout::channels_last, Layout::blocked,
                               Layout::filter_blocked};

std::vector<float> counted(const Shape& shape) {
  std::vector<float> values(shape.elements());
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

TEST(Layout, channels_last_is_written_image_row_column_channel) {
  const Shape shape{2, 3, 4, 5};
  const auto plain = counted(shape);
  std::vector<float> expected;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t h = 0; h < 4; ++h) {
      for (std::size_t w = 0; w < 5; ++w) {
        for (std::size_t c = 0; c < 3; ++c)
          expected.push_back(plain[((n * 3 + c) * 4 + h) * 5 + w]);
      }
    }
  }
  std::vector<float> found(plain.size());
  convert_layout({shape}, plain.data(), Layout::plain, found.data(), Layout::channels_last);
  EXPECT_EQ(found, expected);
}

TEST(Layout, blocks_hold_16_channels_side_by_side) {
  const Shape shape{1, 32, 1, 2};
  const auto plain = counted(shape);
  std::vector<float> found(plain.size());
  convert_layout({shape}, plain.data(), Layout::plain, found.data(), Layout::blocked);
  EXPECT_EQ(found[0], 0.0F);    // channel 0, column 0
  EXPECT_EQ(found[1], 2.0F);    // channel 1, column 0
  EXPECT_EQ(found[16], 1.0F);   // channel 0, column 1
  EXPECT_EQ(found[32], 32.0F);  // channel 16, column 0
}

TEST(Layout, there_and_back_is_what_it_was) {
  for (const auto& shape : {Shape{2, 3, 4, 5}, Shape{32, 16, 3, 1}, Shape{7, 6}, Shape{}}) {
    for (const auto from : kLayouts) {
      for (const auto to : kLayouts) {
        if (!layout_fits(shape, from) || !layout_fits(shape, to)) continue;
        for (const auto type : {DataType::f32, DataType::i64}) {
          std::vector<float> values(shape.elements() * bytes_of(type) / sizeof(float));
          std::iota(values.begin(), values.end(), 0.0F);
          std::vector<float> there(values.size());
          std::vector<float> back(values.size());
          convert_layout({shape, type}, values.data(), from, there.data(), to);
          convert_layout({shape, type}, there.data(), to, back.data(), from);
          EXPECT_EQ(back, values) << shape.text() << layout_name(from) << layout_name(to);
          EXPECT_EQ(std::set<float>(there.begin(), there.end()).size(), values.size());
        }
      }
    }
  }
}

/// A view is free if the bytes of the one, read as the other, are the same elements in order.
bool same_bytes(const Shape& from, Layout from_layout, const Shape& to, Layout to_layout) {
  const auto values = counted(from);
  std::vector<float> bytes(values.size());
  std::vector<float> read(values.size());
  convert_layout({from}, values.data(), Layout::plain, bytes.data(), from_layout);
  convert_layout({to}, bytes.data(), to_layout, read.data(), Layout::plain);
  return read == values;
}

TEST(Layout, a_view_is_free_only_where_the_bytes_agree) {
  const std::vector<Shape> shapes = {
      {2, 32, 1, 1},  {2, 32, 2, 1}, {2, 32, 1, 2},  {4, 16, 1, 2},  {2, 16, 2, 2}, {2, 64},
      {4, 32},        {2, 1, 8, 8},  {2, 1, 32, 2},  {2, 8, 4, 2},   {2, 8, 2, 4},  {128},
      {16, 16, 1, 1}, {256},         {16, 16, 1, 2}, {32, 16, 1, 1}, {2, 32, 4, 1}, {2, 4, 8, 2}};
  std::size_t free = 0;
  for (const auto& a : shapes) {
    for (const auto& b : shapes) {
      if (a.elements() != b.elements()) continue;
      GraphBuilder builder("view");
      reshape_layer(builder, builder.input("x", a), b);
      const auto graph = builder.finish();
      ASSERT_TRUE(graph);
      for (const auto from : kLayouts) {
        for (const auto to : kLayouts) {
          if (!layout_fits(a, from) || !layout_fits(b, to)) continue;
          const std::vector<Layout> layouts = {from, to};
          const bool says = is_free_view(*graph, 0, layouts);
          free += says ? 1U : 0U;
          // It may miss a lucky one of filters, but must never call one free that is not.
          if (from == Layout::filter_blocked || to == Layout::filter_blocked) {
            EXPECT_FALSE(says);
          } else {
            EXPECT_EQ(says, same_bytes(a, from, b, to))
                << a.text() << " " << layout_name(from) << " as " << b.text() << " "
                << layout_name(to);
          }
        }
      }
    }
  }
  EXPECT_GT(free, 20U);
}

Graph step_of(std::string_view name) {
  const auto model = find_zoo_model(name);
  const auto forward = build_zoo_model(**model, 2);
  EXPECT_TRUE(forward);
  auto step = training_step(*forward, 0.1);
  EXPECT_TRUE(step);
  return *step;
}

bool is_one_of(const Op& op, std::initializer_list<const Op*> ops) {
  return std::find(ops.begin(), ops.end(), &op) != ops.end();
}

/// Filters and their gradients: what convolutions take as second operand, and what updates it.
std::set<TensorId> filters_of(const Graph& graph) {
  std::set<TensorId> filters;
  for (const auto& node : graph.nodes) {
    if (is_one_of(*node.op, {&kConvOp, &kConvBackwardDataOp})) filters.insert(node.inputs[1]);
    if (node.op == &kConvBackwardFilterOp) filters.insert(node.outputs[0]);
    if (node.op == &kSgdOp) filters.insert(node.outputs[0]);
  }
  return filters;
}

TEST(Layout, in_the_zoo_images_are_channels_last_and_all_else_is_plain) {
  for (const auto& model : zoo_models()) {
    const Graph step = step_of(model.name);
    const auto layouts = assign_layouts(step);
    const auto filters = filters_of(step);
    std::size_t images = 0;
    for (TensorId id = 0; id < step.tensors.size(); ++id) {
      const bool image = step.tensors[id].type.shape.rank() == 4 && filters.count(id) == 0;
      EXPECT_EQ(layouts[id], image ? Layout::channels_last : Layout::plain)
          << model.name << " " << step.tensors[id].name;
      images += image ? 1U : 0U;
    }
    const bool sees = is_one_of(*step.nodes[0].op, {&kConvOp});
    EXPECT_EQ(images > 0, sees) << model.name;
  }
}

TEST(Layout, operands_of_elementwise_ops_agree_and_so_does_what_is_overwritten) {
  for (const auto& model : zoo_models()) {
    const Graph step = step_of(model.name);
    for (const bool blocked : {false, true}) {
      auto layouts = assign_layouts(step);
      if (blocked) layouts = blocked_layouts(step, layouts);
      for (const auto& node : step.nodes) {
        const auto result = layouts[node.outputs[0]];
        if (node.op->reuse == Reuse::may || node.op->reuse == Reuse::must) {
          EXPECT_EQ(layouts[node.inputs[node.op->reused]], result) << node.op->name;
        }
        if (!is_one_of(*node.op, {&kReluOp, &kReluBackwardOp, &kAddOp, &kMultiplyOp, &kSgdOp})) {
          continue;
        }
        for (const auto id : node.inputs) EXPECT_EQ(layouts[id], result) << node.op->name;
      }
      for (TensorId id = 0; id < layouts.size(); ++id) {
        EXPECT_TRUE(layout_fits(step.tensors[id].type.shape, layouts[id]));
      }
    }
  }
}

/// conv -> (slice along channels) -> add -> flatten; and a transpose of the image on the side.
TEST(Layout, flows_along_channels_and_stops_where_axes_mix) {
  GraphBuilder b("flow");
  const TensorId x = b.input("x", {2, 3, 8, 8});
  const TensorId y = conv_layer(b, x, {.channels = 4, .kernel = {3, 3}});
  Attributes half;
  half.begin = 0;
  half.end = 2;
  const TensorId channels = b.add(kSliceOp, {y}, half);
  const TensorId sum = b.add(kAddOp, {channels, channels});
  half.axis = 2;
  const TensorId rows = b.add(kSliceOp, {y}, half);
  Attributes order;
  order.order = {0, 2, 3, 1};
  const TensorId moved = b.add(kTransposeOp, {y}, order);
  const TensorId flat = flatten_layer(b, sum);
  const auto graph = b.finish();
  ASSERT_TRUE(graph);
  const auto layouts = assign_layouts(*graph);
  for (const auto id : {x, y, channels, sum}) EXPECT_EQ(layouts[id], Layout::channels_last) << id;
  for (const auto id : {rows, moved, flat}) EXPECT_EQ(layouts[id], Layout::plain) << id;
  EXPECT_FALSE(is_free_view(*graph, graph->tensors[flat].producer, layouts));
}

TEST(Layout, matrices_with_four_axes_are_no_images) {
  GraphBuilder b("attention");
  Attributes a;
  a.transpose_b = true;
  const TensorId q = b.parameter("q", {2, 4, 5, 6});
  const TensorId k = b.parameter("k", {2, 4, 5, 6});
  b.add(kReluOp, {b.add(kSoftmaxOp, {b.add(kMatMulOp, {q, k}, a)})});
  const auto graph = b.finish();
  ASSERT_TRUE(graph);
  for (const auto layout : assign_layouts(*graph)) EXPECT_EQ(layout, Layout::plain);
}

}  // namespace
}  // namespace mete
