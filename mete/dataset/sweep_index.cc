// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/sweep_index.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/dataset/run_name.h"
#include "mete/signal/info.h"

namespace mete {
namespace {

constexpr std::string_view kManifestFormat = "mete.sweep/1";

/// The files of one run of one folder, before its name or manifest is understood.
struct Files {
  std::string report;
  std::map<std::string, std::string> traces;  ///< by host
};

class Indexer {
 public:
  explicit Indexer(const ProcessOptions& options) : options_(options) {}

  Result<SweepIndex> run() {
    for (std::size_t d = 0; d < options_.directories.size(); ++d) METE_TRY_VOID(add_folder(d));
    METE_TRY_VOID(choose_node());
    collect_runs();
    if (index_.runs.empty()) return nothing_found();
    if (!options_.compat) tell_folders_apart();
    for (const auto& run : index_.runs) {
      auto& names = index_.app_configs;
      if (std::find(names.begin(), names.end(), run.app_config) == names.end()) {
        names.push_back(run.app_config);
      }
    }
    return std::move(index_);
  }

 private:
  /// A run whose setting is known; which trace is used depends on the node chosen later.
  struct Candidate {
    SweepRun run;
    Files files;
    bool named = false;  ///< its app-config comes from file names, not from a manifest
  };

  Result<void> add_folder(std::size_t d) {
    const auto& folder = options_.directories[d];
    if (!is_directory(folder)) {
      return fail(
          Errc::invalid, "{}: {}", folder,
          path_exists(folder) ? "is no folder; give the folder of a sweep" : "no such folder");
    }
    METE_TRY(const auto names, list_directory(folder));
    const bool has_manifest = std::find(names.begin(), names.end(), "sweep.json") != names.end();
    if (has_manifest) {
      auto read = add_manifest(d, path_join(folder, "sweep.json"));
      if (read && !options_.compat) return {};
      if (!read) {
        index_.problems.push_back(read.error().what + "; going by the names of the files");
      }
    }
    add_by_names(d, names);
    return {};
  }

  void add_by_names(std::size_t d, const std::vector<std::string>& names) {
    std::map<std::string, Files> found;
    for (const auto& name : names) {
      const auto file = parse_run_file(name);
      if (!file || excluded_.contains(path_join(options_.directories[d], name))) continue;
      const auto path = path_join(options_.directories[d], name);
      if (file->kind == RunFile::Kind::trace) {
        found[file->stem].traces[file->host] = path;
        hosts_.insert(file->host);
      } else if (file->host.empty() || options_.node.empty() || file->host == options_.node) {
        found[file->stem].report = path;
      }
    }
    for (auto& [stem, files] : found) {
      auto name = options_.compat ? parse_run_name_as_tutorial(stem) : parse_run_name(stem);
      const std::string any = files.report.empty() ? files.traces.begin()->second : files.report;
      if (!name) {
        index_.problems.push_back(any + ": " + name.error().what);
        continue;
      }
      Candidate c;
      c.run.directory = d;
      c.run.frequency = name->frequency;
      c.run.trial = name->trial;
      c.run.app_config = options_.compat ? tutorial_config(d, *name) : name->app + name->options;
      c.named = true;
      c.files = std::move(files);
      candidates_.push_back(std::move(c));
    }
  }

  static std::string tutorial_config(std::size_t directory, const RunName& name) {
    if (name.app.empty()) return std::to_string(directory) + name.options;
    return name.app + "-" + std::to_string(directory);
  }

  /// Adds the manifest's points; with compat only notes which files to leave out, since the
  /// tutorial goes by names.
  Result<void> add_manifest(std::size_t d, const std::string& path) {
    METE_TRY(const std::string text, read_file(path));
    auto json = parse_json(text);
    if (!json) return json.error().within(path);
    if ((*json)["format"].as_string() != kManifestFormat) {
      return fail(Errc::invalid, "{}: its format is '{}', expected '{}'", path,
                  (*json)["format"].as_string(), kManifestFormat);
    }
    choose_kind(*json);
    const std::string node = (*json)["node"].as_string();
    std::size_t unfinished = 0;
    std::size_t number = 0;
    for (const auto& point : (*json)["points"].items()) {
      ++number;
      const bool done = point["status"].as_string() == "done";
      if (!done) ++unfinished;
      const bool leave_out = !done || (point["reference"].as_bool() && !options_.with_reference);
      const auto file = [&](std::string_view key) {
        const auto name = point[key].as_string();
        return name.empty() ? name : path_join(options_.directories[d], name);
      };
      if (leave_out) {
        excluded_.insert(file("report"));
        excluded_.insert(file("trace"));
      } else if (!options_.compat) {
        add_point(d, node, point, file("report"), file("trace"),
                  fmt::format("{}: point {}", path, number));
      }
    }
    if (unfinished > 0) {
      index_.notes.push_back(fmt::format(
          "{}: {} of {} points are not done; mete sweep resumes them", path, unfinished, number));
    }
    return {};
  }

