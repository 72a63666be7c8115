// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/row_stage.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "mete/base/files.h"

namespace mete {

RowStage::RowStage(std::string output, std::size_t row_bytes, std::size_t memory)
    : output_(std::move(output)),
      row_bytes_(row_bytes),
      block_bytes_(std::max<std::size_t>(1, memory / row_bytes) * row_bytes),
      // Not filled with zeros: what is never used takes no memory.
      block_(std::make_unique_for_overwrite<std::byte[]>(block_bytes_)) {}

RowStage::~RowStage() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> RowStage::open() {
  std::string path = output_ + ".XXXXXX";
  fd_ = ::mkstemp(path.data());
  if (fd_ < 0) return fail(Errc::invalid, "{}: cannot write there: {}", output_, errno_text(errno));
  ::unlink(path.c_str());
  return {};
}

Result<void> RowStage::add_row() {
  ++rows_;
  in_block_ += row_bytes_;
  if (in_block_ == block_bytes_) return flush();
  return {};
}

Result<void> RowStage::add_rows(const std::byte* rows, std::size_t count) {
  rows_ += count;
  for (std::size_t left = count * row_bytes_; left > 0;) {
    const std::size_t fits = std::min(left, block_bytes_ - in_block_);
    std::memcpy(row(), rows, fits);
    rows += fits;
    left -= fits;
    in_block_ += fits;
    if (in_block_ == block_bytes_) METE_TRY_VOID(flush());
  }
  return {};
}

Result<void> RowStage::flush() {
  if (fd_ < 0) METE_TRY_VOID(open());
  for (std::size_t done = 0; done < in_block_;) {
    const ssize_t wrote = ::write(fd_, block_.get() + done, in_block_ - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0)
      return fail(Errc::failed, "{}: {}", output_, errno_text(wrote < 0 ? errno : ENOSPC));
    done += static_cast<std::size_t>(wrote);
  }
  in_block_ = 0;
  return {};
}

Result<std::byte*> RowStage::rows(std::uint64_t first, std::size_t count) {
  if (fd_ < 0) return block_.get() + first * row_bytes_;
  METE_TRY_VOID(flush());
  const std::size_t wanted = count * row_bytes_;
  if (read_.size() < wanted) read_.resize(wanted);
  for (std::size_t have = 0; have < wanted;) {
    const ssize_t got = ::pread(fd_, read_.data() + have, wanted - have,
                                static_cast<off_t>(first * row_bytes_ + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return fail(Errc::failed, "{}: reading back: {}", output_, errno_text(got < 0 ? errno : EIO));
    have += static_cast<std::size_t>(got);
  }
  return read_.data();
}

}  // namespace mete
