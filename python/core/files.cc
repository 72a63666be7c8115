// Results on disk, read and made: traces, reports, sweeps and training tables.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/files.h"

#include <cmath>
#include <string>
#include <vector>

#include "python/core/convert.h"
#include "python/core/node.h"
#include <pybind11/stl.h>

#include "mete/dataset/report_file.h"
#include "mete/dataset/trace_file.h"
#include "mete/dataset/training_table.h"
#include "mete/study/efficiency/data_file.h"
#include "mete/study/efficiency/power_rule.h"
#include "mete/study/efficiency/study_store.h"
#include "mete/study/manifest.h"

namespace py = pybind11;

namespace mete {
namespace {

py::list read_trace(const std::string& path, const std::vector<std::string>& columns) {
  auto table = [&] {
    const py::gil_scoped_release unlocked;
    return read_trace_table(path, columns);
  }();
  return to_python(value_or_raise(std::move(table)));
}

/// {"app_config", "source", .., "points": [..]}: the manifest with its numbers.
py::dict read_sweep(const std::string& directory) {
  std::vector<std::string> notices;
  const Manifest manifest = value_or_raise(load_manifest(directory, notices));
  py::dict out = to_python(manifest_to_json(manifest)).cast<py::dict>();
  out["notices"] = notices;
  return out;
}

py::dict process(const std::vector<std::string>& directories, const std::string& output,
                 const std::string& node, bool compat) {
  ProcessOptions options;
  options.directories = directories;
  options.output = output;
  options.node = node;
  options.compat = compat;
  auto made = [&] {
    const py::gil_scoped_release unlocked;
    return process_sweeps(options);
  }();
  const ProcessSummary summary = value_or_raise(std::move(made));
  py::dict out;
  out["node"] = summary.node;
  out["runs"] = summary.runs;
  out["rows"] = summary.rows;
  out["replayed"] = summary.replayed;
  out["problems"] = summary.problems;
  out["notes"] = summary.notes;
  return out;
}

py::dict run_of(const GemmRun& run) {
  py::dict out;
  out["device"] = run.point.device;
  out["dtype"] = run.point.dtype;
  out["tensor"] = run.point.tensor;
  out["tensor_observed"] = run.tensor_observed;
  out["rows"] = run.point.rows;
  out["depth"] = run.point.depth;
  out["frequency"] = run.point.frequency;
  out["flops"] = run.flops;
  out["iterations"] = run.iterations;
  out["seconds"] = run.seconds;
  out["samples"] = run.power.size();
  out["avg_power"] = power_of(run.power, PowerRule::notebook).watts.estimate;
  out["settled_power"] = power_of(run.power, PowerRule::settled).watts.estimate;
  out["power_source"] = run.power_source;
  out["origin"] = run.origin;
  py::list oddities;
  for (const auto& oddity : run.oddities) {
    py::dict one;
    one["kind"] = oddity.kind;
    one["detail"] = oddity.detail;
    oddities.append(one);
  }
  out["oddities"] = oddities;
  py::list power;
  for (const auto& sample : run.power) power.append(py::make_tuple(sample.time, sample.watts));
  out["power"] = power;
  return out;
}

Result<DataFolder> load_study(const std::string& path) {
  if (!path_exists(path)) return fail(Errc::invalid, "{}: no such file or folder", path);
  if (is_directory(path)) return read_data_folder(path);
  METE_TRY(const auto store, StudyStore::open(path, StudyStore::Mode::read));
  METE_TRY(auto runs, store.runs());
  if (runs.empty()) return fail(Errc::invalid, "{}: a study without runs", path);
  return DataFolder{std::move(runs), {}, {}};
}

/// {"runs": [..], "broken": [..], "left_out": [..]} of a study's file or a folder of logs.
py::dict read_study(const std::string& path) {
  auto loaded = [&] {
    const py::gil_scoped_release unlocked;
    return load_study(path);
  }();
  const DataFolder study = value_or_raise(std::move(loaded));
  py::list runs;
  for (const auto& run : study.runs) runs.append(run_of(run));
  py::dict out;
  out["runs"] = runs;
  out["broken"] = study.broken;
  out["left_out"] = study.left_out;
  return out;
}

}  // namespace

void add_file_functions(py::module_& module) {
  module.def("read_trace", read_trace);
  module.def("read_report", [](const std::string& path) {
    return to_python(value_or_raise(ReportFile::read(path)));
  });
  module.def("read_sweep", read_sweep);
  module.def("process", process);
  module.def("read_study", read_study);
}

}  // namespace mete
