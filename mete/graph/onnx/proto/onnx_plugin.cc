// The plugin mete_onnx.so: ONNX's protobuf messages to plain structures. The only file that
// includes their headers. SPDX-License-Identifier: BSD-3-Clause
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include "mete/graph/onnx/onnx_file.h"

namespace mete {
namespace {

/// protobuf prints what it refuses; mete says so itself.
class Quiet {
 public:
  Quiet() : old_(google::protobuf::SetLogHandler(nullptr)) {}
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
  ~Quiet() { google::protobuf::SetLogHandler(old_); }

 private:
  google::protobuf::LogHandler* old_;
};

template <class List>
std::vector<std::int64_t> integers(const List& list) {
  return {list.begin(), list.end()};
}

/// Elements of a typed list as the bytes of `Element`.
template <class Element, class List>
std::string packed(const List& list) {
  std::string bytes(static_cast<std::size_t>(list.size()) * sizeof(Element), '\0');
  char* to = bytes.data();
  for (const auto value : list) {
    const auto element = static_cast<Element>(value);
    std::memcpy(to, &element, sizeof element);
    to += sizeof element;
  }
  return bytes;
}

/// Where a tensor has no raw bytes, the list that ONNX names for its type has the elements.
std::string listed_bytes(const onnx::TensorProto& from, OnnxType type) {
  switch (type) {
    case OnnxType::f32:
      return packed<float>(from.float_data());
    case OnnxType::f64:
      return packed<double>(from.double_data());
    case OnnxType::i64:
      return packed<std::int64_t>(from.int64_data());
    case OnnxType::u32:
      return packed<std::uint32_t>(from.uint64_data());
    case OnnxType::u64:
      return packed<std::uint64_t>(from.uint64_data());
    case OnnxType::i32:
      return packed<std::int32_t>(from.int32_data());
    case OnnxType::u8:
    case OnnxType::i8:
    case OnnxType::boolean:
      return packed<std::uint8_t>(from.int32_data());
    case OnnxType::u16:
    case OnnxType::i16:
    case OnnxType::f16:
    case OnnxType::bf16:
      return packed<std::uint16_t>(from.int32_data());
    default:
      return {};
  }
}

std::string told(const onnx::TensorProto& from) {
  return fmt::format("tensor '{}'", shown_name(from.name()));
}

Result<void> read_external(const onnx::TensorProto& from, OnnxTensor& to) {
  to.external = true;
  for (const auto& entry : from.external_data()) {
    const std::string& value = entry.value();
    if (entry.key() == "location") {
      to.location = value;
    } else if (entry.key() == "offset" || entry.key() == "length") {
      char* end = nullptr;
      const long long number = std::strtoll(value.c_str(), &end, 10);
      if (value.empty() || *end != '\0' || number < 0) {
        return fail(Errc::invalid, "{}: {} '{}' of its external data is no number", told(from),
                    entry.key(), shown_name(value));
      }
      (entry.key() == "offset" ? to.offset : to.length) = number;
    }
  }
  return {};
}

/// Takes the bytes out of the message: weights are not held twice.
Result<OnnxTensor> tensor_of(onnx::TensorProto& from) {
  OnnxTensor to;
  to.name = from.name();
  to.type = static_cast<OnnxType>(from.data_type());
  to.dims = integers(from.dims());
  std::uint64_t elements = 1;
  for (const std::int64_t size : to.dims) {
    // 2^44 elements are 64 TiB of the smallest type that graphs hold.
    constexpr std::int64_t kMost = std::int64_t{1} << 44U;
    if (size < 0 || size > kMost ||
        (size > 0 && elements > static_cast<std::uint64_t>(kMost / size))) {
      return fail(Errc::invalid, "{}: its sizes are below 0, or more than can be counted",
                  told(from));
    }
    elements *= static_cast<std::uint64_t>(size);
  }
  if (from.data_location() == onnx::TensorProto::EXTERNAL) {
    METE_TRY_VOID(read_external(from, to));
    return to;
  }
  const std::uint64_t each = onnx_type_bytes(to.type);
  if (each == 0) return to;  // refused where it is used, by its type
  if (from.has_raw_data()) {
    const std::unique_ptr<std::string> raw(from.release_raw_data());
    to.bytes = std::move(*raw);
  } else {
    to.bytes = listed_bytes(from, to.type);
  }
  if (to.bytes.size() != elements * each) {
    return fail(Errc::invalid, "{}: {} bytes of data, its sizes say {} elements of {}", told(from),
                to.bytes.size(), elements, onnx_type_name(to.type));
  }
  return to;
}

Result<OnnxAttribute> attribute_of(onnx::AttributeProto& from) {
  using Kind = OnnxAttribute::Kind;
  OnnxAttribute to;
  to.name = from.name();
  switch (from.type()) {
    case onnx::AttributeProto::INT:
      to.kind = Kind::integer;
      to.integers = {from.i()};
      break;
    case onnx::AttributeProto::FLOAT:
      to.kind = Kind::real;
      to.reals = {from.f()};
      break;
    case onnx::AttributeProto::STRING:
      to.kind = Kind::text;
      to.texts = {from.s()};
      break;
    case onnx::AttributeProto::INTS:
      to.kind = Kind::integers;
      to.integers = integers(from.ints());
      break;
    case onnx::AttributeProto::FLOATS:
      to.kind = Kind::reals;
      to.reals = {from.floats().begin(), from.floats().end()};
      break;
    case onnx::AttributeProto::STRINGS:
      to.kind = Kind::texts;
      to.texts = {from.strings().begin(), from.strings().end()};
      break;
    case onnx::AttributeProto::TENSOR: {
      to.kind = Kind::tensor;
      METE_TRY(auto tensor, tensor_of(*from.mutable_t()));
      to.tensors.push_back(std::move(tensor));
      break;
    }
    default:
      break;
  }
  return to;
}

Result<OnnxNode> node_of(onnx::NodeProto& from) {
  OnnxNode to;
  to.name = from.name();
  to.op = from.op_type();
  to.domain = from.domain();
  to.inputs = {from.input().begin(), from.input().end()};
  to.outputs = {from.output().begin(), from.output().end()};
  for (auto& attribute : *from.mutable_attribute()) {
    auto read = attribute_of(attribute);
    if (!read) {
      return read.error().within(fmt::format("{} '{}'", shown_name(to.op), shown_name(to.name)));
    }
    to.attributes.push_back(std::move(*read));
  }
  return to;
}

OnnxInput input_of(const onnx::ValueInfoProto& from) {
  OnnxInput to;
  to.name = from.name();
  if (!from.type().has_tensor_type()) return to;
  const auto& tensor = from.type().tensor_type();
  to.type = static_cast<OnnxType>(tensor.elem_type());
  to.has_shape = tensor.has_shape();
  for (const auto& dim : tensor.shape().dim()) {
    OnnxAxis axis;
    if (dim.has_dim_value()) axis.size = dim.dim_value();
    axis.name = dim.dim_param();
    to.axes.push_back(std::move(axis));
  }
  return to;
}

Result<OnnxFile> file_of(onnx::ModelProto& model) {
  OnnxFile file;
  file.ir_version = model.ir_version();
  file.producer = model.producer_name();
  for (const auto& opset : model.opset_import()) {
    file.opsets.emplace_back(opset.domain(), opset.version());
  }
  onnx::GraphProto& graph = *model.mutable_graph();
  file.graph = graph.name();
  file.sparse_initializers = static_cast<std::size_t>(graph.sparse_initializer_size());
  for (const auto& input : graph.input()) file.inputs.push_back(input_of(input));
  for (const auto& output : graph.output()) file.outputs.push_back(output.name());
  for (auto& initializer : *graph.mutable_initializer()) {
    METE_TRY(auto tensor, tensor_of(initializer));
    file.initializers.push_back(std::move(tensor));
  }
  for (auto& node : *graph.mutable_node()) {
    METE_TRY(auto read, node_of(node));
    file.nodes.push_back(std::move(read));
  }
  return file;
}

class ProtobufOnnxParser final : public OnnxParser {
 public:
  [[nodiscard]] Result<OnnxFile> parse(std::string_view bytes) const override {
    onnx::ModelProto model;
    METE_TRY_VOID(fill(model, bytes, "an ONNX model"));
    if (!model.has_graph()) return fail(Errc::invalid, "not an ONNX model: it has no graph");
    return file_of(model);
  }

  [[nodiscard]] Result<OnnxTensor> parse_tensor(std::string_view bytes) const override {
    onnx::TensorProto tensor;
    METE_TRY_VOID(fill(tensor, bytes, "an ONNX tensor"));
    return tensor_of(tensor);
  }

 private:
  /// protobuf itself refuses messages that are nested deeper than 100.
  template <class Message>
  static Result<void> fill(Message& message, std::string_view bytes, const char* what) {
    const Quiet quiet;
    try {
      if (bytes.size() <= kMostOnnxFileBytes &&
          message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return {};
      }
    } catch (const std::exception& error) {
      return fail(Errc::failed, "{}", error.what());
    }
    return fail(Errc::invalid, "not {}, or cut short", what);
  }
};

}  // namespace
}  // namespace mete

extern "C" __attribute__((visibility("default"))) const mete::OnnxParser* mete_onnx_parser(
    int abi, const char* mete_version) {
  if (abi != mete::kOnnxPluginAbi || std::strcmp(mete_version, METE_VERSION) != 0) return nullptr;
  static const mete::ProtobufOnnxParser parser;
  return &parser;
}
