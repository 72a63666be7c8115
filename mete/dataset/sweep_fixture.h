// For tests of this room: a folder that goes away, and runs of a sweep written into it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace mete::testing {

class TempFolder {
 public:
  TempFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "mete-dataset-XXXXXX").string();
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path(const std::string& name = "") const {
    return name.empty() ? path_ : path_ + "/" + name;
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline std::string shared_data(const std::string& name) {
  return std::string(METE_SOURCE_DIR "/../shared/data/") + name;
}

/// Whether Debian's Python with pandas and PyTables is here: the independent reader.
inline bool have_pandas() {
  return std::system("/usr/bin/python3 -c 'import pandas, tables, yaml' >/dev/null 2>&1") == 0;
}

inline std::string report_text(const std::string& host, double runtime, double energy,
                               const std::string& more = "") {
  return fmt::format(
      "GEOPM Version: 3.1.0\nStart Time: Thu Mar 10 08:19:34 2022\nProfile: \"p\"\nAgent: monitor\n"
      "Policy: {{}}\n\nHosts:\n  {}:\n    Application Totals:\n      runtime (s): {}\n      count: "
      "0\n"
      "      GPU_ENERGY@gpu-0: {}\n{}",
      host, runtime, energy, more);
}

/// Ten rows, active from the third to the eighth, at `clock` while active.
inline std::string trace_text(double clock, double power = 150) {
  std::string text =
      "# geopm_version: 3.1.0\n# node_name: h\n"
      "TIME|REGION_HASH|GPU_CORE_FREQUENCY_STATUS-gpu-0|GPU_POWER-gpu-0|GPU_UTILIZATION-gpu-0|"
      "GPU_CORE_ACTIVITY-gpu-0|GPU_UNCORE_ACTIVITY-gpu-0\n";
  for (int row = 0; row < 10; ++row) {
    const bool active = row >= 2 && row < 8;
    text += fmt::format("{}|0x725e8066|{}|{}|{}|{}|{}\n", 0.1 * row, active ? clock : 135e6,
                        active ? power + row : 40.0, active ? 1.0 : 0.0, active ? 0.5 : 0.01,
                        active ? 0.25 : 0.0);
  }
  return text;
}

inline void write_run(const TempFolder& folder, const std::string& where, const std::string& app,
                      int megahertz, int trial, double runtime, double energy) {
  const auto stem =
      fmt::format("{}/agent_monitor.{}.gpufreq_{}.trial_{}", where, app, megahertz, trial);
  folder.write(stem + ".report", report_text("h", runtime, energy));
  folder.write(stem + ".trace-h", trace_text(megahertz * 1e6));
}

}  // namespace mete::testing
