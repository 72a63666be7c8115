// What an ONNX file says, in plain structures, and the seam between mete and the library that
// parses it. libonnx_proto brings protobuf, whose start costs more than most verbs, so it lives in
// a plugin, lib/mete_onnx.so, opened when a file is read. The plugin only parses: what a node means
// is decided on this side. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"

namespace mete {

inline constexpr int kOnnxPluginAbi = 1;  ///< counts up whenever anything in this header changes
inline constexpr const char* kOnnxPluginSymbol = "mete_onnx_parser";
/// protobuf's own limit; weights beyond it lie in files of their own.
inline constexpr std::size_t kMostOnnxFileBytes = (std::size_t{1} << 31U) - 1;

/// ONNX's numbers for element types (TensorProto.DataType).
enum class OnnxType : std::int32_t {
  none = 0,
  f32 = 1,
  u8 = 2,
  i8 = 3,
  u16 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  text = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16,
};
/// "float32"; "type 99" for one that mete does not know.
std::string onnx_type_name(OnnxType type);
/// Bytes of an element; 0 if mete does not know, or if elements differ.
std::uint64_t onnx_type_bytes(OnnxType type);

struct OnnxTensor {
  std::string name;
  OnnxType type = OnnxType::none;
  std::vector<std::int64_t> dims;
  std::string bytes;  ///< row-major, little-endian, as long as dims say unless `external`
  /// In a file of its own, relative to the model's folder; length < 0: to the end.
  bool external = false;
  std::string location;
  std::int64_t offset = 0;
  std::int64_t length = -1;
};

struct OnnxAttribute {
  enum class Kind : std::uint8_t {
    integer,
    real,
    text,
    integers,
    reals,
    texts,
    tensor,
    other,  ///< sub-graphs, and what no op here has
  };
  std::string name;
  Kind kind = Kind::other;
  std::vector<std::int64_t> integers;  ///< one for `integer`
  std::vector<float> reals;
  std::vector<std::string> texts;
  std::vector<OnnxTensor> tensors;
};

struct OnnxNode {
  std::string name;
  std::string op;
  std::string domain;
  std::vector<std::string> inputs;   ///< "": left out
  std::vector<std::string> outputs;  ///< "": not wanted
  std::vector<OnnxAttribute> attributes;

  [[nodiscard]] const OnnxAttribute* find(std::string_view attribute) const;
};

struct OnnxAxis {
  std::int64_t size = -1;  ///< below 0: known only by name, or not at all
  std::string name;
};

struct OnnxInput {
  std::string name;
  OnnxType type = OnnxType::none;  ///< none: no tensor
  bool has_shape = false;
  std::vector<OnnxAxis> axes;
};

struct OnnxFile {
  std::int64_t ir_version = 0;
  std::string producer;
  std::string graph;
  std::vector<std::pair<std::string, std::int64_t>> opsets;  ///< domain, version
  std::vector<OnnxInput> inputs;
  std::vector<std::string> outputs;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxNode> nodes;
  std::size_t sparse_initializers = 0;
};

/// Nothing throws; errors are `invalid` and name no file.
class OnnxParser {
 public:
  virtual ~OnnxParser() = default;
  [[nodiscard]] virtual Result<OnnxFile> parse(std::string_view bytes) const = 0;
  /// One tensor on its own (TensorProto), as ONNX's test data are stored.
  [[nodiscard]] virtual Result<OnnxTensor> parse_tensor(std::string_view bytes) const = 0;
};

/// `unavailable`, with the next step, where the plugin is not.
Result<const OnnxParser*> open_onnx_parser();

/// A name from a file, fit for one line of a terminal: control characters and broken UTF-8 as \xNN,
/// and no longer than a line.
std::string shown_name(std::string_view name);

}  // namespace mete
