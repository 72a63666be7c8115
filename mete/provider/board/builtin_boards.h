// The boards that are part of the program: the text of every boards/*.csv, put in by
// cmake/MeteBoards.cmake. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string_view>

namespace mete {

struct BuiltinBoard {
  std::string_view name;
  std::string_view csv;
};

/// In the order of their names.
std::span<const BuiltinBoard> builtin_boards();

}  // namespace mete
