// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/trace_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/dataset/number_cell.h"
#include "mete/signal/info.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kSeparator = '|';
// No real trace comes near; a file without line ends must not fill the memory.
constexpr std::size_t kLongestLine = std::size_t{16} << 20U;
constexpr std::size_t kMostColumns = 100'000;

// Signals that only grow: base_agent.py writes their differences (GEOPM's behaviour "monotone").
constexpr std::array<std::string_view, 14> kMonotone{"GPU_ENERGY",
                                                     "CPU_ENERGY",
                                                     "DRAM_ENERGY",
                                                     "BOARD_ENERGY",
                                                     "CPU_CYCLES_THREAD",
                                                     "CPU_CYCLES_REFERENCE",
                                                     "MSR::APERF:ACNT",
                                                     "MSR::MPERF:MCNT",
                                                     "MSR::PPERF:PCNT",
                                                     "CPU_INSTRUCTIONS_RETIRED",
                                                     "CPU_TIMESTAMP_COUNTER",
                                                     "TIME",
                                                     "GPU_CORE_ENERGY",
                                                     "EPOCH_COUNT"};

bool is_monotone(std::string_view signal) {
  return std::find(kMonotone.begin(), kMonotone.end(), signal) != kMonotone.end();
}

// Columns that hold codes even when their first rows say NAN.
bool is_text_name(std::string_view signal) {
  return signal == "REGION_HASH" || signal == "REGION_HINT" || signal.ends_with('#');
}

}  // namespace

TraceColumn describe_column(std::string_view name) {
  TraceColumn column;
  column.name = std::string(name);
  column.signal = column.name;
  const auto last = name.rfind('-');
  if (last != std::string_view::npos && last > 0) {
    const auto before = name.rfind('-', last - 1);
    const auto index = parse_int(name.substr(last + 1));
    if (before != std::string_view::npos && before > 0 && index && *index >= 0 &&
        *index <= std::numeric_limits<int>::max()) {
      if (const auto domain = parse_domain(name.substr(before + 1, last - before - 1))) {
        column.domain = *domain;
        column.index = static_cast<int>(*index);
        column.signal = std::string(name.substr(0, before));
      }
    }
  }
  column.signal = std::string(canonical_name(column.signal));
  return column;
}

struct TraceFile::Impl {
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (fd >= 0) ::close(fd);
  }

  std::string path;
  TraceOptions options;
  int fd = -1;
  std::uint64_t file_size = 0;

  // The window [begin, end) of the file held in memory; whole lines end at `lines_end`.
  std::unique_ptr<char[]> buffer;
  std::size_t capacity = 0;
  std::size_t begin = 0;
  std::size_t lines_end = 0;
  std::size_t end = 0;
  std::uint64_t window_offset = 0;  ///< file offset of buffer[0]
  bool at_end = false;
  int read_errno = 0;

  TraceDialect dialect = TraceDialect::geopm;
  std::vector<std::pair<std::string, std::string>> preamble;
  std::vector<TraceColumn> columns;
  bool known = false;  ///< the columns are those that the options gave
  enum class Use : std::uint8_t { skip, number, text };
  std::vector<Use> uses;
  std::vector<double> numbers;
  std::vector<std::string_view> texts;
  std::vector<std::size_t> summed;  ///< columns whose differences are added up
  std::vector<double> sums;

  std::uint64_t line = 0;
  std::uint64_t row_offset = 0;
  std::uint64_t first_row = 0;
  std::string header;
  std::string first_problem;
  std::uint64_t bad_rows = 0;
  bool cut = false;
  bool stopped = false;
  bool skipped_line = false;  ///< the line just parsed was no row, and no problem either

  void hold(std::size_t bytes);
  bool fill();
  bool next_line(std::string_view& out);
  Result<void> read_header();
  Result<void> name_columns();
  void look_at_first_rows();
  const char* parse_row(const char* p, const char* stop);
  void note_bad_row(const std::string& why);
  void add_up();
};

/// Makes the buffer larger, not filled with zeros: many traces are shorter than it.
void TraceFile::Impl::hold(std::size_t bytes) {
  auto larger = std::make_unique_for_overwrite<char[]>(bytes);
  if (end > 0) std::memcpy(larger.get(), buffer.get(), end);
  buffer = std::move(larger);
  capacity = bytes;
}

