// Weights in files of their own. A model from a stranger must not be able to read other files of
// ours: the path is relative, never climbs, and is no link out of the folder.
// SPDX-License-Identifier: BSD-3-Clause
#include <cerrno>
#include <climits>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/graph/onnx/importer.h"

namespace mete {
namespace {

std::string told(const OnnxTensor& tensor) {
  return fmt::format("tensor '{}': its data in '{}'", shown_name(tensor.name),
                     shown_name(tensor.location));
}

/// The path with all links followed; empty if there is no such file.
std::string real_path(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) return {};
  std::string real = found;
  std::free(found);  // NOLINT(cppcoreguidelines-no-malloc): realpath's own
  return real;
}

/// A file descriptor that closes itself.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

Result<std::string> read_part(const OnnxTensor& tensor, int fd, std::uint64_t expected) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(Errc::invalid, "{}: that is no file", told(tensor));
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const auto offset = static_cast<std::uint64_t>(tensor.offset);
  const std::uint64_t left = offset < size ? size - offset : 0;
  const std::uint64_t length = tensor.length < 0 ? left : static_cast<std::uint64_t>(tensor.length);
  if (length != expected || length > left) {
    return fail(Errc::invalid, "{}: {} bytes there, {} expected", told(tensor),
                length > left ? left : length, expected);
  }
  std::string bytes(expected, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      return fail(errc_of_errno(errno), "{}: {}", told(tensor),
                  n < 0 ? errno_text(errno) : "it ends early");
    }
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

}  // namespace

Result<void> check_external_path(const OnnxTensor& tensor) {
  const std::string& path = tensor.location;
  bool climbs = path.empty() || path.front() == '/' || path.find('\0') != std::string::npos ||
                path.size() >= PATH_MAX;
  for (const auto part : split(path, '/')) climbs = climbs || part == "..";
  if (climbs) {
    return fail(Errc::invalid,
                "{}: expected a path within the model's folder; mete does not read outside it",
                told(tensor));
  }
  return {};
}

Result<std::string> read_external_data(const OnnxTensor& tensor, const std::string& folder) {
  METE_TRY_VOID(check_external_path(tensor));
  const std::string home = real_path(folder.empty() ? "." : folder);
  const std::string path = real_path(path_join(home, tensor.location));
  if (home.empty() || path.empty()) {
    return fail(Errc::invalid, "{}: there is no such file beside the model", told(tensor));
  }
  if (path != home && !path.starts_with(home == "/" ? home : home + "/")) {
    return fail(Errc::invalid,
                "{}: it is a link out of the model's folder; mete does not follow it",
                told(tensor));
  }
  const OpenFile file(path);
  if (file.fd() < 0) {
    return fail(errc_of_errno(errno), "{}: {}", told(tensor), errno_text(errno));
  }
  const Shape shape{tensor.dims};
  return read_part(tensor, file.fd(), times(shape.elements(), onnx_type_bytes(tensor.type)));
}

}  // namespace mete
