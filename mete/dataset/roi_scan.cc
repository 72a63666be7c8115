// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/roi_scan.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/dataset/number_cell.h"
#include "mete/dataset/trace_file.h"
#include "mete/dataset/trace_window.h"

namespace mete {
namespace {

constexpr int kClockRows = 64;
// Mostly a few rows are wanted of either end.
constexpr std::size_t kShortBlock = std::size_t{1} << 15U;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Lines of a file from its last whole one backwards, through a window that does not grow with the
/// file.
class BackwardLines {
 public:
  BackwardLines(int fd, std::uint64_t from, std::uint64_t size)
      : fd_(fd), from_(from), top_(size) {}

  /// False at the first row, or where the file cannot be read. Behind the line stands its line end,
  /// and kNumberCellSlack bytes more may be read.
  bool previous(std::string_view& line, std::uint64_t& offset) {
    while (true) {
      // window_ holds the file from top_; what lies before used_ has not been given out.
      const auto* found =
          used_ == 0 ? nullptr : static_cast<const char*>(::memrchr(window_.get(), '\n', used_));
      if (found != nullptr) {
        const auto newline = static_cast<std::size_t>(found - window_.get());
        if (!started_) {  // behind the last line end there is nothing, or a line that was cut
          started_ = true;
          used_ = newline;
          continue;
        }
        line = std::string_view(found + 1, used_ - newline - 1);
        offset = top_ + newline + 1;
        used_ = newline;
        return true;
      }
      if (top_ == from_) {
        if (!started_ || done_) return false;
        done_ = true;
        line = std::string_view(window_.get(), used_);
        offset = from_;
        return true;
      }
      if (!read_before()) return false;
    }
  }

 private:
  bool read_before() {
    const std::size_t block = kShortBlock * (window_ == nullptr ? 1 : 8);
    if (used_ > (std::size_t{16} << 20U)) return false;
    const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(block, top_ - from_));
    auto grown = std::make_unique_for_overwrite<char[]>(more + used_ + kNumberCellSlack);
    if (used_ > 0) std::memcpy(grown.get() + more, window_.get(), used_);
    std::memset(grown.get() + more + used_, '\n', kNumberCellSlack);
    std::size_t have = 0;
    while (have < more) {
      const ssize_t got =
          ::pread(fd_, grown.get() + have, more - have, static_cast<off_t>(top_ - more + have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      have += static_cast<std::size_t>(got);
    }
    window_ = std::move(grown);
    used_ += more;
    top_ -= more;
    return true;
  }

  int fd_;
  std::uint64_t from_;
  std::uint64_t top_;
  std::unique_ptr<char[]> window_;
  std::size_t used_ = 0;
  bool started_ = false;
  bool done_ = false;
};

/// Where the cells of a line are.
class Cells {
 public:
  void find(std::string_view line) {
    line_ = line;
    if (ends_.size() < line.size() + kCellEndsGroup) ends_.resize(line.size() + kCellEndsGroup);
    const auto* end = find_cell_ends(line.data(), 0, line.size(), ends_.data());
    count_ = static_cast<std::size_t>(end - ends_.data()) + 1;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// NaN where there is no number.
  [[nodiscard]] double number(std::size_t i) const {
    const char* from = line_.data() + (i == 0 ? 0 : ends_[i - 1] + 1);
    double value = kNaN;
    const char* stop = line_.data() + line_.size() + 1;
    const char* end = parse_number_cell(from, stop, TraceWindow::kSeparator, value);
    const bool whole =
        end != nullptr && (*end == TraceWindow::kSeparator || *end == '\n' || *end == '\r');
    return whole ? value : kNaN;
  }

 private:
  std::string_view line_;
  std::vector<std::uint32_t> ends_;
  std::size_t count_ = 0;
};

class Scanner {
 public:
  Scanner(const std::string& path, const TrainingKind& kind, std::span<const TraceColumn> similar)
      : path_(path),
        kind_(kind),
        options_{.absolute = false, .block_bytes = kShortBlock, .similar_columns = similar} {}