/// Reads more of the file behind what is not used up yet; false when there is no further whole
/// line.
bool TraceFile::Impl::fill() {
  if (begin > 0) {
    std::memmove(buffer.get(), buffer.get() + begin, end - begin);
    window_offset += begin;
    end -= begin;
    begin = 0;
  }
  lines_end = 0;
  while (!at_end) {
    if (end + kNumberCellSlack >= capacity) {
      if (capacity >= kLongestLine) {
        if (first_problem.empty()) {
          first_problem = fmt::format("line {}: longer than {} MiB", line + 1, kLongestLine >> 20U);
        }
        stopped = true;
        return false;
      }
      hold(capacity * 2);
    }
    const ssize_t got = ::read(fd, buffer.get() + end, capacity - kNumberCellSlack - end);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) read_errno = errno;
    if (got <= 0) {
      at_end = true;
      break;
    }
    const auto* fresh = buffer.get() + end;
    const auto* newline =
        static_cast<const char*>(::memrchr(fresh, '\n', static_cast<std::size_t>(got)));
    end += static_cast<std::size_t>(got);
    std::memset(buffer.get() + end, 0, kNumberCellSlack);
    if (newline != nullptr) {
      lines_end = static_cast<std::size_t>(newline - buffer.get()) + 1;
      return true;
    }
  }
  cut = end > begin;
  return false;
}

/// The next whole line without its end; the view holds until the next call.
bool TraceFile::Impl::next_line(std::string_view& out) {
  if (begin == lines_end && !fill()) return false;
  const char* start = buffer.get() + begin;
  const auto* stop = static_cast<const char*>(std::memchr(start, '\n', lines_end - begin));
  out = std::string_view(start, static_cast<std::size_t>(stop - start));
  if (out.ends_with('\r')) out.remove_suffix(1);
  begin = static_cast<std::size_t>(stop - buffer.get()) + 1;
  ++line;
  return true;
}

Result<void> TraceFile::Impl::name_columns() {
  const auto names = split(header, kSeparator);
  if (names.size() > kMostColumns) {
    return fail(Errc::invalid, "{}: line {}: more than {} columns", path, line, kMostColumns);
  }
  const auto& given = options.known_columns;
  known = std::equal(
      names.begin(), names.end(), given.begin(), given.end(),
      [](std::string_view name, const TraceColumn& column) { return trim(name) == column.name; });
  columns.reserve(names.size());
  if (known) {
    columns.assign(given.begin(), given.end());
  } else {
    for (const auto name : names) columns.push_back(describe_column(trim(name)));
  }
  return {};
}

Result<void> TraceFile::Impl::read_header() {
  std::string_view text;
  while (next_line(text)) {
    if (text.starts_with('#')) {
      const auto colon = text.find(':');
      if (colon != std::string_view::npos && preamble.size() < 100) {
        preamble.emplace_back(trim(text.substr(1, colon - 1)), trim(text.substr(colon + 1)));
      }
      continue;
    }
    if (trim(text).empty()) continue;
    header = std::string(text);
    METE_TRY_VOID(name_columns());
    const bool boards = std::any_of(columns.begin(), columns.end(), [](const TraceColumn& c) {
      return c.name.find("-board-") != std::string::npos;
    });
    if (preamble.empty() && boards) dialect = TraceDialect::base_agent;
    first_row = window_offset + begin;
    if (columns.size() < 2) {
      return fail(Errc::invalid, "{}: line {}: not a trace: expected column names separated by '|'",
                  path, line);
    }
    return {};
  }
  if (read_errno != 0)
    return fail(errc_of_errno(read_errno), "{}: {}", path, errno_text(read_errno));
  if (!first_problem.empty()) return fail(Errc::invalid, "{}: {}", path, first_problem);
  return fail(Errc::invalid, "{}: {}: expected a header line of column names separated by '|'",
              path, file_size == 0 ? "is empty" : "ends before its header line");
}

