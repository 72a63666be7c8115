// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/trace_window.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "mete/base/files.h"
#include "mete/dataset/number_cell.h"

namespace mete {
namespace {

// Searched for cells at a time: short enough to be still in the core's first cache when read.
constexpr std::size_t kSearchBytes = 8192;
constexpr std::size_t kGroup = 64;
static_assert(TraceWindow::kLongestLine <= UINT32_MAX / 4);

// Counting bits and finding the lowest one are single instructions on all but the oldest processors
// that we could run on; the loader chooses. (Sanitizers cannot bear its choosing.)
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define METE_FOR_NEWER_CPUS __attribute__((target_clones("arch=haswell", "default")))
#else
#define METE_FOR_NEWER_CPUS
#endif

/// One bit for each of the 64 bytes at `p` that ends a cell.
[[gnu::always_inline]] inline std::uint64_t cell_ends_of(const char* p) {
#ifdef __SSE2__
  const __m128i separator = _mm_set1_epi8(TraceWindow::kSeparator);
  const __m128i newline = _mm_set1_epi8('\n');
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 4; ++i) {
    __m128i bytes;
    std::memcpy(&bytes, p + 16 * i, sizeof bytes);
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, separator), _mm_cmpeq_epi8(bytes, newline));
    bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(found))) << (16 * i);
  }
  return bits;
#else
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < kGroup; ++i) {
    bits |= std::uint64_t{p[i] == TraceWindow::kSeparator || p[i] == '\n'} << i;
  }
  return bits;
#endif
}

/// The places of the cells' ends in [from, upto) of the buffer, to `out`, where there must be room
/// for one in every byte and a group more; gives where they end.
METE_FOR_NEWER_CPUS std::uint32_t* find_between(const char* buffer, std::size_t from,
                                                std::size_t upto, std::uint32_t* out) {
  for (; from + kGroup <= upto; from += kGroup) {
    std::uint64_t bits = cell_ends_of(buffer + from);
    const auto at = static_cast<std::uint32_t>(from);
    const auto found = std::popcount(bits);
    // Eight at once, counted or not: how many there are nobody could predict.
    for (int done = 0; done < found; done += 8) {
      for (int i = 0; i < 8; ++i) {
        out[done + i] = at + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
    }
    out += found;
  }
  for (; from < upto; ++from) {
    const char c = buffer[from];
    if (c == TraceWindow::kSeparator || c == '\n') *out++ = static_cast<std::uint32_t>(from);
  }
  return out;
}

}  // namespace

TraceWindow::~TraceWindow() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> TraceWindow::open(const std::string& path, std::size_t block_bytes) {
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) return fail(errc_of_errno(errno), "{}: {}", path, errno_text(errno));
  struct stat status{};
  if (::fstat(fd_, &status) == 0) {
    if (S_ISDIR(status.st_mode))
      return fail(Errc::invalid, "{}: is a folder, expected a trace", path);
    file_size_ = static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size));
  }
  hold(std::clamp<std::size_t>(block_bytes, 64, kLongestLine));
  return {};
}

/// Makes the buffer larger, not filled with zeros: many traces are shorter than it.
void TraceWindow::hold(std::size_t bytes) {
  auto larger = std::make_unique_for_overwrite<char[]>(bytes);
  if (end_ > 0) std::memcpy(larger.get(), buffer_.get(), end_);
  buffer_ = std::move(larger);
  capacity_ = bytes;
}

/// Reads more of the file behind what is not used up yet; false when there is no further whole
/// line.
bool TraceWindow::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    window_offset_ += begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  lines_end_ = 0;
  mark_ = marks_ = searched_ = 0;
  while (!at_end_) {
    if (end_ + kNumberCellSlack >= capacity_) {
      if (capacity_ >= kLongestLine) {
        too_long_ = true;
        return false;
      }
      hold(capacity_ * 2);
    }
    const ssize_t got = ::read(fd_, buffer_.get() + end_, capacity_ - kNumberCellSlack - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) read_errno_ = errno;
    if (got <= 0) {
      at_end_ = true;
      break;
    }
    const auto* fresh = buffer_.get() + end_;
    const auto* newline =
        static_cast<const char*>(::memrchr(fresh, '\n', static_cast<std::size_t>(got)));
    end_ += static_cast<std::size_t>(got);
    std::memset(buffer_.get() + end_, 0, kNumberCellSlack);
    if (newline != nullptr) {
      lines_end_ = static_cast<std::size_t>(newline - buffer_.get()) + 1;
      return true;
    }
  }
  cut_ = end_ > begin_;
  return false;
}

bool TraceWindow::next_line(std::string_view& out) {
  if (!has_line()) return false;
  const char* start = line();
  const auto* newline = static_cast<const char*>(std::memchr(start, '\n', lines_end_ - begin_));
  out = std::string_view(start, static_cast<std::size_t>(newline - start));
  if (out.ends_with('\r')) out.remove_suffix(1);
  step_to(newline + 1);
  return true;
}

bool TraceWindow::find_cells(std::size_t count) {
  std::copy(ends_.begin() + static_cast<std::ptrdiff_t>(mark_),
            ends_.begin() + static_cast<std::ptrdiff_t>(marks_), ends_.begin());
  marks_ -= mark_;
  mark_ = 0;
  searched_ = std::max(searched_, begin_);
  while (marks_ < count && searched_ < lines_end_) {
    const std::size_t upto = std::min(lines_end_, searched_ + kSearchBytes);
    // Room for a cell end in every byte, and for those that are written though they do not count.
    if (ends_.size() < marks_ + kSearchBytes + kGroup) ends_.resize(marks_ + kSearchBytes + kGroup);
    const std::uint32_t* out = find_between(buffer_.get(), searched_, upto, ends_.data() + marks_);
    searched_ = upto;
    marks_ = static_cast<std::size_t>(out - ends_.data());
  }
  return marks_ >= count;
}

}  // namespace mete
