// /proc and /sys under a root that tests replace by a folder.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

class SysRoot {
 public:
  /// "/" for the machine itself.
  explicit SysRoot(std::string root = "/") : root_(std::move(root)) {}
  [[nodiscard]] const std::string& root() const { return root_; }
  /// The real path of "/sys/..".
  [[nodiscard]] std::string path(std::string_view absolute) const;
  [[nodiscard]] bool exists(std::string_view absolute) const;
  [[nodiscard]] bool writable(std::string_view absolute) const;
  /// The file's text without the final newline; at most 1 MiB.
  [[nodiscard]] Result<std::string> read_text(std::string_view absolute) const;
  [[nodiscard]] Result<std::int64_t> read_int(std::string_view absolute) const;
  Result<void> write_text(std::string_view absolute, std::string_view text) const;
  /// Names in the folder, sorted; empty if there is none.
  [[nodiscard]] std::vector<std::string> list(std::string_view absolute) const;

 private:
  std::string root_;
};

/// "0-3,8,10-11" → 0 1 2 3 8 10 11, the kernel's list format; refuses ids above 65,535.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

}  // namespace mete
