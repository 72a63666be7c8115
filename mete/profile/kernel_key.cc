// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/kernel_key.h"

#include <optional>

#include <fmt/format.h>

namespace mete {
namespace {

template <class List>
std::string numbers(const List& list) {
  std::string text;
  for (const auto value : list) text += fmt::format("{}{}", text.empty() ? "" : ",", value);
  return text;
}

/// " name=value" unless it is the default. Doubles in the shortest form that reads back equal.
class Words {
 public:
  template <class Value>
  void add(std::string_view name, const Value& value, const Value& usual) {
    if (!(value == usual)) text_ += fmt::format(" {}={}", name, written(value));
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string written(const Shape& shape) { return shape.text(); }
  static std::string written(double value) { return fmt::format("{}", value); }
  static std::string written(bool value) { return value ? "yes" : "no"; }
  static std::string written(std::int64_t value) { return fmt::format("{}", value); }
  static std::string written(std::size_t value) { return fmt::format("{}", value); }
  template <class List>
  static std::string written(const List& list) {
    return numbers(list);
  }

  std::string text_;
};

std::string attribute_words(const Attributes& attributes) {
  // By position: an attribute that is added does not compile here until it is part of the key.
  const auto& [kernel, stride, dilation, pad, groups, count_padding, transpose_a, transpose_b,
               scale, offset, low, high, epsilon, axis, begin, end, shape, order] = attributes;
  const Attributes usual;
  Words words;
  words.add("kernel", kernel, usual.kernel);
  words.add("stride", stride, usual.stride);
  words.add("dilation", dilation, usual.dilation);
  words.add("pad", pad, usual.pad);
  words.add("groups", groups, usual.groups);
  words.add("count_padding", count_padding, usual.count_padding);
  words.add("transpose_a", transpose_a, usual.transpose_a);
  words.add("transpose_b", transpose_b, usual.transpose_b);
  words.add("scale", scale, usual.scale);
  words.add("offset", offset, usual.offset);
  words.add("low", low, usual.low);
  words.add("high", high, usual.high);
  words.add("epsilon", epsilon, usual.epsilon);
  words.add("axis", axis, usual.axis);
  words.add("begin", begin, usual.begin);
  words.add("end", end, usual.end);
  words.add("shape", shape, usual.shape);
  words.add("order", order, usual.order);
  return words.take();
}

std::string operand_words(const std::vector<KernelOperand>& operands,
                          const std::vector<std::uint32_t>& slots, const std::vector<bool>& warm) {
  std::string text;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& [type, layout] = operands[i];
    text += fmt::format("{}{} {} {} @{}{}", i == 0 ? "" : ", ", data_type_name(type.type),
                        type.shape.text(), layout_name(layout), slots[i],
                        warm[slots[i]] ? " warm" : "");
  }
  return text;
}

}  // namespace

std::string kernel_key(const KernelJob& job, const NodeSlots& slots,
                       const std::vector<bool>& warm) {
  return fmt::format("{}{} ({}) -> ({})", job.op->name, attribute_words(job.attributes),
                     operand_words(job.inputs, slots.of_input, warm),
                     operand_words(job.outputs, slots.of_output, warm));
}

std::vector<std::vector<bool>> warm_slots(const Graph& graph, const Liveness& liveness,
                                          const std::vector<NodeSlots>& slots,
                                          std::uint64_t cache_bytes) {
  // Bytes that all nodes before the one that touched a group last had touched: what was touched
  // since, that node's own operands included, must fit.
  std::vector<std::optional<std::uint64_t>> before_last_touch(liveness.groups.size());
  std::vector<std::vector<bool>> warm;
  std::uint64_t touched = 0;
  for (NodeId n = 0; n < slots.size(); ++n) {
    std::vector<bool>& of_node = warm.emplace_back(slots[n].groups.size(), false);
    for (const auto slot : slots[n].of_input) {
      const auto& last = before_last_touch[slots[n].groups[slot]];
      of_node[slot] = last && touched - *last <= cache_bytes / 2;
    }
    const bool is_view = graph.nodes[n].op->reuse == Reuse::view && slots[n].groups.size() == 1;
    if (is_view) continue;  // it touches nothing
    for (const auto group : slots[n].groups) before_last_touch[group] = touched;
    for (const auto group : slots[n].groups) touched += liveness.groups[group].bytes;
  }
  return warm;
}

}  // namespace mete
