// ONNX files as graphs. docs/formats/onnx.md says which ops are read, and how.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/graph.h"
#include "mete/graph/onnx/onnx_file.h"

namespace mete {

struct OnnxOptions {
  /// First axis of the inputs; 0: as the file says.
  std::int64_t batch = 0;
  /// Sizes of axes that the file only names; "x:2" is axis 2 of the input x.
  std::vector<std::pair<std::string, std::int64_t>> dims = {};
  /// Batch norms with the batch's own averages, as in training, whatever the file says.
  bool training = false;
  /// Also takes the data of parameters and constants, and reads those in files of their own.
  bool values = false;
  /// Inputs that are constants.
  std::vector<OnnxTensor> known = {};
};

/// What a parameter, or an input that the file itself knows, holds: in the tensor's type.
struct OnnxValue {
  TensorId tensor = kNoTensor;
  std::string bytes;
};

struct OnnxModel {
  /// Weights are parameters; what the file knows otherwise is an input with a value. The results
  /// are the file's, in order.
  Graph graph;
  std::vector<OnnxValue> values;
  /// The inputs that are to be given, by the file's names, in its order; kNoTensor: nothing reads
  /// it.
  std::vector<std::pair<std::string, TensorId>> inputs;
  std::string producer;
  std::int64_t opset = 0;
};

/// `invalid` naming the file, and what in it, for all that cannot be read; every op that is not
/// supported at once. `unavailable` where the plugin is not.
Result<OnnxModel> read_onnx(const std::string& path, const OnnxOptions& options);
/// The same from bytes; `name` stands for the file, `folder` is where its other files lie.
Result<OnnxModel> parse_onnx(std::string_view bytes, const std::string& name,
                             const std::string& folder, const OnnxOptions& options);

/// Adds the cross-entropy of the first result against class numbers, if that is one row of numbers
/// for each sample. False, and nothing added, if it is not.
bool add_onnx_loss(OnnxModel& model);

}  // namespace mete
