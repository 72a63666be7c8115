// A file of /proc or /sys that is opened once and read again and again: one pread per reading, no
// memory taken. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "mete/base/result.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

class KernelFile {
 public:
  KernelFile() = default;
  KernelFile(KernelFile&& other) noexcept;
  KernelFile& operator=(KernelFile&& other) noexcept;
  KernelFile(const KernelFile&) = delete;
  KernelFile& operator=(const KernelFile&) = delete;
  ~KernelFile();

  static Result<KernelFile> open(const SysRoot& root, const std::string& path);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// Opens the file anew, for a device that may have come back; false, and as before, if it is not
  /// there. Takes no memory, so that the sampling path may call it. `full_path` is under the root.
  bool reopen(const char* full_path) noexcept;

  /// Text from the start of the file into `buffer`, as much as fits; /proc hands it over in pieces.
  /// A file that is gone (its device was removed) or empty is Errc::gone.
  struct Text {
    std::string_view text;
    std::optional<Errc> fault;
  };
  [[nodiscard]] Text read(std::span<char> buffer) const noexcept;
  /// The one number in the file, times `scale`. Anything else in it is Errc::failed.
  [[nodiscard]] Reading read_number(double scale) const noexcept;

 private:
  explicit KernelFile(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Skips blanks, takes a number without a sign off the front of `text`; false if there is none.
bool take_number(std::string_view& text, double& value) noexcept;
/// Takes a line, without its newline, off the front of `text`; false at the end.
bool take_line(std::string_view& text, std::string_view& line) noexcept;

}  // namespace mete
