// Files that may be gzipped (RFC 1952), read whole with a limit on what they expand to.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "mete/base/result.h"

namespace mete {

/// True if the bytes begin as a gzip file does.
bool is_gzip(std::string_view bytes);
/// What the gzip members hold, one after the other. `invalid` if they are damaged, cut short (says
/// how many bytes could be read) or expand beyond `limit`. Errors name `where`.
Result<std::string> gunzip(std::string_view bytes, std::size_t limit, const std::string& where);
/// The file's text, expanded if it is gzipped; `limit` holds for the file and for its text.
Result<std::string> read_file_or_gzip(const std::string& path, std::size_t limit);

}  // namespace mete
