// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/view_data.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/cli/view_parts.h"
#include "mete/placement/problem.h"
#include "mete/study/manifest.h"

namespace mete {
namespace {

enum class Kind { study, stored_tables, problem, plan, recording, report, csv, trace };

// Enough for the first line of any format, and for the key "format" of a JSON file.
constexpr std::size_t kHeadBytes = 64U << 10U;
constexpr std::size_t kMostFilesOfFolder = 64;
constexpr const char* kWhatThereIs =
    "there are studies (.study.db, folders of .data logs), folders of sweeps and recordings, "
    "traces, "
    "reports, recordings, plans, placement problems, training tables (.h5) and CSV files";

Result<std::string> head_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::denied, "{}: cannot open: {}", path, errno_text(errno));
  std::string head(kHeadBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return head;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// What a file is, by its content; its name only where the content does not say.
Result<Kind> kind_of(const std::string& path) {
  METE_TRY(const auto text, head_of(path));
  const std::string_view head = text;
  if (head.empty()) return fail(Errc::invalid, "{}: an empty file: nothing to view", path);
  if (head.starts_with("SQLite format 3")) return Kind::study;
  if (head.starts_with("\x89HDF\r\n")) return Kind::stored_tables;
  if (head.starts_with("\x1f\x8b")) return Kind::problem;  // the one format that may be gzipped
  const auto start = head.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && (head[start] == '{' || head[start] == '"')) {
    if (has(head, "mete.placement-problem/1")) return Kind::problem;
    if (has(head, "mete.placement/1")) return Kind::plan;
    if (has(head, "\"record\"") || has(head, "\"metrics\"") || has(head, "END OF REC"))
      return Kind::recording;
    return fail(Errc::invalid, "{}: JSON, but none that a page shows; {}", path, kWhatThereIs);
  }
  if (has(head, std::string_view("\0", 1)))
    return fail(Errc::invalid, "{}: not something to view; {}", path, kWhatThereIs);
  if (path.ends_with(".csv")) return Kind::csv;
  if (has(head, "\nHosts:") || has(head, "\nHost:") || has(head, "GEOPM Version") ||
      has(head, "##### geopm"))
    return Kind::report;
  const auto line = head.substr(0, head.find('\n'));
  if (head.front() == '#' || has(line, "|")) return Kind::trace;
  return fail(Errc::invalid, "{}: not something to view; {}", path, kWhatThereIs);
}

class Views {
 public:
  Views(const std::vector<std::string>& paths, ExplorerDocument& document)
      : paths_(paths), document_(document) {}

  Result<void> add_all() {
    std::set<std::string> seen;
    for (const auto& path : paths_) {
      if (!path_exists(path)) return fail(Errc::invalid, "{}: no such file or folder", path);
      if (!seen.insert(path).second) return fail(Errc::invalid, "{}: named twice", path);
      if (is_directory(path)) continue;
      METE_TRY(const auto kind, kind_of(path));
      if (kind == Kind::problem) problems_.push_back(path);
    }
    for (const auto& path : paths_) METE_TRY_VOID(add(path, name_for(path)));
    give_own_names();
    return {};
  }

 private:
  /// The file's name, or its path where another input has the same name.
  [[nodiscard]] std::string name_for(const std::string& path) const {
    const auto name = base_name(path);
    const auto same = std::count_if(paths_.begin(), paths_.end(),
                                    [&](const auto& other) { return base_name(other) == name; });
    return same > 1 ? path : name;
  }

  Result<void> add(const std::string& path, const std::string& name) {
    if (is_directory(path)) return add_folder(path, name);
    METE_TRY(const auto kind, kind_of(path));
    switch (kind) {
      case Kind::study:
        return view_study_file(path, name, document_);
      case Kind::stored_tables:
        return view_stored_tables(path, name, document_);
      case Kind::problem:
        return view_problem(path, name, document_);
      case Kind::plan: {
        METE_TRY(const auto problem, problem_of(path));
        return view_plan(path, name, problem, document_);
      }
      case Kind::recording:
        return view_recording(path, name, document_);
      case Kind::report:
        return view_report(path, name, document_);
      case Kind::csv:
        return view_csv(path, name, document_);
      case Kind::trace:
        return view_trace(path, name, document_);
    }
    return fail(Errc::internal, "{}: of no kind", path);
  }

  /// A folder that mete or the notebook wrote, or else whatever files in it can be shown.
  Result<void> add_folder(const std::string& path, const std::string& name) {
    METE_TRY(const auto entries, list_directory(path));
    const auto holds = [&](std::string_view entry) {
      return std::find(entries.begin(), entries.end(), entry) != entries.end();
    };
    if (holds(kManifestName) || holds(kManifestBackupName))
      return view_sweep(path, name, document_);
    if (holds("recording.ndjson") || holds("power_metrics.json"))
      return view_recording(path, name, document_);
    const bool logs = std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
      return std::string_view(entry).ends_with(".data");
    });
    if (logs) return view_study_folder(path, name, document_);
    return add_files(path, name, entries);
  }

  Result<void> add_files(const std::string& path, const std::string& name,
                         const std::vector<std::string>& entries) {
    std::size_t shown = 0;
    std::vector<std::string> left;
    for (const auto& entry : entries) {
      const auto file = path_join(path, entry);
      if (is_directory(file) || shown == kMostFilesOfFolder) {
        left.push_back(entry);
        continue;
      }
      const auto tables = document_.tables.size();
      const auto notes = document_.notes.size();
      if (add(file, path_join(name, entry))) {
        ++shown;
        continue;
      }
      document_.tables.resize(tables);
      document_.notes.resize(notes);
      left.push_back(entry);
    }
    if (shown == 0) {
      return fail(Errc::invalid, "{}: {}; {}", path,
                  entries.empty()
                      ? std::string("an empty folder")
                      : fmt::format("none of its {} entries is something to view", entries.size()),
                  kWhatThereIs);
    }
    if (!left.empty()) {
      document_.notes.push_back(fmt::format("{}: {} other entries left alone, such as {}", name,
                                            left.size(), left.front()));
    }
    return {};
  }

  /// Among the problems that were named too: the plan's own; "" if there is none.
  Result<std::string> problem_of(const std::string& plan_path) {
    if (problems_.empty()) return std::string();
    METE_TRY(const auto text, read_file(plan_path));
    auto plan = parse_json(text);
    if (!plan) return fail(plan.error().code, "{}: {}", plan_path, plan.error().what);
    const auto wanted = (*plan)["problem"].as_string();
    for (const auto& path : problems_) {
      METE_TRY(const auto problem, read_problem(path));
      if (problem.name == wanted) return path;
    }
    return std::string();
  }

  /// The page finds a table by its name.
  void give_own_names() {
    std::set<std::string> seen;
    for (auto& table : document_.tables) {
      const auto name = table.name;
      for (int i = 2; !seen.insert(table.name).second; ++i)
        table.name = fmt::format("{} ({})", name, i);
    }
  }

  const std::vector<std::string>& paths_;
  ExplorerDocument& document_;
  std::vector<std::string> problems_;
};

}  // namespace

Result<void> add_views(const std::vector<std::string>& paths, ExplorerDocument& document) {
  return Views(paths, document).add_all();
}

}  // namespace mete
