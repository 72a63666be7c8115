// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/manifest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {

constexpr std::array kStatuses{PointStatus::pending, PointStatus::done, PointStatus::failed};

Json axes_to_json(const std::vector<StudyAxis>& axes) {
  Json out = Json::array();
  for (const StudyAxis& axis : axes) {
    out.push(Json::object(
        {{"name", axis.control}, {"unit", axis.unit}, {"values", Json::array_of(axis.values)}}));
  }
  return out;
}

Json point_to_json(const StudyPoint& point, const StudyPlan& plan) {
  Json controls = Json::object();
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    controls.set(plan.axes[a].control, point.plan.values[a]);
  }
  return Json::object({{"id", point.plan.id},
                       {"app", plan.app},
                       {"app_config", plan.app_config},
                       {"controls", controls},
                       {"trial", point.plan.trial},
                       {"reference", point.plan.reference},
                       {"report", point.report},
                       {"trace", point.trace},
                       {"status", point_status_name(point.status)},
                       {"runtime", point.runtime},
                       {"energy", point.energy},
                       {"sequence", point.sequence},
                       {"started", point.started},
                       {"error", point.error}});
}

/// Reads members of one object and keeps the first complaint, so that the reader is a list of
/// fields and not a ladder of ifs.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  std::string text(std::string_view key) {
    const Json* found = object_.find(key);
    if (found == nullptr || !found->is_string()) complain(key, "a text");
    return found == nullptr ? std::string() : found->as_string();
  }
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high) {
    const Json* found = object_.find(key);
    const bool good = found != nullptr && found->is_integer() && found->as_integer() >= low &&
                      found->as_integer() <= high;
    if (!good) complain(key, fmt::format("a whole number from {} to {}", low, high));
    return good ? found->as_integer() : low;
  }
  /// null is NaN, as it is written.
  double number(std::string_view key) {
    const Json* found = object_.find(key);
    if (found == nullptr || found->is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!found->is_number()) complain(key, "a number");
    return found->as_number();
  }
  bool flag(std::string_view key) {
    const Json* found = object_.find(key);
    if (found == nullptr || !found->is_bool()) complain(key, "true or false");
    return found != nullptr && found->as_bool();
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> out;
    for (const Json& item : items(key)) {
      if (!item.is_string()) complain(key, "a list of texts");
      out.push_back(item.as_string());
    }
    return out;
  }
  const Json::Array& items(std::string_view key) {
    const Json* found = object_.find(key);
    if (found == nullptr || !found->is_array()) complain(key, "a list");
    return object_[key].items();
  }
  void complain(std::string_view key, std::string_view expected) {
    if (!error_) error_ = fail(Errc::invalid, "{}: '{}': expected {}", where_, key, expected);
  }
  [[nodiscard]] Result<void> done() const {
    if (error_) return *error_;
    return {};
  }

 private:
  const Json& object_;
  std::string where_;
  std::optional<Error> error_;
};

constexpr std::int64_t kManyTrials = 1'000'000;

Result<StudyAxis> parse_axis(const Json& json, const std::string& file) {
  Reader reader(json, file + ": controls");
  StudyAxis axis;
  axis.control = reader.text("name");
  axis.unit = reader.text("unit");
  for (const Json& value : reader.items("values")) {
    if (!value.is_number()) reader.complain("values", "numbers");
    axis.values.push_back(value.as_number());
  }
  METE_TRY_VOID(reader.done());
  return axis;
}

