// The few Python pickles (protocol 0, plain text) that pandas' "table" layout keeps in attributes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mete::pickle {

/// ["a", "b"]
std::string list(std::span<const std::string> names);
/// [(0, "index")]
std::string index_columns();
/// [(1, ["a", "b"])]
std::string other_axes(std::span<const std::string> names);
/// {1: {"names": [None], "type": "Index"}, "index": {}}
std::string axis_info();
/// None
std::string none();
/// The texts of a pickled list of texts, protocol 0 or 2 to 5 as Python writes it; empty if it is
/// anything else.
std::vector<std::string> read_list(std::string_view pickle);

}  // namespace mete::pickle
