// Protocol 0 is a stack machine in text: "(" marks, "l" makes a list of what is above the mark, "t"
// a tuple, "d" a dict, "V..\n" pushes text, "I..\n" an integer, "N" None, "a" appends, "s" sets an
// item, "." ends (Python's pickletools.py documents each). SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/pandas_pickle.h"

namespace mete::pickle {
namespace {

std::string text(std::string_view value) {
  std::string out = "V";
  for (const char c : value) {
    // Backslash and line end would need escapes, and names beyond ASCII are not legal signals.
    const bool plain = c >= ' ' && c < 127 && c != '\\';
    out.push_back(plain ? c : '_');
  }
  return out + "\n";
}

std::string list_body(std::span<const std::string> names) {
  std::string out = "(l";
  for (const auto& name : names) out.append(text(name)).append("a");
  return out;
}

}  // namespace

std::string list(std::span<const std::string> names) { return list_body(names) + "."; }
std::string index_columns() { return "(l(I0\nVindex\nta."; }
std::string other_axes(std::span<const std::string> names) {
  return "(l(I1\n" + list_body(names) + "ta.";
}
std::string axis_info() { return "(dI1\n(dVnames\n(lNasVtype\nVIndex\nssVindex\n(ds."; }
std::string none() { return "N."; }

std::vector<std::string> read_list(std::string_view pickle) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < pickle.size(); ++at) {
    if (pickle[at] == '(' || pickle[at] == 'l' || pickle[at] == 'a') continue;
    if (pickle[at] == '.') return names;
    if (pickle[at] != 'V' && pickle[at] != 'p') return {};
    const auto end = pickle.find('\n', at);
    if (end == std::string_view::npos) return {};
    if (pickle[at] == 'V') names.emplace_back(pickle.substr(at + 1, end - at - 1));
    at = end;  // "p0\n" remembers the top of the stack: of no use here
  }
  return {};
}

}  // namespace mete::pickle
