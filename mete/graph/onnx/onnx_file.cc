// Finds and opens the plugin that parses ONNX. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/onnx_file.h"

#include "mete/base/plugin.h"

namespace mete {

Result<const OnnxParser*> open_onnx_parser() {
  METE_TRY(const OnnxParser* parser,
           open_plugin<const OnnxParser>({.file = "mete_onnx.so",
                                          .symbol = kOnnxPluginSymbol,
                                          .abi = kOnnxPluginAbi,
                                          .need = "reading ONNX files needs libonnx",
                                          .packages = "libonnx-dev libprotobuf-dev"}));
  return parser;
}

}  // namespace mete
