// Files read whole, written atomically, appended safely.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/outputs.h"

namespace mete {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// 0, or the errno of the first write that failed.
int write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

Error io_error(std::string_view verb, const std::string& path, int error) {
  const char* next = error == ENOSPC ? "; free some space, or choose another folder"
                     : error == EACCES || error == EPERM
                         ? "; choose a place that you may write, or ask for access"
                         : "";
  if (verb == "read" || verb == "open") next = "";
  return fail(errc_of_errno(error), "{}: cannot {}: {}{}", path, verb, errno_text(error), next);
}

}  // namespace

std::string errno_text(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);
}

Errc errc_of_errno(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return Errc::denied;
    case ENOENT:
    case ENODEV:
    case ENOTDIR:
      return Errc::unavailable;
    case EINTR:
    case EAGAIN:
      return Errc::retry;
    default:
      return Errc::failed;
  }
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return io_error("open", path, errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return fail(Errc::invalid, "{}: is a folder, expected a file", path);
  }
  if (info.st_size > 0 && static_cast<std::size_t>(info.st_size) > limit) {
    return fail(Errc::invalid, "{}: {} bytes, more than the {} this reads", path, info.st_size,
                limit);
  }
  std::string text;
  text.reserve(static_cast<std::size_t>(std::max<off_t>(info.st_size, 0)));
  char chunk[1U << 16U];
  while (true) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", path, errno);
    if (n == 0) return text;
    if (text.size() + static_cast<std::size_t>(n) > limit) {
      return fail(Errc::invalid, "{}: more than the {} bytes this reads", path, limit);
    }
    text.append(chunk, static_cast<std::size_t>(n));
  }
}

Result<void> write_file_atomically(const std::string& path, std::string_view text) {
  // A device or pipe (/dev/stdout) cannot be renamed over.
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    if (S_ISDIR(info.st_mode)) return fail(Errc::invalid, "{}: is a folder, expected a file", path);
    const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0) return io_error("write", path, errno);
    if (const int e = write_all(fd.get(), text); e != 0) return io_error("write", path, e);
    return {};
  }
  const std::string part = fmt::format("{}.part-{}", path, ::getpid());
  FileDescriptor fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (fd.get() < 0) return io_error("write", path, errno);
  int error = write_all(fd.get(), text);
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  if (::close(fd.release()) != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(part.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(part.c_str());
    return io_error("write", path, error);
  }
  return {};
}

Result<NewFolders> NewFolders::make(const std::string& path) {
  NewFolders folders;
  std::size_t at = 0;
  while (at != std::string::npos) {
    at = path.find('/', at + 1);
    const std::string prefix = path.substr(0, at);
    if (prefix.empty() || prefix == "/") continue;
    if (::mkdir(prefix.c_str(), 0755) == 0) {
      folders.made_.push_back(prefix);
    } else if (const int error = errno; path_exists(prefix) && !is_directory(prefix)) {
      return fail(Errc::invalid, "{}: exists and is not a folder", prefix);
    } else if (error != EEXIST) {
      return io_error("make the folder", prefix, error);
    }
  }
  if (!is_directory(path)) return fail(Errc::invalid, "{}: exists and is not a folder", path);
  return folders;
}

Result<void> make_directories(const std::string& path) {
  METE_TRY(auto folders, NewFolders::make(path));
  folders.keep();
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) return io_error("open", path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

bool path_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool is_directory(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::string path_join(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  if (folder.back() == '/') return fmt::format("{}{}", folder, name);
  return fmt::format("{}/{}", folder, name);
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const auto at = path.rfind('/');
  return std::string(at == std::string_view::npos || path == "/" ? path : path.substr(at + 1));
}

std::string dir_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const auto at = path.rfind('/');
  if (at == std::string_view::npos) return ".";
  return std::string(at == 0 ? "/" : path.substr(0, at));
}

LineWriter::LineWriter(LineWriter&& other) noexcept { *this = std::move(other); }

LineWriter& LineWriter::operator=(LineWriter&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    path_ = std::move(other.path_);
    buffer_ = std::move(other.buffer_);
    capacity_ = other.capacity_;
    fd_ = std::exchange(other.fd_, -1);
    error_ = other.error_;
  }
  return *this;
}

LineWriter::~LineWriter() {
  if (fd_ < 0) return;
  flush();
  ::close(fd_);
}

Result<LineWriter> LineWriter::open(const std::string& path, bool append,
                                    std::size_t buffer_bytes) {
  LineWriter writer;
  const int mode = append ? O_APPEND : O_TRUNC;
  writer.fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0644);
  if (writer.fd_ < 0) return io_error("write", path, errno);
  writer.path_ = path;
  writer.capacity_ = buffer_bytes;
  writer.buffer_.reserve(buffer_bytes);
  return writer;
}

void LineWriter::write(std::string_view text) noexcept {
  if (fd_ < 0 || error_ != 0) return;
  if (buffer_.size() + text.size() > capacity_) flush();
  if (text.size() > capacity_) {
    error_ = write_all(fd_, text);
    return;
  }
  buffer_.append(text);
}

void LineWriter::flush() noexcept {
  if (fd_ < 0 || buffer_.empty()) return;
  if (error_ == 0) error_ = write_all(fd_, buffer_);
  buffer_.clear();
}

Result<void> LineWriter::close() {
  if (fd_ < 0) return {};
  flush();
  if (::close(std::exchange(fd_, -1)) != 0 && error_ == 0) error_ = errno;
  if (error_ != 0) return io_error("write", path_, error_);
  return {};
}

}  // namespace mete
