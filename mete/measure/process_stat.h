// What /proc tells of a process, as text (proc(5)). SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string_view>

#include <sys/types.h>

namespace mete {

/// One line of /proc/PID/stat.
struct ProcessStat {
  std::string_view name;
  char state = '?';
  pid_t parent = 0;
  double own_ticks = 0;       ///< utime + stime
  double children_ticks = 0;  ///< cutime + cstime: of children that ended and were waited for
  std::uint64_t start_ticks = 0;
  std::int64_t rss_pages = 0;
};
/// False if it is no such line. The name may hold blanks and brackets.
bool parse_process_stat(std::string_view text, ProcessStat& out);

/// "Key: 123 kB" in a table of /proc: the number, or NaN.
double proc_table_value(std::string_view text, std::string_view key);

}  // namespace mete
