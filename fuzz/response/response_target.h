// What any bytes must do in the reader of response models: be refused in one line that names the
// file, or give a model that writes and reads back equal. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "fuzz/check.h"

#include "mete/base/json.h"
#include "mete/learn/response_model.h"

namespace mete::fuzz {

inline void response_target(std::string_view bytes) {
  const auto json = parse_json(bytes);
  if (!json) return;
  const auto model = ResponseModel::from_json(*json, "file");
  if (!model) {
    require_fair(model.error(), "file: ");
    return;
  }
  require(model->shares().size() >= 2 && model->shares().back() == 1, "shares end in 1");
  require(!model->curves().empty(), "a curve");
  for (const auto& curve : model->curves()) {
    require(curve.log_time.size() == model->shares().size(), "a time per share");
  }
  const auto again = ResponseModel::from_json(model->to_json(), "file");
  require(again.has_value(), again ? "" : again.error().what);
  require(again->to_json().dump() == model->to_json().dump(), "what is written reads back");
}

}  // namespace mete::fuzz