/// A column is text if its name says so or if a cell among the first rows is no number.
void TraceFile::Impl::look_at_first_rows() {
  for (auto& column : columns) column.is_text = is_text_name(column.signal);
  if (begin == lines_end && !fill()) return;
  std::size_t p = begin;
  for (int row = 0; row < 32 && p < lines_end; ++row) {
    const auto* stop = static_cast<const char*>(std::memchr(buffer.get() + p, '\n', lines_end - p));
    std::string_view text(buffer.get() + p, static_cast<std::size_t>(stop - (buffer.get() + p)));
    const auto cells = split(text, kSeparator);
    p += text.size() + 1;
    if (cells.size() != columns.size()) continue;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto cell = trim(cells[c]);
      if (row == 0 || columns[c].is_text || cell.starts_with("0x")) {
        const bool word =
            !cell.empty() && !parse_double(cell.starts_with('+') ? cell.substr(1) : cell);
        if (word) columns[c].is_text = true;
      }
      columns[c].text_width = std::max(columns[c].text_width, cell.size());
    }
  }
}

Result<TraceFile> TraceFile::open(const std::string& path, const TraceOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->options = options;
  impl->fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (impl->fd < 0) return fail(errc_of_errno(errno), "{}: {}", path, errno_text(errno));
  struct stat status{};
  if (::fstat(impl->fd, &status) == 0) {
    if (S_ISDIR(status.st_mode))
      return fail(Errc::invalid, "{}: is a folder, expected a trace", path);
    impl->file_size = static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size));
  }
  impl->hold(std::clamp<std::size_t>(options.block_bytes, 64, kLongestLine));
  METE_TRY_VOID(impl->read_header());
  if (!impl->known) impl->look_at_first_rows();
  const auto n = impl->columns.size();
  impl->numbers.assign(n, kNaN);
  impl->texts.assign(n, {});
  impl->uses.resize(n);
  for (std::size_t c = 0; c < n; ++c) {
    impl->uses[c] = impl->columns[c].is_text ? Impl::Use::text : Impl::Use::number;
  }
  if (options.absolute && impl->dialect == TraceDialect::base_agent) {
    for (std::size_t c = 0; c < n; ++c) {
      if (is_monotone(impl->columns[c].signal) && !impl->columns[c].is_text) {
        impl->summed.push_back(c);
      }
    }
    impl->sums.assign(impl->summed.size(), 0.0);
  }
  return TraceFile(std::move(impl));
}

void TraceFile::Impl::note_bad_row(const std::string& why) {
  if (first_problem.empty()) first_problem = fmt::format("line {}: {}", line, why);
  ++bad_rows;
}

/// Parses one line into numbers and texts; gives where the next one starts. Every cell is followed
/// by a separator or line end before `stop`, which the caller has seen to.
const char* TraceFile::Impl::parse_row(const char* p, const char* stop) {
  const std::size_t n = columns.size();
  const char* row = p;
  skipped_line = false;
  const auto rest_of_line = [&](const char* from) {
    return static_cast<const char*>(
               std::memchr(from, '\n', static_cast<std::size_t>(stop - from))) +
           1;
  };
  for (std::size_t c = 0; c < n; ++c) {
    const char* cell = p;
    if (uses[c] == Use::number) {
      p = parse_number_cell(p, stop, kSeparator, numbers[c]);
    } else {
      while (*p != kSeparator && *p != '\n') ++p;
      if (uses[c] == Use::text)
        texts[c] = std::string_view(cell, static_cast<std::size_t>(p - cell));
    }
    if (p != nullptr && *p == '\r' && p[1] == '\n') ++p;
    const bool last = c + 1 == n;
    if (p != nullptr && *p == (last ? '\n' : kSeparator)) {
      ++p;
      continue;
    }
    const char* after = rest_of_line(cell);
    // A run appended to the file brings its preamble and header along.
    if (*row == '#' ||
        std::string_view(row, static_cast<std::size_t>(after - row)).starts_with(header)) {
      skipped_line = true;
      return after;
    }
    if (p != nullptr && *p == '\n') {
      if (c == 0 && (p == cell || *cell == '\r')) {
        skipped_line = true;  // empty
        return after;
      }
      note_bad_row(fmt::format("{} cells, expected {}", c + 1, n));
    } else if (p != nullptr && *p == kSeparator) {
      note_bad_row(fmt::format("more than the {} cells expected", n));
    } else {
      std::string_view word(cell, static_cast<std::size_t>(after - cell));
      word = trim(word.substr(0, word.find_first_of("|\n")));
      note_bad_row(fmt::format("column {}: expected a number, got '{}'", columns[c].name,
                               word.substr(0, 40)));
    }
    return nullptr;
  }
  return p;
}