  Result<RoiScan> scan() {
    METE_TRY(TraceFile trace, TraceFile::open(path_, options_));
    columns_ = trace.columns().size();
    data_offset_ = trace.data_offset();
    size_ = trace.size();
    clock_ = part_column(trace, kind_.features.front());
    const auto activity = part_column(trace, kind_.activity[0]);
    const auto utilization = part_column(trace, kind_.activity[1]);
    if (activity == TraceFile::npos && utilization == TraceFile::npos) {
      return fail(Errc::invalid, "{}: line 1: no column {} of {} 0; record it with --signals",
                  path_,
                  kind_.activity[0] == kind_.activity[1]
                      ? std::string(kind_.activity[0])
                      : fmt::format("{} or {}", kind_.activity[0], kind_.activity[1]),
                  kind_.noun);
    }
    RoiScan roi;
    roi.clock = kNaN;
    roi.columns = trace.columns();
    roi.replayed = trace.preamble("mete_replayed") == "true";
    for (const auto column : {activity, utilization}) {
      if (column == TraceFile::npos || trace.columns()[column].is_text) continue;
      METE_TRY_VOID(scan_by(column, trace, roi));
      if (roi.found) break;
      METE_TRY(trace, TraceFile::open(path_, options_));
    }
    return roi;
  }

 private:
  [[nodiscard]] std::size_t part_column(const TraceFile& trace, std::string_view signal) const {
    auto at = trace.find(signal, kind_.domain, 0);
    const bool gpu = kind_.domain == Domain::gpu;
    if (at == TraceFile::npos && gpu) at = trace.find(signal, Domain::gpu_chip, 0);
    if (at == TraceFile::npos) at = trace.find(signal, Domain::board, 0);
    return at;
  }

  Result<void> scan_by(std::size_t column, TraceFile& trace, RoiScan& roi) {
    std::vector<std::size_t> wanted{column};
    if (clock_ != TraceFile::npos && !trace.columns()[clock_].is_text) wanted.push_back(clock_);
    trace.select(wanted);
    int rows = 0;
    while (rows < kClockRows && trace.next()) {
      const bool active = trace.numbers()[column] > kind_.active_above;
      if (!roi.found && !active) continue;
      if (!roi.found) roi.first_row = roi.last_row = trace.row_offset();
      roi.found = true;
      if (active) note_clock(roi, clock_ == TraceFile::npos ? kNaN : trace.numbers()[clock_]);
      ++rows;
    }
    if (roi.found) METE_TRY_VOID(scan_backwards(column, roi));
    return {};
  }

  static void note_clock(RoiScan& roi, double clock) {
    if (clock > 0 && !(roi.clock >= clock)) roi.clock = clock;
  }

  Result<void> scan_backwards(std::size_t column, RoiScan& roi) const {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(errc_of_errno(errno), "{}: {}", path_, errno_text(errno));
    BackwardLines lines(fd, data_offset_, size_);
    std::string_view line;
    Cells cells;
    std::uint64_t offset = 0;
    bool found = false;
    int rows = 0;
    while (rows < kClockRows && lines.previous(line, offset) && offset >= roi.first_row) {
      cells.find(line);
      if (cells.count() != columns_) continue;
      const bool active = cells.number(column) > kind_.active_above;
      if (active && !found) roi.last_row = std::max(roi.last_row, offset);
      found = found || active;
      if (active && clock_ < columns_) note_clock(roi, cells.number(clock_));
      if (found) ++rows;
    }
    ::close(fd);
    return {};
  }

  const std::string& path_;
  const TrainingKind& kind_;
  const TraceOptions options_;
  std::size_t columns_ = 0;
  std::size_t clock_ = TraceFile::npos;
  std::uint64_t data_offset_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace

Result<RoiScan> scan_roi(const std::string& path, const TrainingKind& kind,
                         std::span<const TraceColumn> similar) {
  return Scanner(path, kind, similar).scan();
}

}  // namespace mete
