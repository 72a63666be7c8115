// Inside the plugin: makes a training session. No torch types here, so that only two files pay for
// torch's headers. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>

#include "mete/base/result.h"
#include "mete/learn/torch_runtime.h"

namespace mete {

Result<std::unique_ptr<TorchTraining>> make_torch_training(const NetworkSpec& spec);

/// The first line of a c10 exception's text: the rest is a stack trace.
inline std::string first_line(const char* what) {
  const std::string text = what;
  return text.substr(0, text.find('\n'));
}

}  // namespace mete
