// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/hdf5_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete::hdf5 {
namespace {

// Pieces of a file are joined up to multiples of this, bytes.
constexpr std::size_t kStep = std::size_t{1} << 16U;

/// HDF5's stack runs from what was asked for down to what failed; the innermost entry that carries
/// the operating system's words is the reason.
herr_t take_reason(unsigned /*n*/, const H5E_error2_t* entry, void* data) {
  auto& reason = *static_cast<std::string*>(data);
  const std::string_view text = entry->desc == nullptr ? "" : entry->desc;
  constexpr std::string_view kMark = "error message = '";
  const auto at = text.find(kMark);
  if (at != std::string_view::npos) {
    const auto from = at + kMark.size();
    reason = std::string(text.substr(from, text.find('\'', from) - from));
    return 1;
  }
  if (!text.empty()) reason = std::string(text);
  return 0;
}

bool put(hid_t object, const std::string& name, hid_t type, const void* value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute(
      H5Acreate2(object, name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  return attribute.ok() && H5Awrite(attribute.id(), type, value) >= 0;
}

bool put_string(hid_t object, const std::string& name, std::string_view value, H5T_cset_t charset) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  const std::string bytes(value);
  if (H5Tset_size(type.id(), value.empty() ? 1 : value.size()) < 0) return false;
  if (H5Tset_cset(type.id(), charset) < 0) return false;
  return put(object, name, type.id(), bytes.c_str());
}

}  // namespace

void be_quiet() {
  // Everything is closed by its owner; after a full disk HDF5's own cleaning up at exit has
  // crashed.
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string last_error() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, &reason);
  return reason.empty() ? "HDF5 gave no reason" : reason;
}

bool put_text(hid_t object, const std::string& name, std::string_view value) {
  return put_string(object, name, value, H5T_CSET_UTF8);
}

bool put_pickle(hid_t object, const std::string& name, std::string_view pickle) {
  return put_string(object, name, pickle, H5T_CSET_ASCII);
}

bool put_integer(hid_t object, const std::string& name, std::int64_t value) {
  return put(object, name, H5T_NATIVE_INT64, &value);
}

std::string get_text(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return {};
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.ok()) return {};
  const Handle type(H5Aget_type(attribute.id()), H5Tclose);
  constexpr std::size_t kMost = std::size_t{1} << 24U;
  const std::size_t size = H5Tget_size(type.id());
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) > 0 || size > kMost ||
      H5Aget_storage_size(attribute.id()) > kMost) {
    return {};
  }
  std::string value(std::max<std::size_t>(size, H5Aget_storage_size(attribute.id())), '\0');
  if (H5Aread(attribute.id(), type.id(), value.data()) < 0) return {};
  const auto end = value.find('\0');
  return end == std::string::npos ? value : value.substr(0, end);
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  be_quiet();
  struct stat info{};
  // The finished file is renamed over its place, which root may do to a device as well.
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return fail(Errc::invalid, "{}: is {}; name a file for the table", path,
                S_ISDIR(info.st_mode) ? "a folder" : "a device or a pipe, not a file");
  }
  std::string part = path + ".XXXXXX";
  const int fd = ::mkstemp(part.data());
  if (fd < 0) {
    return fail(errno == EACCES || errno == ENOENT || errno == EROFS ? Errc::invalid : Errc::failed,
                "{}: cannot write there: {}", path, errno_text(errno));
  }
  ::close(fd);
  // Made anew by HDF5: a file that was opened to be cut to nothing is written out to the disk when
  // it is closed (ext4 takes care of those who replace files that way), and the user waits for it.
  ::unlink(part.c_str());
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // The format of HDF5 1.8: many columns need its wider headers, and every reader of today has it.
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_V18);
  const Handle plan(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_obj_track_times(plan.id(), false);  // the same input gives the same file
  Handle file(H5Fcreate(part.c_str(), H5F_ACC_EXCL, plan.id(), access.id()), H5Fclose);
  if (!file.ok()) {
    ::unlink(part.c_str());
    return fail(Errc::failed, "{}: {}", path, last_error());
  }
  ::chmod(part.c_str(), 0644);
  return OutputFile(path, std::move(part), std::move(file));
}