  /// GPU clocks, unless the first manifest sweeps those of packages alone: a table has one kind of
  /// rows, so that points of another kind are told and left out.
  void choose_kind(const Json& manifest) {
    if (kind_chosen_) return;
    for (const auto& point : manifest["points"].items()) {
      for (const TrainingKind* kind : kTrainingKinds) {
        for (const auto& [control, value] : point["controls"].members()) {
          if (canonical_name(control) != kind->control) continue;
          index_.kind = kind;
          kind_chosen_ = true;
          return;
        }
      }
    }
  }

  void add_point(std::size_t d, const std::string& node, const Json& point,
                 const std::string& report, const std::string& trace, const std::string& where) {
    Candidate c;
    c.run.directory = d;
    for (const auto& [control, value] : point["controls"].members()) {
      if (canonical_name(control) == index_.kind->control) c.run.frequency = value.as_number();
    }
    if (!(c.run.frequency > 0) || !std::isfinite(c.run.frequency)) {
      index_.problems.push_back(where +
                                fmt::format(": sets no {} clock, expected {} among its controls",
                                            index_.kind->noun, index_.kind->control));
      return;
    }
    c.run.trial = point["trial"].as_integer();
    c.run.app_config = point["app_config"].as_string(point["app"].as_string("app"));
    c.files.report = report;
    const auto named = parse_run_file(base_name(trace));
    const std::string host = !node.empty() ? node : (named ? named->host : std::string());
    if (!trace.empty()) {
      c.files.traces[host] = trace;
      hosts_.insert(host);
    }
    candidates_.push_back(std::move(c));
  }

  Result<void> choose_node() {
    index_.node = options_.node;
    if (index_.node.empty() && hosts_.size() == 1) index_.node = *hosts_.begin();
    const std::vector<std::string> hosts(hosts_.begin(), hosts_.end());
    if (index_.node.empty() && hosts.size() > 1) {
      return fail(Errc::invalid, "the traces are of {} nodes ({}); choose one with --node",
                  hosts.size(), join(hosts, ", "));
    }
    if (!index_.node.empty() && !hosts.empty() && !hosts_.contains(index_.node)) {
      return fail(Errc::invalid, "no trace is of node {}; there are {}{}", index_.node,
                  join(hosts, ", "), did_you_mean(index_.node, hosts));
    }
    if (index_.node.find('/') != std::string::npos) {
      return fail(Errc::invalid, "node '{}': a node's name has no '/'", index_.node);
    }
    return {};
  }

  void collect_runs() {
    for (auto& c : candidates_) {
      const auto trace = c.files.traces.find(index_.node);
      if (trace == c.files.traces.end() && !c.files.traces.empty()) continue;  // another node's run
      c.run.report = c.files.report;
      if (trace != c.files.traces.end()) c.run.trace = trace->second;
      if (c.run.trace.empty()) {
        index_.problems.push_back(fmt::format("{}: there is no trace of node {} beside it",
                                              c.run.report,
                                              index_.node.empty() ? "?" : index_.node));
      }
      if (c.run.report.empty()) {
        index_.problems.push_back(c.run.trace +
                                  ": there is no report beside it; its run tells no energy");
      }
      named_.push_back(c.named);
      index_.runs.push_back(c.run);
    }
  }

  /// The same application in two folders was run with other inputs or on another day: two
  /// app-configs.
  void tell_folders_apart() {
    std::map<std::string, std::set<std::size_t>> folders;
    for (std::size_t i = 0; i < index_.runs.size(); ++i) {
      if (named_[i]) folders[index_.runs[i].app_config].insert(index_.runs[i].directory);
    }
    for (std::size_t i = 0; i < index_.runs.size(); ++i) {
      auto& run = index_.runs[i];
      if (named_[i] && folders[run.app_config].size() > 1) {
        run.app_config += "-" + std::to_string(run.directory);
      }
    }
  }

  [[nodiscard]] Error nothing_found() const {
    if (!index_.problems.empty()) {
      return fail(Errc::invalid, "no run can be used: {}{}", index_.problems.front(),
                  index_.problems.size() > 1
                      ? fmt::format(" (and {} more)", index_.problems.size() - 1)
                      : std::string());
    }
    return fail(Errc::invalid,
                "{}: no finished run in there; expected files *.report and *.trace-<node>, as mete "
                "sweep writes them",
                join(options_.directories, ", "));
  }

  const ProcessOptions& options_;
  SweepIndex index_;
  std::vector<Candidate> candidates_;
  std::vector<bool> named_;
  std::set<std::string> hosts_;
  std::set<std::string> excluded_;
  bool kind_chosen_ = false;
};

}  // namespace

Result<SweepIndex> index_sweeps(const ProcessOptions& options) {
  if (options.directories.empty()) return fail(Errc::invalid, "no folder given");
  return Indexer(options).run();
}

}  // namespace mete
