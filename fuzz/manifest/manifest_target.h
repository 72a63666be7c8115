// What any bytes must do in the reader of sweep manifests: be refused in one line that names the
// file, or give a manifest that writes and reads back equal. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "fuzz/check.h"

#include "mete/study/manifest.h"

namespace mete::fuzz {

inline void manifest_target(std::string_view bytes) {
  const auto manifest = parse_manifest(bytes, "file");
  if (!manifest) {
    require_fair(manifest.error(), "file: ");
    return;
  }
  require(!manifest->points.empty() && manifest->points.size() <= kMaxPoints, "1 to kMaxPoints");
  for (const StudyPoint& point : manifest->points) {
    require(!point.report.starts_with("/") && !point.report.starts_with("../"), "inside");
    require(point.plan.values.size() == manifest->plan.axes.size(), "a value per control");
  }
  const std::string text = manifest_to_json(*manifest).dump(1);
  const auto again = parse_manifest(text, "file");
  require(again.has_value(), again ? "" : again.error().what);
  require(manifest_to_json(*again).dump(1) == text, "what is written reads back");
}

}  // namespace mete::fuzz
