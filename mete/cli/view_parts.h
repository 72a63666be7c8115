// The kinds of results that a page can show, one function each; view_data.cc knows which is which.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/plot/explorer.h"

namespace mete {

// A browser holds a million rows of a few columns; more than that nobody can see.
inline constexpr std::size_t kMostViewRows = 1'000'000;

/// An efficiency study: configurations, and the meter's samples.
Result<void> view_study_file(const std::string& path, const std::string& name,
                             ExplorerDocument& document);
/// The same from a folder of the notebook's logs. `unavailable` if it has none.
Result<void> view_study_folder(const std::string& path, const std::string& name,
                               ExplorerDocument& document);
/// A sweep's folder: one row per run.
Result<void> view_sweep(const std::string& path, const std::string& name,
                        ExplorerDocument& document);
Result<void> view_trace(const std::string& path, const std::string& name,
                        ExplorerDocument& document);
/// A report: one row per host and section.
Result<void> view_report(const std::string& path, const std::string& name,
                         ExplorerDocument& document);
/// A recording (file or folder): power over time, processes, regions.
Result<void> view_recording(const std::string& path, const std::string& name,
                            ExplorerDocument& document);
/// The tables of an HDF5 file.
Result<void> view_stored_tables(const std::string& path, const std::string& name,
                                ExplorerDocument& document);
Result<void> view_csv(const std::string& path, const std::string& name, ExplorerDocument& document);
/// A placement problem: its kernels and its tensors.
Result<void> view_problem(const std::string& path, const std::string& name,
                          ExplorerDocument& document);
/// A plan. With its problem's file, also where fast memory goes, kernel by kernel; "" without.
Result<void> view_plan(const std::string& path, const std::string& name,
                       const std::string& problem_path, ExplorerDocument& document);

/// Numbers of few values that come again and again are rather settings than measurements.
std::vector<std::string> likely_dimensions(const Table& table);
/// The first measure whose name holds `part`; "" if there is none.
std::string measure_with(const ExplorerTable& table, std::string_view part);
/// "runtime (s)" or "clock [Hz]" → name and unit.
std::pair<std::string, std::string> split_unit(const std::string& text, char open, char close);
/// Two columns of one name could not be told apart on the page: " (2)" is added to the second.
void make_names_unique(Table& table);

}  // namespace mete
