// Manifest: the file sweep.json of a study's folder, which says what was asked for and what is
// done, so that nothing depends on parsing file names. docs/formats/sweep-manifest.md describes it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/signal/info.h"
#include "mete/study/plan.h"

namespace mete {

inline constexpr std::string_view kManifestFormat = "mete.sweep/1";
inline constexpr std::string_view kManifestName = "sweep.json";
/// The manifest before the last point: what is left if the newer one is damaged from outside.
inline constexpr std::string_view kManifestBackupName = "sweep.json.previous";

enum class PointStatus { pending, done, failed };
std::string_view point_status_name(PointStatus status);

struct StudyPoint {
  PlannedPoint plan;
  std::string report;  ///< path within the folder
  std::string trace;
  PointStatus status = PointStatus::pending;
  double runtime = std::numeric_limits<double>::quiet_NaN();  ///< s
  double energy = std::numeric_limits<double>::quiet_NaN();   ///< J; NaN if not measurable here
  std::int64_t sequence = 0;  ///< 1, 2, ..: in what order points were finished, over all sessions
  std::string started;        ///< wall time, UTC
  std::string error;          ///< why it failed
};

struct Manifest {
  StudyPlan plan;
  std::string created;              ///< wall time, UTC
  Source source = Source::counter;  ///< of the energies: the weakest of all points
  std::vector<StudyPoint> points;   ///< in the order of the plan

  [[nodiscard]] std::size_t count(PointStatus status) const;
};

/// All points pending. Invalid if the plan is (see lay_out).
Result<Manifest> make_manifest(StudyPlan plan, std::string created);

Json manifest_to_json(const Manifest& manifest);
/// `file` names it in errors. Other people's text: every member is checked.
Result<Manifest> parse_manifest(std::string_view text, const std::string& file);

/// Reads DIR/sweep.json; if that is damaged, the one before it, which `notices` says.
Result<Manifest> load_manifest(const std::string& directory, std::vector<std::string>& notices);
/// Written atomically; the one before stays beside it.
Result<void> save_manifest(const std::string& directory, const Manifest& manifest);

}  // namespace mete
