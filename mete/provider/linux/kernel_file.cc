// Reading kernel files without memory.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/kernel_file.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {

KernelFile::KernelFile(KernelFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

KernelFile& KernelFile::operator=(KernelFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

KernelFile::~KernelFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<KernelFile> KernelFile::open(const SysRoot& root, const std::string& path) {
  const std::string where = root.path(path);
  const int fd = ::open(where.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) return KernelFile(fd);
  const int error = errno;
  return fail(errc_of_errno(error), "{}: cannot open: {}{}", where, errno_text(error),
              error == EMFILE ? "; raise the limit with `ulimit -n 4096`" : "");
}

bool KernelFile::reopen(const char* full_path) noexcept {
  const int fd = ::open(full_path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  return true;
}

KernelFile::Text KernelFile::read(std::span<char> buffer) const noexcept {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const ssize_t n =
        ::pread(fd_, buffer.data() + have, buffer.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const bool removed = errno == ENODEV || errno == ENXIO || errno == ENOENT;
      return {{}, removed ? Errc::gone : errc_of_errno(errno)};
    }
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  if (have == 0) return {{}, Errc::gone};
  return {std::string_view(buffer.data(), have), std::nullopt};
}

Reading KernelFile::read_number(double scale) const noexcept {
  std::array<char, 64> buffer;
  const ssize_t n = ::pread(fd_, buffer.data(), buffer.size(), 0);
  if (n <= 0) {
    // Rare: read() knows what each cause means. A file that came back in between is read next time.
    return Reading::missing(read(buffer).fault.value_or(Errc::retry));
  }
  const char* first = buffer.data();
  const char* const last = first + n;
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc{} || (end != last && *end != '\n') || !std::isfinite(value)) {
    return Reading::missing(Errc::failed);
  }
  return {value * scale, std::nullopt};
}

bool take_number(std::string_view& text, double& value) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  // from_chars alone would take "-1", "inf" and "nan".
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_line(std::string_view& text, std::string_view& line) noexcept {
  if (text.empty()) return false;
  const auto end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return true;
}

}  // namespace mete
