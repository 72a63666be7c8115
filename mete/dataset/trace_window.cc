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
#include <immintrin.h>
#endif

#include "mete/base/files.h"
#include "mete/dataset/number_cell.h"

namespace mete {
namespace {

// Searched for cells at a time: short enough to be still in the core's first cache when read.
constexpr std::size_t kSearchBytes = 8192;
constexpr std::size_t kGroup = kCellEndsGroup;
static_assert(TraceWindow::kLongestLine <= UINT32_MAX / 4);

/// One bit for each of the 64 bytes at `p` that ends a cell.
[[gnu::always_inline]] inline std::uint64_t ends_of_sixteens(const char* p) {
#ifdef __SSE2__
  const __m128i separator = _mm_set1_epi8(TraceWindow::kSeparator);
  const __m128i newline = _mm_set1_epi8('\n');
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p + 16 * i));
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

/// The places of the cells' ends in [from, upto) of the buffer, to `out`; gives where they end.
template <class EndsOf>
[[gnu::always_inline]] inline std::uint32_t* find_between_with(EndsOf ends_of, const char* buffer,
                                                               std::size_t from, std::size_t upto,
                                                               std::uint32_t* out) {
  for (; from + kGroup <= upto; from += kGroup) {
    std::uint64_t bits = ends_of(buffer + from);
    const auto at = static_cast<std::uint32_t>(from);
    const auto found = std::popcount(bits);
    // Eight at once, counted or not: how many there are nobody could predict.
    for (int done = 0; done < found; done += 8) {
#pragma GCC unroll 8
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

std::uint32_t* find_by_sixteens(const char* buffer, std::size_t from, std::size_t upto,
                                std::uint32_t* out) {
  return find_between_with(ends_of_sixteens, buffer, from, upto, out);
}

// Thirty-two bytes at once, and counting bits and finding the lowest one by a single instruction
// each, on all but the oldest processors that we could run on.
#if defined(__x86_64__) && defined(__GNUC__)
#define METE_FOR_AVX2 __attribute__((target("avx2,bmi,popcnt")))

METE_FOR_AVX2 [[gnu::always_inline]] inline std::uint64_t ends_of_32(const char* p) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(p));
  const __m256i found =
      _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(TraceWindow::kSeparator)),
                      _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
  return static_cast<unsigned>(_mm256_movemask_epi8(found));
}

METE_FOR_AVX2 [[gnu::always_inline]] inline std::uint64_t ends_of_thirty_twos(const char* p) {
  return ends_of_32(p) | (ends_of_32(p + 32) << 32U);
}

METE_FOR_AVX2 std::uint32_t* find_by_thirty_twos(const char* buffer, std::size_t from,
                                                 std::size_t upto, std::uint32_t* out) {
  return find_between_with(ends_of_thirty_twos, buffer, from, upto, out);
}

bool has_thirty_twos() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi") != 0 &&
         __builtin_cpu_supports("popcnt") != 0;
}
#else
bool has_thirty_twos() { return false; }
std::uint32_t* find_by_thirty_twos(const char* buffer, std::size_t from, std::size_t upto,
                                   std::uint32_t* out) {
  return find_by_sixteens(buffer, from, upto, out);
}
#endif

}  // namespace

std::uint32_t* find_cell_ends(const char* buffer, std::size_t from, std::size_t upto,
                              std::uint32_t* out) {
  static const bool kThirtyTwos = has_thirty_twos();
  return kThirtyTwos ? find_by_thirty_twos(buffer, from, upto, out)
                     : find_by_sixteens(buffer, from, upto, out);
}

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
  std::copy(ends_.get() + mark_, ends_.get() + marks_, ends_.get());
  marks_ -= mark_;
  mark_ = 0;
  searched_ = std::max(searched_, begin_);
  while (marks_ < count && searched_ < lines_end_) {
    const std::size_t upto = std::min(lines_end_, searched_ + kSearchBytes);
    // Room for a cell end in every byte, and for those that are written though they do not count.
    if (const std::size_t room = marks_ + kSearchBytes + kGroup; room_ < room) {
      auto larger = std::make_unique_for_overwrite<std::uint32_t[]>(room);
      std::copy_n(ends_.get(), marks_, larger.get());
      ends_ = std::move(larger);
      room_ = room;
    }
    const std::uint32_t* out = find_cell_ends(buffer_.get(), searched_, upto, ends_.get() + marks_);
    searched_ = upto;
    marks_ = static_cast<std::size_t>(out - ends_.get());
  }
  return marks_ >= count;
}

}  // namespace mete
