// Files read whole with a limit, written atomically, and appended so that a cut file is still
// readable. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

inline constexpr std::size_t kDefaultReadLimit = std::size_t{256} << 20U;

/// The file's text. Refused above `limit` bytes, before memory is taken. Errors name the file.
Result<std::string> read_file(const std::string& path, std::size_t limit = kDefaultReadLimit);
/// Writes beside the target, flushes to disk, then renames: readers see the old file or the new
/// one, never a part. On a full disk the old file stays and the part is removed.
Result<void> write_file_atomically(const std::string& path, std::string_view text);
/// mkdir -p.
Result<void> make_directories(const std::string& path);
/// Names in the folder, sorted, without . and ..
Result<std::vector<std::string>> list_directory(const std::string& path);
bool path_exists(const std::string& path);
bool is_directory(const std::string& path);
std::string path_join(std::string_view folder, std::string_view name);
std::string base_name(std::string_view path);
std::string dir_name(std::string_view path);
/// The text of errno, as strerror gives it.
std::string errno_text(int error);
/// EACCES and EPERM → denied, ENOENT → unavailable, EINTR and EAGAIN → retry, others → failed.
Errc errc_of_errno(int error);

/// A file written piece by piece through a buffer of its own. Each flush() hands whole lines to the
/// kernel, so that after SIGKILL the file ends at the last flush. The first failure sticks and is
/// told by close().
class LineWriter {
 public:
  LineWriter() = default;
  LineWriter(LineWriter&& other) noexcept;
  LineWriter& operator=(LineWriter&& other) noexcept;
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter();

  static Result<LineWriter> open(const std::string& path, bool append = false,
                                 std::size_t buffer_bytes = 1U << 16U);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// Never allocates after open() unless a single piece is larger than the buffer.
  void write(std::string_view text) noexcept;
  void flush() noexcept;
  /// The first error of any write, if there was one.
  Result<void> close();
  /// True once a write has failed.
  [[nodiscard]] bool failed() const { return error_ != 0; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string buffer_;
  std::size_t capacity_ = 0;
  int fd_ = -1;
  int error_ = 0;
};

}  // namespace mete
