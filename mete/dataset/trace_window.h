// The part of a trace that is in memory: whole lines, read block by block, and where their cells
// end. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mete/base/result.h"

namespace mete {

inline constexpr std::size_t kCellEndsGroup = 64;

/// The places of '|' and '\n' in [from, upto) of the buffer, to `out`, where there must be room for
/// one in every byte and kCellEndsGroup more; gives where they end. `upto` fits 32 bits.
std::uint32_t* find_cell_ends(const char* buffer, std::size_t from, std::size_t upto,
                              std::uint32_t* out);

class TraceWindow {
 public:
  static constexpr char kSeparator = '|';

  TraceWindow() = default;
  TraceWindow(const TraceWindow&) = delete;
  TraceWindow& operator=(const TraceWindow&) = delete;
  ~TraceWindow();

  /// Opens the file; nothing is read yet. `block_bytes` are read at a time, more where a line is
  /// longer.
  Result<void> open(const std::string& path, std::size_t block_bytes);

  /// True if a line lies ahead, which is read where it must be; false at the end, after which
  /// read_errno(), too_long() and cut() say why.
  bool has_line() { return begin_ != lines_end_ || fill(); }
  /// The next whole line without its end, and steps over it; the view holds until the next call.
  bool next_line(std::string_view& out);
  /// Where the next line starts; it ends before stop(), and bytes beyond that may be read.
  [[nodiscard]] const char* line() const { return buffer_.get() + begin_; }
  [[nodiscard]] const char* stop() const { return buffer_.get() + lines_end_; }
  /// Steps to `next`, the start of another line or stop().
  void step_to(const char* next) { begin_ = static_cast<std::size_t>(next - buffer_.get()); }

  /// Where the next `count` cells end, from line() on: the places of '|' and '\n', counted from
  /// base(). nullptr if fewer are in memory. Found ahead of the cells' own reading, sixteen bytes
  /// at a time, so that one cell need not wait until the number before it is understood.
  const std::uint32_t* cell_ends(std::size_t count) {
    while (mark_ < marks_ && ends_[mark_] < begin_) ++mark_;
    if (marks_ - mark_ < count && !find_cells(count)) return nullptr;
    return ends_.get() + mark_;
  }
  [[nodiscard]] const char* base() const { return buffer_.get(); }
  /// The cells that cell_ends() told are used up.
  void used_cells(std::size_t count) { mark_ += count; }

  [[nodiscard]] std::uint64_t offset() const { return window_offset_ + begin_; }  ///< in the file
  [[nodiscard]] std::uint64_t file_size() const { return file_size_; }
  [[nodiscard]] int read_errno() const { return read_errno_; }
  [[nodiscard]] bool too_long() const { return too_long_; }  ///< a line that no trace has
  [[nodiscard]] bool cut() const { return cut_; }            ///< the last line has no end
  static constexpr std::size_t kLongestLine = std::size_t{16} << 20U;

 private:
  void hold(std::size_t bytes);
  bool fill();
  bool find_cells(std::size_t count);

  int fd_ = -1;
  std::uint64_t file_size_ = 0;
  // [begin_, end_) of the buffer is not used up yet; whole lines end at lines_end_.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t lines_end_ = 0;
  std::size_t end_ = 0;
  std::uint64_t window_offset_ = 0;  ///< file offset of buffer_[0]
  bool at_end_ = false;
  bool too_long_ = false;
  bool cut_ = false;
  int read_errno_ = 0;

  // [mark_, marks_) of the ends are told and not used up; the buffer is searched up to searched_.
  std::unique_ptr<std::uint32_t[]> ends_;
  std::size_t room_ = 0;  ///< of the ends
  std::size_t mark_ = 0;
  std::size_t marks_ = 0;
  std::size_t searched_ = 0;
};

}  // namespace mete