void TraceFile::Impl::add_up() {
  for (std::size_t i = 0; i < summed.size(); ++i) {
    double& value = numbers[summed[i]];
    const bool is_time = columns[summed[i]].signal == "TIME";
    if (!std::isnan(value)) {
      sums[i] += value;
      value = sums[i];
    } else if (is_time) {
      value = sums[i];
    }
  }
}

bool TraceFile::next() {
  auto& t = *impl_;
  while (!t.stopped) {
    if (t.begin == t.lines_end && !t.fill()) return false;
    const char* start = t.buffer.get() + t.begin;
    const char* stop = t.buffer.get() + t.lines_end;
    t.row_offset = t.window_offset + t.begin;
    ++t.line;
    const auto bad_before = t.bad_rows;
    const char* after = t.parse_row(start, stop);
    const bool good = after != nullptr && !t.skipped_line;
    if (after == nullptr) {
      after = static_cast<const char*>(
                  std::memchr(start, '\n', static_cast<std::size_t>(stop - start))) +
              1;
    }
    t.begin = static_cast<std::size_t>(after - t.buffer.get());
    if (t.bad_rows != bad_before && t.dialect == TraceDialect::base_agent && t.options.absolute) {
      t.first_problem += " (the rows after it are not used: this dialect stores differences)";
      t.stopped = true;
      return false;
    }
    if (!good) continue;
    if (!t.summed.empty()) t.add_up();
    return true;
  }
  return false;
}

std::string TraceFile::problem() const {
  const auto& t = *impl_;
  if (t.read_errno != 0) return fmt::format("{}: {}", t.path, errno_text(t.read_errno));
  std::string text;
  if (!t.first_problem.empty()) {
    text = fmt::format("{}: {}", t.path, t.first_problem);
    if (t.bad_rows > 1) text += fmt::format("; {} rows left out", t.bad_rows);
    if (t.bad_rows == 1) text += "; row left out";
  }
  if (t.cut) {
    text += text.empty() ? t.path + ": " : std::string("; ");
    text += fmt::format("line {}: cut off in the middle; the rows before it are used", t.line + 1);
  }
  return text;
}

std::size_t TraceFile::find(std::string_view signal, Domain domain, int index) const {
  const auto name = canonical_name(signal);
  const auto& columns = impl_->columns;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].signal == name && columns[c].domain == domain && columns[c].index == index)
      return c;
  }
  return npos;
}

void TraceFile::select(std::span<const std::size_t> columns) {
  auto& t = *impl_;
  std::fill(t.uses.begin(), t.uses.end(), Impl::Use::skip);
  std::fill(t.numbers.begin(), t.numbers.end(), kNaN);
  std::fill(t.texts.begin(), t.texts.end(), std::string_view{});
  for (const auto c : columns) {
    t.uses.at(c) = t.columns[c].is_text ? Impl::Use::text : Impl::Use::number;
  }
}

void TraceFile::read_as_text(std::size_t column) {
  impl_->columns.at(column).is_text = true;
  impl_->uses[column] = Impl::Use::text;
  impl_->numbers[column] = kNaN;
}

TraceFile::TraceFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TraceFile::TraceFile(TraceFile&&) noexcept = default;
TraceFile& TraceFile::operator=(TraceFile&&) noexcept = default;
TraceFile::~TraceFile() = default;
const std::string& TraceFile::path() const { return impl_->path; }
TraceDialect TraceFile::dialect() const { return impl_->dialect; }
const std::vector<TraceColumn>& TraceFile::columns() const { return impl_->columns; }
std::span<const double> TraceFile::numbers() const { return impl_->numbers; }
std::string_view TraceFile::text(std::size_t column) const { return impl_->texts[column]; }
std::uint64_t TraceFile::row_offset() const { return impl_->row_offset; }
std::uint64_t TraceFile::line() const { return impl_->line; }
std::uint64_t TraceFile::bytes_read() const { return impl_->window_offset + impl_->begin; }
std::uint64_t TraceFile::size() const { return impl_->file_size; }
std::uint64_t TraceFile::data_offset() const { return impl_->first_row; }
std::string TraceFile::preamble(std::string_view key) const {
  for (const auto& [name, value] : impl_->preamble) {
    if (name == key) return value;
  }
  return {};
}

}  // namespace mete
