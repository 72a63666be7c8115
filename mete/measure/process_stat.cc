// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/process_stat.h"

#include <algorithm>
#include <array>
#include <limits>

#include "mete/base/text.h"

namespace mete {

double proc_table_value(std::string_view text, std::string_view key) {
  std::size_t at = text.find(key);
  while (at != std::string_view::npos && at != 0 && text[at - 1] != '\n') {
    at = text.find(key, at + 1);
  }
  if (at == std::string_view::npos) return std::numeric_limits<double>::quiet_NaN();
  const auto line = text.substr(at + key.size(), text.find('\n', at) - at - key.size());
  const auto first = trim(line);
  const auto value = parse_double(first.substr(0, first.find(' ')));
  return value ? *value : std::numeric_limits<double>::quiet_NaN();
}

bool parse_process_stat(std::string_view text, ProcessStat& out) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return false;
  }
  out.name = text.substr(open + 1, close - open - 1);
  // Fields from the third on (proc(5) counts from 1): 3 state, 4 ppid, 14 utime .. 17 cstime, 22
  // starttime, 24 rss.
  constexpr std::size_t kFields = 22;
  std::array<std::string_view, kFields> fields;
  std::string_view rest = trim(text.substr(close + 1));
  std::size_t n = 0;
  while (n < kFields && !rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    fields[n++] = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (n < kFields || fields[0].size() != 1) return false;
  const auto number = [&fields](std::size_t field) { return parse_int(fields[field - 3]); };
  const auto parent = number(4);
  const auto user = number(14);
  const auto system = number(15);
  const auto child_user = number(16);
  const auto child_system = number(17);
  const auto start = number(22);
  const auto rss = number(24);
  if (!parent || !user || !system || !child_user || !child_system || !start || !rss) return false;
  out.state = fields[0][0];
  out.parent = static_cast<pid_t>(*parent);
  out.own_ticks = static_cast<double>(*user + *system);
  out.children_ticks = static_cast<double>(*child_user + *child_system);
  out.start_ticks = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *start));
  out.rss_pages = *rss;
  return true;
}

}  // namespace mete
