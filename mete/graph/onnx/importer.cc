// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/importer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

bool is_onnx_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

/// 32-bit integers as the graph's 64-bit ones.
std::string widened(const std::string& bytes) {
  std::string wide;
  for (std::size_t at = 0; at + sizeof(std::int32_t) <= bytes.size(); at += sizeof(std::int32_t)) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    const std::int64_t element = value;
    wide.append(reinterpret_cast<const char*>(&element), sizeof element);
  }
  return wide;
}

}  // namespace

OnnxImporter::OnnxImporter(OnnxFile& file, std::string name, std::string folder,
                           const OnnxOptions& options)
    : file_(file),
      name_(std::move(name)),
      folder_(std::move(folder)),
      options_(options),
      builder_(name_) {}

std::string OnnxImporter::told(const OnnxNode& node) const {
  return node.name.empty() ? shown_name(node.op)
                           : fmt::format("{} '{}'", shown_name(node.op), shown_name(node.name));
}

Result<void> OnnxImporter::check_file() {
  for (const auto& [domain, version] : file_.opsets) {
    if (is_onnx_domain(domain)) opset_ = version;
  }
  if (opset_ < 1) return fail(Errc::invalid, "names no version of ONNX's ops (opset_import)");
  if (file_.sparse_initializers > 0) {
    return fail(Errc::invalid, "{} sparse weights: mete reads dense ones",
                file_.sparse_initializers);
  }
  if (file_.nodes.size() > kMostGraphNodes) {
    return fail(Errc::invalid, "{} nodes: mete reads {}", file_.nodes.size(), kMostGraphNodes);
  }
  std::set<std::string_view> made;
  for (const auto& node : file_.nodes) {
    for (const auto& output : node.outputs) {
      if (!output.empty() && !made.insert(output).second) {
        return fail(Errc::invalid, "{}: '{}' is made twice", told(node), shown_name(output));
      }
    }
    read_.insert(node.inputs.begin(), node.inputs.end());
  }
  read_.insert(file_.outputs.begin(), file_.outputs.end());
  read_.erase("");
  return {};
}

Result<void> OnnxImporter::define(const std::string& name, OnnxItem item) {
  if (name.empty()) return fail(Errc::invalid, "an input or a weight without a name");
  if (item.shape.rank() > kMostAxes) {
    return fail(Errc::invalid, "'{}' has {} axes: mete takes {}", shown_name(name),
                item.shape.rank(), kMostAxes);
  }
  if (!items_.emplace(name, std::move(item)).second) {
    return fail(Errc::invalid, "'{}' is there twice", shown_name(name));
  }
  return {};
}

Result<void> OnnxImporter::add_initializers() {
  for (auto& tensor : file_.initializers) {
    if (tensor.external) METE_TRY_VOID(check_external_path(tensor));
    OnnxItem item;
    item.stored = &tensor;
    item.constant = constant_of(tensor);
    item.type = tensor.type;
    item.shape = Shape{tensor.dims};
    item.parameter = tensor.type == OnnxType::f32 && !tensor.dims.empty();
    weights_in_nodes_ = weights_in_nodes_ && !item.parameter;
    METE_TRY_VOID(define(tensor.name, std::move(item)));
  }
  return {};
}

Shape OnnxImporter::fixed_shape(const OnnxInput& input) {
  std::vector<std::int64_t> dims;
  const auto given = [this](const std::string& name) -> std::int64_t {
    for (const auto& [dim, size] : options_.dims) {
      if (dim != name || name.empty()) continue;
      used_dims_.insert(name);
      return size;
    }
    return 0;
  };
  const auto& first = file_.inputs.front().axes;
  for (std::size_t i = 0; i < input.axes.size(); ++i) {
    const OnnxAxis& axis = input.axes[i];
    const std::string place = fmt::format("{}:{}", input.name, i);
    std::int64_t size = std::max(given(place), given(axis.name));
    // The batch is the first axis of the first input, and what is as long or has its name.
    const bool batch = !first.empty() && ((i == 0 && axis.size == first[0].size) ||
                                          (!axis.name.empty() && axis.name == first[0].name));
    if (size == 0 && batch) size = options_.batch;
    if (size == 0) size = axis.size;
    if (size < 1) {
      const std::string flag = axis.name.empty() ? place : axis.name;
      open_.push_back(fmt::format("axis {} of '{}'", i, shown_name(input.name)));
      open_flags_.push_back(batch && i == 0 ? "--batch N"
                                            : fmt::format("--dim {}=N", shown_name(flag)));
    }
    dims.push_back(size);
  }
  return Shape{std::move(dims)};
}

