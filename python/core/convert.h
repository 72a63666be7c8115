// Between mete's types and Python's, and errors as mete.Error. All of it needs Python's lock.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>

#include <pybind11/pybind11.h>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/base/table.h"
#include "mete/dataset/report_file.h"

namespace mete {

/// Throws mete.Error: its text is the error's line, its `code` the error's ("invalid", "denied",
/// ..).
[[noreturn]] void raise_error(const Error& error);

template <class T>
T value_or_raise(Result<T> result) {
  if (!result) raise_error(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Objects become dicts, arrays lists.
pybind11::object to_python(const Json& json);
/// [(name, unit, values)]: numpy arrays, or lists of text.
pybind11::list to_python(const Table& table);
/// Header and hosts as dicts in the report's order.
pybind11::dict to_python(const ReportFile& report);

}  // namespace mete