Error OutputFile::failed() {
  Error error = fail(Errc::failed, "{}: {}", path_, last_error());
  turn_away();
  return error;
}

/// HDF5's own descriptor of the file; nullptr if there is none.
int* OutputFile::descriptor() const {
  void* handle = nullptr;
  if (!file_.ok() || H5Fget_vfd_handle(file_.id(), H5P_DEFAULT, &handle) < 0) return nullptr;
  return static_cast<int*>(handle);
}

Result<void> OutputFile::write_at(std::uint64_t address, const std::byte* bytes,
                                  std::size_t count) {
  if (tail_bytes_ > 0 && tail_address_ + tail_bytes_ != address) {
    METE_TRY_VOID(write_tail_and(nullptr, 0));
  }
  if (tail_bytes_ == 0) tail_address_ = address;
  if (tail_ == nullptr) tail_ = std::make_unique_for_overwrite<std::byte[]>(kStep);
  const std::uint64_t whole = (address + count) / kStep * kStep;
  if (whole > tail_address_) {
    // The tail ends before a step does, so that all of it goes.
    const std::size_t now = whole - address;
    METE_TRY_VOID(write_tail_and(bytes, now));
    bytes += now;
    count -= now;
  }
  std::memcpy(tail_.get() + tail_bytes_, bytes, count);
  tail_bytes_ += count;
  return {};
}

/// Writes the tail and, behind it, `bytes`; the next tail begins where they end.
Result<void> OutputFile::write_tail_and(const std::byte* bytes, std::size_t count) {
  const int* const handle = descriptor();
  if (handle == nullptr) return failed();
  // pwritev() takes pointers to what it only reads.
  std::array<iovec, 2> pieces{{{tail_.get(), tail_bytes_}, {const_cast<std::byte*>(bytes), count}}};
  for (std::size_t left = tail_bytes_ + count; left > 0;) {
    const ssize_t wrote = ::pwritev(*handle, pieces.data(), static_cast<int>(pieces.size()),
                                    static_cast<off_t>(tail_address_));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      Error error = fail(Errc::failed, "{}: {}", path_, errno_text(wrote < 0 ? errno : ENOSPC));
      turn_away();
      return error;
    }
    auto gone = static_cast<std::size_t>(wrote);
    left -= gone;
    tail_address_ += gone;
    for (auto& piece : pieces) {
      const std::size_t of_this = std::min(gone, piece.iov_len);
      if (of_this > 0) piece.iov_base = static_cast<std::byte*>(piece.iov_base) + of_this;
      piece.iov_len -= of_this;
      gone -= of_this;
    }
  }
  tail_bytes_ = 0;
  return {};
}

/// HDF5 keeps what it could not write and tries again whenever something is closed. The file is
/// lost anyway, so its descriptor is turned to where writes always succeed.
void OutputFile::turn_away() const {
  int* const handle = descriptor();
  if (handle == nullptr) return;
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) return;
  ::dup2(nowhere, *handle);
  ::close(nowhere);
}

void OutputFile::abandon() {
  turn_away();
  file_.reset();
  ::unlink(part_.c_str());
}

OutputFile::~OutputFile() {
  if (file_.ok()) abandon();
}

Result<void> OutputFile::commit() {
  if (auto written = write_tail_and(nullptr, 0); !written) {
    abandon();
    return written;
  }
  if (H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) < 0) {
    Error error = failed();
    abandon();
    return error;
  }
  const bool closed = file_.reset();
  if (!closed || std::rename(part_.c_str(), path_.c_str()) != 0) {
    const std::string why = closed ? errno_text(errno) : last_error();
    ::unlink(part_.c_str());
    return fail(Errc::failed, "{}: {}", path_, why);
  }
  return {};
}

}  // namespace mete::hdf5