Result<void> OnnxImporter::add_inputs() {
  for (const auto& input : file_.inputs) {
    if (items_.contains(input.name) && !items_[input.name].input) continue;  // a weight's default
    const auto known = std::find_if(options_.known.begin(), options_.known.end(),
                                    [&](const auto& each) { return each.name == input.name; });
    OnnxItem item;
    if (known != options_.known.end()) {
      item.stored = &owned_.emplace_back(*known);
      item.constant = constant_of(*known);
      item.type = known->type;
      item.shape = Shape{known->dims};
    } else {
      item.input = &input;
      item.type = input.type == OnnxType::i32 ? OnnxType::i64 : input.type;
      if (item.type != OnnxType::f32 && item.type != OnnxType::i64) {
        auto& refusal = refused_[fmt::format("an input of {}", onnx_type_name(input.type))];
        if (refusal.count++ == 0) refusal.first = input.name;
        item.unknown = true;
      } else if (!input.has_shape) {
        return fail(Errc::invalid, "the input '{}' has no shape", shown_name(input.name));
      } else {
        item.shape = fixed_shape(input);
      }
    }
    METE_TRY_VOID(define(input.name, std::move(item)));
  }
  if (!open_.empty()) {
    std::sort(open_flags_.begin(), open_flags_.end());
    open_flags_.erase(std::unique(open_flags_.begin(), open_flags_.end()), open_flags_.end());
    constexpr std::size_t kMostNamed = 8;
    if (open_.size() > kMostNamed) open_.resize(kMostNamed);
    if (open_flags_.size() > kMostNamed) open_flags_.resize(kMostNamed);
    return fail(Errc::invalid, "sizes are left open: {}; fix them with {}", join(open_, ", "),
                join(open_flags_, " "));
  }
  for (const auto& [name, size] : options_.dims) {
    if (used_dims_.contains(name)) continue;
    std::vector<std::string> names;
    for (const auto& input : file_.inputs) {
      for (const auto& axis : input.axes) {
        if (!axis.name.empty()) names.push_back(shown_name(axis.name));
      }
    }
    return fail(Errc::invalid, "no axis is called {}{}", name, did_you_mean(name, names));
  }
  return {};
}

void OnnxImporter::refuse_op(const OnnxNode& node, const std::string& what) {
  auto& refusal = refused_[what];
  if (refusal.count++ == 0) refusal.first = node.name.empty() ? node.outputs.front() : node.name;
  for (const auto& output : node.outputs) {
    if (output.empty()) continue;
    OnnxItem item;
    item.unknown = true;
    items_.insert_or_assign(output, std::move(item));
  }
}

Error OnnxImporter::missing(const OnnxNode& node, const std::string& input) const {
  for (const auto& other : file_.nodes) {
    if (std::find(other.outputs.begin(), other.outputs.end(), input) == other.outputs.end()) {
      continue;
    }
    return fail(Errc::invalid,
                "{}: reads '{}', which {} makes only later: the nodes are in a circle, or not in "
                "order",
                told(node), shown_name(input), told(other));
  }
  return fail(Errc::invalid, "{}: reads '{}', which nothing makes", told(node), shown_name(input));
}

Result<void> OnnxImporter::add_node(const OnnxNode& node) {
  if (node.outputs.empty()) return fail(Errc::invalid, "{}: makes nothing", told(node));
  std::vector<OnnxItem*> inputs;
  bool unknown = false;
  for (const auto& input : node.inputs) {
    const auto found = items_.find(input);
    if (input.empty()) {
      inputs.push_back(nullptr);
    } else if (found == items_.end()) {
      return missing(node, input);
    } else {
      inputs.push_back(&found->second);
      unknown = unknown || found->second.unknown;
    }
  }
  for (const auto& output : node.outputs) {
    if (items_.contains(output)) {
      return fail(Errc::invalid, "{}: '{}' is there already", told(node), shown_name(output));
    }
  }
  const bool known_domain = is_onnx_domain(node.domain);
  const OnnxConvert how = known_domain ? find_onnx_conversion(node.op) : nullptr;
  // What can be folded may have no conversion (Sqrt of a size), so that comes first.
  if (!unknown && known_domain) {
    const OnnxScope scope(*this, node, inputs);
    METE_TRY(const bool folded, try_fold(node, scope));
    if (folded) return {};
  }
  if (how == nullptr) {
    refuse_op(node, known_domain ? shown_name(node.op)
                                 : shown_name(fmt::format("{}.{}", node.domain, node.op)));
    return {};
  }
  if (!unknown) return convert(node, std::move(inputs), how);
  for (const auto& output : node.outputs) {
    OnnxItem item;
    item.unknown = true;
    if (!output.empty()) items_.insert_or_assign(output, std::move(item));
  }
  return {};
}

