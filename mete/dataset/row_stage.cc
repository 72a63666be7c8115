// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/row_stage.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {
constexpr std::size_t kBlockBytes = std::size_t{1} << 20U;
}

Result<RowStage> RowStage::create(const std::string& output, std::size_t row_bytes) {
  RowStage stage;
  stage.output_ = output;
  stage.row_bytes_ = row_bytes;
  stage.block_.resize(std::max<std::size_t>(1, kBlockBytes / row_bytes) * row_bytes);
  std::string path = output + ".XXXXXX";
  stage.fd_ = ::mkstemp(path.data());
  if (stage.fd_ < 0)
    return fail(Errc::invalid, "{}: cannot write there: {}", output, errno_text(errno));
  ::unlink(path.c_str());
  return stage;
}

RowStage::RowStage(RowStage&& other) noexcept
    : output_(std::move(other.output_)),
      fd_(std::exchange(other.fd_, -1)),
      row_bytes_(other.row_bytes_),
      rows_(other.rows_),
      in_block_(other.in_block_),
      block_(std::move(other.block_)) {}

RowStage::~RowStage() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> RowStage::add_row() {
  ++rows_;
  in_block_ += row_bytes_;
  if (in_block_ == block_.size()) return flush();
  return {};
}

Result<void> RowStage::flush() {
  for (std::size_t done = 0; done < in_block_;) {
    const ssize_t wrote = ::write(fd_, block_.data() + done, in_block_ - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0)
      return fail(Errc::failed, "{}: {}", output_, errno_text(wrote < 0 ? errno : ENOSPC));
    done += static_cast<std::size_t>(wrote);
  }
  in_block_ = 0;
  return {};
}

Result<void> RowStage::replay(const std::function<Result<void>(const std::byte*)>& each) {
  METE_TRY_VOID(flush());
  std::uint64_t at = 0;
  const std::uint64_t size = rows_ * row_bytes_;
  while (at < size) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block_.size(), size - at));
    std::size_t have = 0;
    while (have < wanted) {
      const ssize_t got =
          ::pread(fd_, block_.data() + have, wanted - have, static_cast<off_t>(at + have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        return fail(Errc::failed, "{}: reading back: {}", output_,
                    errno_text(got < 0 ? errno : EIO));
      have += static_cast<std::size_t>(got);
    }
    for (std::size_t i = 0; i < wanted; i += row_bytes_) METE_TRY_VOID(each(block_.data() + i));
    at += wanted;
  }
  return {};
}

}  // namespace mete