Result<StudyPlan> parse_plan(const Json& root, const std::string& file) {
  Reader reader(root, file);
  StudyPlan plan;
  plan.node = reader.text("node");
  plan.target = reader.text("target");
  plan.target_options = reader.text("target_options");
  plan.app = reader.text("app");
  plan.app_config = reader.text("app_config");
  plan.command = reader.texts("command");
  plan.agent = reader.text("agent");
  plan.policy = reader.text("policy");
  plan.model = reader.text("model");
  plan.signals = reader.texts("signals");
  plan.energy_signals = reader.texts("energy_signals");
  plan.period = reader.number("period");
  plan.trials = reader.integer("trials", 1, kManyTrials);
  plan.reference_every = static_cast<std::size_t>(
      reader.integer("reference_every", 0, std::numeric_limits<std::int64_t>::max()));
  // A seed may use all 64 bits; JSON integers are signed, so it wraps on the way out and back.
  plan.seed = static_cast<std::uint64_t>(reader.integer(
      "seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()));
  for (const Json& json : reader.items("controls")) {
    METE_TRY(StudyAxis axis, parse_axis(json, file));
    plan.axes.push_back(std::move(axis));
  }
  METE_TRY_VOID(reader.done());
  return plan;
}

/// A path that stays within the folder.
bool is_inside(const std::string& path) {
  return !path.empty() && path.front() != '/' && path != ".." && !path.starts_with("../") &&
         path.find("/../") == std::string::npos && !path.ends_with("/..");
}

Result<StudyPoint> parse_point(const Json& json, const PlannedPoint& planned,
                               const std::string& where) {
  Reader reader(json, where);
  StudyPoint point;
  point.plan = planned;
  if (reader.text("id") != planned.id) {
    reader.complain("id", fmt::format("'{}', as the plan lays it out", planned.id));
  }
  if (reader.flag("reference") != planned.reference) reader.complain("reference", "the plan's");
  point.report = reader.text("report");
  point.trace = reader.text("trace");
  if (!is_inside(point.report)) reader.complain("report", "a path within the folder");
  if (!is_inside(point.trace)) reader.complain("trace", "a path within the folder");
  point.runtime = reader.number("runtime");
  point.energy = reader.number("energy");
  point.sequence = reader.integer("sequence", 0, std::numeric_limits<std::int64_t>::max());
  point.started = reader.text("started");
  point.error = reader.text("error");
  const std::string status = reader.text("status");
  const auto* found = std::find_if(kStatuses.begin(), kStatuses.end(),
                                   [&](PointStatus s) { return point_status_name(s) == status; });
  if (found == kStatuses.end()) {
    reader.complain("status", "pending, done or failed");
  } else {
    point.status = *found;
  }
  METE_TRY_VOID(reader.done());
  return point;
}

Result<Source> parse_source(const std::string& name, const std::string& file) {
  for (const Source s : {Source::counter, Source::sampled, Source::integrated, Source::estimated,
                         Source::replayed}) {
    if (source_name(s) == name) return s;
  }
  return fail(Errc::invalid, "{}: 'source': '{}' is none of mete's sources", file, name);
}

}  // namespace

std::string_view point_status_name(PointStatus status) {
  switch (status) {
    case PointStatus::pending:
      return "pending";
    case PointStatus::done:
      return "done";
    case PointStatus::failed:
      return "failed";
  }
  return "pending";
}

std::size_t Manifest::count(PointStatus status) const {
  return static_cast<std::size_t>(std::count_if(
      points.begin(), points.end(), [&](const StudyPoint& p) { return p.status == status; }));
}

Result<Manifest> make_manifest(StudyPlan plan, std::string created) {
  METE_TRY(const auto layout, lay_out(plan));
  Manifest out;
  out.created = std::move(created);
  for (const PlannedPoint& planned : layout) {
    StudyPoint point;
    point.plan = planned;
    point.report = planned.id + ".report";
    point.trace = planned.id + ".trace-" + plan.node;
    out.points.push_back(std::move(point));
  }
  out.plan = std::move(plan);
  return out;
}

Json manifest_to_json(const Manifest& manifest) {
  const StudyPlan& plan = manifest.plan;
  Json points = Json::array();
  for (const StudyPoint& point : manifest.points) points.push(point_to_json(point, plan));
  return Json::object({{"format", kManifestFormat},
                       {"node", plan.node},
                       {"target", plan.target},
                       {"target_options", plan.target_options},
                       {"created", manifest.created},
                       {"seed", static_cast<std::int64_t>(plan.seed)},
                       {"app", plan.app},
                       {"app_config", plan.app_config},
                       {"command", Json::array_of(plan.command)},
                       {"agent", plan.agent},
                       {"policy", plan.policy},
                       {"model", plan.model},
                       {"signals", Json::array_of(plan.signals)},
                       {"period", plan.period},
                       {"controls", axes_to_json(plan.axes)},
                       {"trials", plan.trials},
                       {"reference_every", plan.reference_every},
                       {"energy_signals", Json::array_of(plan.energy_signals)},
                       {"source", source_name(manifest.source)},
                       {"points", points}});
}

Result<Manifest> parse_manifest(std::string_view text, const std::string& file) {
  auto root = parse_json(text);
  if (!root) return Error{Errc::invalid, root.error().within(file).what};
  const std::string format = (*root)["format"].as_string();
  if (format != kManifestFormat) {
    return fail(Errc::invalid, "{}: expected format '{}', found '{}'", file, kManifestFormat,
                format);
  }
  METE_TRY(auto plan, parse_plan(*root, file));
  METE_TRY(Manifest out, make_manifest(std::move(plan), (*root)["created"].as_string()));
  METE_TRY(out.source, parse_source((*root)["source"].as_string("counter"), file));
  const auto& points = (*root)["points"].items();
  if (points.size() != out.points.size()) {
    return fail(Errc::invalid, "{}: 'points': the plan has {}, the file {}", file,
                out.points.size(), points.size());
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    METE_TRY(out.points[i],
             parse_point(points[i], out.points[i].plan, fmt::format("{}: point {}", file, i + 1)));
  }
  return out;
}

Result<Manifest> load_manifest(const std::string& directory, std::vector<std::string>& notices) {
  const std::string path = path_join(directory, kManifestName);
  const auto load = [](const std::string& from) -> Result<Manifest> {
    METE_TRY(const auto text, read_file(from));
    return parse_manifest(text, from);
  };
  auto manifest = load(path);
  if (manifest) return manifest;
  auto backup = load(path_join(directory, kManifestBackupName));
  if (!backup) {
    return Error{manifest.error().code,
                 manifest.error().what +
                     "; its runs are still there, but which are finished is not known: move the "
                     "folder away, or start over in it with --fresh --force"};
  }
  notices.push_back(fmt::format("{}; going on from {} (the last finished point is run again)",
                                manifest.error().what, kManifestBackupName));
  return backup;
}

Result<void> save_manifest(const std::string& directory, const Manifest& manifest) {
  const std::string path = path_join(directory, kManifestName);
  const std::string backup = path_join(directory, kManifestBackupName);
  // A second name for the old file: the atomic write below gives the first name to a new one. Where
  // the file system has no hard links there is no backup, and nothing else is lost.
  if (path_exists(path)) {
    ::unlink(backup.c_str());
    if (::link(path.c_str(), backup.c_str()) != 0) errno = 0;
  }
  return write_file_atomically(path, manifest_to_json(manifest).dump(1) + "\n");
}

}  // namespace mete
