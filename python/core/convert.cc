// SPDX-License-Identifier: BSD-3-Clause
#include "python/core/convert.h"

#include <algorithm>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

namespace py = pybind11;

namespace mete {
namespace {

/// parse_json and our own writers bound the depth at 64.
constexpr int kDeepest = 100;

py::object convert(const Json& json, int depth) {
  if (depth > kDeepest) raise_error(fail(Errc::internal, "a result is nested too deeply"));
  if (json.is_bool()) return py::bool_(json.as_bool());
  if (json.is_integer()) return py::int_(json.as_integer());
  if (json.is_number()) return py::float_(json.as_number());
  if (json.is_string()) return py::str(json.as_string());
  if (json.is_array()) {
    py::list list;
    for (const auto& item : json.items()) list.append(convert(item, depth + 1));
    return list;
  }
  if (json.is_object()) {
    py::dict dict;
    for (const auto& [key, value] : json.members()) dict[py::str(key)] = convert(value, depth + 1);
    return dict;
  }
  return py::none();
}

py::dict totals_to_python(const ReportTotals& totals) {
  py::dict dict;
  for (const auto& [name, value] : totals.values()) dict[py::str(name)] = value;
  return dict;
}

py::dict pairs_to_python(const std::vector<std::pair<std::string, std::string>>& pairs) {
  py::dict dict;
  for (const auto& [key, value] : pairs) dict[py::str(key)] = value;
  return dict;
}

py::dict host_to_python(const ReportHost& host) {
  py::list sections;
  const auto add = [&](const std::string& name, const ReportTotals& totals) {
    if (!totals.empty()) sections.append(py::make_tuple(name, totals_to_python(totals)));
  };
  for (const auto& region : host.regions) add(region.name, region.totals);
  add("Unmarked Totals", host.unmarked);
  add("Epoch Totals", host.epoch);
  for (const auto& [name, totals] : host.others) add(name, totals);
  add("Application Totals", host.application);
  py::dict dict;
  dict["name"] = host.name;
  dict["agent"] = pairs_to_python(host.agent_values);
  dict["sections"] = sections;
  return dict;
}

}  // namespace

void raise_error(const Error& error) {
  const py::object type = py::module_::import("mete._core").attr("Error");
  const py::object value = type(error.what);
  value.attr("code") = std::string(errc_name(error.code));
  PyErr_SetObject(type.ptr(), value.ptr());
  throw py::error_already_set();
}

py::object to_python(const Json& json) { return convert(json, 0); }

py::list to_python(const Table& table) {
  py::list columns;
  for (const auto& column : table.columns()) {
    if (column.is_text()) {
      columns.append(py::make_tuple(column.name, column.unit, py::cast(column.texts())));
      continue;
    }
    py::array_t<double> values(static_cast<py::ssize_t>(column.size()));
    std::copy(column.numbers().begin(), column.numbers().end(), values.mutable_data());
    columns.append(py::make_tuple(column.name, column.unit, values));
  }
  return columns;
}

py::dict to_python(const ReportFile& report) {
  py::dict dict;
  dict["version"] = report.version;
  dict["start_time"] = report.start_time;
  dict["profile"] = report.profile;
  dict["agent"] = report.agent;
  dict["policy"] = report.policy;
  dict["header"] = pairs_to_python(report.header);
  dict["figure_of_merit"] = report.figure_of_merit;
  dict["total_runtime"] = report.total_runtime;
  py::list hosts;
  for (const auto& host : report.hosts) hosts.append(host_to_python(host));
  dict["hosts"] = hosts;
  return dict;
}

}  // namespace mete