Result<bool> OnnxImporter::try_fold(const OnnxNode& node, const OnnxScope& scope) {
  for (const auto* item : scope.inputs_) {
    if (item != nullptr && (!item->constant || item->parameter)) return false;
  }
  auto results = fold(node, scope.constants_, opset_);
  if (!results) return false;
  OnnxScope setter(*this, node, scope.inputs_);
  for (std::size_t i = 0; i < results->size(); ++i) {
    setter.set_constant(i, std::move((*results)[i]));
  }
  return true;
}

Result<void> OnnxImporter::convert(const OnnxNode& node, std::vector<OnnxItem*> inputs,
                                   OnnxConvert how) {
  if (node.name.empty()) {
    builder_.begin_layer(lower(node.op));
  } else {
    builder_.begin_named_layer(shown_name(node.name));
  }
  OnnxScope scope(*this, node, std::move(inputs));
  const Result<void> done = how(scope);
  if (builder_.failed()) return builder_.finish().error();
  if (!done && done.error().code == Errc::unsupported) {
    refuse_op(node, fmt::format("{} {}", node.op, done.error().what));
    return {};
  }
  if (!done) return done.error().within(told(node));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (scope.wanted(i) && !items_.contains(node.outputs[i])) {
      refuse_op(node, fmt::format("{} with its result {}", node.op, i + 1));
      return {};
    }
  }
  return {};
}

Result<TensorId> OnnxImporter::materialise_stored(OnnxItem& item, const Shape& shape) {
  OnnxTensor& tensor = *item.stored;
  const bool whole = tensor.type == OnnxType::i64 || tensor.type == OnnxType::i32;
  if (!whole && tensor.type != OnnxType::f32) {
    return fail(Errc::unsupported, "with data of {}", onnx_type_name(tensor.type));
  }
  const TensorId id =
      builder_.tensor(shown_name(tensor.name), {shape, whole ? DataType::i64 : DataType::f32},
                      item.parameter ? TensorRole::parameter : TensorRole::input);
  if (id == kNoTensor || !options_.values) return id;
  if (tensor.external) {
    METE_TRY(tensor.bytes, read_external_data(tensor, folder_));
  }
  values_.push_back(
      {id, tensor.type == OnnxType::i32 ? widened(tensor.bytes) : std::move(tensor.bytes)});
  return id;
}

Result<TensorId> OnnxImporter::materialise(OnnxItem& item, const Shape& shape) {
  if (item.id != kNoTensor) return item.id;
  if (item.input != nullptr) {
    const DataType type = item.type == OnnxType::i64 ? DataType::i64 : DataType::f32;
    item.id = builder_.input(shown_name(item.input->name), item.shape, type);
  } else if (item.constant && !item.parameter) {
    const OnnxConstant& known = *item.constant;
    const std::string name = item.stored != nullptr ? shown_name(item.stored->name) : "constant";
    const DataType type = known.is_real() ? DataType::f32 : DataType::i64;
    item.id = builder_.tensor(name, {shape, type}, TensorRole::input);
    if (options_.values && item.id != kNoTensor) values_.push_back({item.id, graph_bytes(known)});
  } else {
    METE_TRY(item.id, materialise_stored(item, shape));
  }
  return item.id;
}

Result<void> OnnxImporter::add_results(OnnxModel& model) {
  if (file_.outputs.empty()) return fail(Errc::invalid, "the graph has no results");
  for (const auto& name : file_.outputs) {
    const auto found = items_.find(name);
    if (found == items_.end()) {
      return fail(Errc::invalid, "the result '{}': nothing makes it", shown_name(name));
    }
    if (found->second.unknown) continue;
    METE_TRY(const TensorId id, materialise(found->second, found->second.shape));
    if (builder_.failed()) return builder_.finish().error();
    builder_.add_result(id);
  }
  for (const auto& input : file_.inputs) {
    const auto& item = items_[input.name];
    if (item.input != nullptr) model.inputs.emplace_back(input.name, item.id);
  }
  return {};
}

Error OnnxImporter::refusals() const {
  std::vector<std::string> each;
  for (const auto& [what, refusal] : refused_) {
    each.push_back(
        fmt::format("{} ({}, first at '{}')", what, refusal.count, shown_name(refusal.first)));
  }
  return fail(Errc::invalid, "not supported: {} (docs/formats/onnx.md lists what is)",
              join(each, ", "));
}

Result<OnnxModel> OnnxImporter::run() {
  METE_TRY_VOID(check_file());
  METE_TRY_VOID(add_initializers());
  METE_TRY_VOID(add_inputs());
  for (const auto& node : file_.nodes) METE_TRY_VOID(add_node(node));
  OnnxModel model;
  if (refused_.empty()) METE_TRY_VOID(add_results(model));
  if (!refused_.empty()) return refusals();
  METE_TRY(model.graph, builder_.finish());
  model.graph.forward_nodes = model.graph.nodes.size();
  model.values = std::move(values_);
  model.producer = shown_name(file_.producer);
  model.opset = opset_;
  return model;
}

}  // namespace mete
