// Results on disk, read and made: traces, reports, sweeps and training tables.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <string>
#include <vector>

#include "python/core/convert.h"
#include "python/core/node.h"
#include <pybind11/stl.h>

#include "mete/dataset/report_file.h"
#include "mete/dataset/trace_file.h"
#include "mete/dataset/training_table.h"
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

}  // namespace

void add_file_functions(py::module_& module) {
  module.def("read_trace", read_trace);
  module.def("read_report", [](const std::string& path) {
    return to_python(value_or_raise(ReportFile::read(path)));
  });
  module.def("read_sweep", read_sweep);
  module.def("process", process);
}

}  // namespace mete
