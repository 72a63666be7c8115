// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/trace_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/dataset/number_cell.h"
#include "mete/dataset/number_cell_sse.h"
#include "mete/dataset/trace_window.h"
#include "mete/signal/info.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kSeparator = TraceWindow::kSeparator;
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
  std::string path;
  TraceOptions options;
  TraceWindow window;

  TraceDialect dialect = TraceDialect::geopm;
  std::vector<std::pair<std::string, std::string>> preamble;
  std::vector<TraceColumn> columns;
  bool known = false;  ///< the columns are those that the options gave
  enum class Use : std::uint8_t { skip, number, text };
  std::vector<Use> uses;
  std::vector<double> numbers;
  std::vector<std::string_view> texts;
  /// A column whose differences are added up.
  struct Sum {
    std::size_t column = 0;
    double sum = 0;
    bool is_time = false;
  };
  std::vector<Sum> summed;

  std::uint64_t line = 0;
  std::uint64_t row_offset = 0;
  std::uint64_t first_row = 0;
  std::string header;
  std::string first_problem;
  std::uint64_t bad_rows = 0;
  bool stopped = false;
  bool sse = has_number_cell_sse();
  bool skipped_line = false;  ///< the line just parsed was no row, and no problem either

  bool next_line(std::string_view& out);
  Result<void> read_header();
  Result<void> name_columns();
  void look_at_first_rows();
  bool parse_whole_row() {
    return sse ? parse_whole_row_sse() : parse_whole_row_with(parse_whole_cell);
  }
  template <class ParseCell>
  bool parse_whole_row_with(ParseCell parse_cell);
  bool parse_whole_row_sse();
  const char* parse_row(const char* p, const char* stop);
  void note_bad_row(const std::string& why);
  [[nodiscard]] std::string too_long() const {
    return fmt::format("line {}: longer than {} MiB", line + 1, TraceWindow::kLongestLine >> 20U);
  }
  void add_up();
};

bool TraceFile::Impl::next_line(std::string_view& out) {
  if (!window.next_line(out)) return false;
  ++line;
  return true;
}

Result<void> TraceFile::Impl::name_columns() {
  const auto names = split(header, kSeparator);
  if (names.size() > kMostColumns) {
    return fail(Errc::invalid, "{}: line {}: more than {} columns", path, line, kMostColumns);
  }
  const auto named_as = [&](std::span<const TraceColumn> given) {
    return std::equal(
        names.begin(), names.end(), given.begin(), given.end(),
        [](std::string_view name, const TraceColumn& column) { return trim(name) == column.name; });
  };
  known = named_as(options.known_columns);
  const auto given = known ? options.known_columns : options.similar_columns;
  if (known || named_as(given)) {
    columns.assign(given.begin(), given.end());
  } else {
    columns.reserve(names.size());
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
    first_row = window.offset();
    if (columns.size() < 2) {
      return fail(Errc::invalid, "{}: line {}: not a trace: expected column names separated by '|'",
                  path, line);
    }
    return {};
  }
  if (const int error = window.read_errno(); error != 0)
    return fail(errc_of_errno(error), "{}: {}", path, errno_text(error));
  if (window.too_long()) return fail(Errc::invalid, "{}: {}", path, too_long());
  return fail(Errc::invalid, "{}: {}: expected a header line of column names separated by '|'",
              path, window.file_size() == 0 ? "is empty" : "ends before its header line");
}

/// A column is text if its name says so or if a cell among the first rows is no number.
void TraceFile::Impl::look_at_first_rows() {
  for (auto& column : columns) {
    column.is_text = is_text_name(column.signal);
    column.text_width = 0;
  }
  if (!window.has_line()) return;
  const char* p = window.line();
  std::vector<std::uint32_t> ends;
  for (int row = 0; row < 32 && p < window.stop(); ++row) {
    const auto* end =
        static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(window.stop() - p)));
    const auto length = static_cast<std::size_t>(end + 1 - p);
    if (ends.size() < length + kCellEndsGroup) ends.resize(length + kCellEndsGroup);
    const auto* found = find_cell_ends(p, 0, length, ends.data());
    const char* start = std::exchange(p, end + 1);
    if (static_cast<std::size_t>(found - ends.data()) != columns.size()) continue;
    for (std::size_t c = 0, from = 0; c < columns.size(); from = ends[c++] + 1) {
      auto& column = columns[c];
      std::string_view cell(start + from, ends[c] - from);
      if (!cell.empty() && (cell.front() <= ' ' || cell.back() <= ' ')) cell = trim(cell);
      column.text_width = std::max(column.text_width, cell.size());
      if (column.is_text || cell.empty()) continue;
      if (row == 0 || cell.starts_with("0x")) {
        column.is_text = !parse_double(cell.starts_with('+') ? cell.substr(1) : cell);
      }
    }
  }
}

Result<TraceFile> TraceFile::open(const std::string& path, const TraceOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->options = options;
  METE_TRY_VOID(impl->window.open(path, options.block_bytes));
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
        impl->summed.push_back({c, 0, impl->columns[c].signal == "TIME"});
      }
    }
  }
  return TraceFile(std::move(impl));
}

void TraceFile::Impl::note_bad_row(const std::string& why) {
  if (first_problem.empty()) first_problem = fmt::format("line {}: {}", line, why);
  ++bad_rows;
}

/// A row as it should be, its cells where the window has found them. False, and nothing said, if
/// anything is amiss: parse_row() then tells what.
template <class ParseCell>
[[gnu::always_inline]] inline bool TraceFile::Impl::parse_whole_row_with(ParseCell parse_cell) {
  const std::size_t n = columns.size();
  const std::uint32_t* ends = window.cell_ends(n);
  if (ends == nullptr) return false;
  const char* base = window.base();
  const char* stop = window.stop();
  const char* p = window.line();
  const Use* use = uses.data();
  double* number = numbers.data();
  std::string_view* text = texts.data();
  for (std::size_t c = 0; c < n; ++c) {
    const char* end = base + ends[c];
    if (*end != kSeparator && c + 1 != n) return false;
    if (use[c] == Use::number) {
      if (!parse_cell(p, end, stop, kSeparator, number[c])) return false;
    } else if (use[c] == Use::text) {
      text[c] = std::string_view(p, static_cast<std::size_t>(end - p));
    }
    p = end + 1;
  }
  if (p[-1] != '\n') return false;
  if (p[-2] == '\r' && p - 2 >= window.line()) return false;
  window.used_cells(n);
  window.step_to(p);
  return true;
}

METE_FOR_SSE41 bool TraceFile::Impl::parse_whole_row_sse() {
  return parse_whole_row_with(parse_whole_cell_sse);
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
  double* number = numbers.data();
  for (auto& [column, sum, is_time] : summed) {
    double& value = number[column];
    if (!std::isnan(value)) {
      sum += value;
      value = sum;
    } else if (is_time) {
      value = sum;
    }
  }
}

bool TraceFile::next() {
  auto& t = *impl_;
  while (!t.stopped && t.window.has_line()) {
    t.row_offset = t.window.offset();
    ++t.line;
    if (t.parse_whole_row()) {
      if (!t.summed.empty()) t.add_up();
      return true;
    }
    const char* start = t.window.line();
    const char* stop = t.window.stop();
    const auto bad_before = t.bad_rows;
    const char* after = t.parse_row(start, stop);
    const bool good = after != nullptr && !t.skipped_line;
    if (after == nullptr) {
      after = static_cast<const char*>(
                  std::memchr(start, '\n', static_cast<std::size_t>(stop - start))) +
              1;
    }
    t.window.step_to(after);
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
  if (const int error = t.window.read_errno(); error != 0)
    return fmt::format("{}: {}", t.path, errno_text(error));
  std::string text;
  std::string first = t.first_problem;
  if (first.empty() && t.window.too_long()) first = t.too_long();
  if (!first.empty()) {
    text = fmt::format("{}: {}", t.path, first);
    if (t.bad_rows > 1) text += fmt::format("; {} rows left out", t.bad_rows);
    if (t.bad_rows == 1) text += "; row left out";
  }
  if (t.window.cut()) {
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
std::span<const std::string_view> TraceFile::texts() const { return impl_->texts; }
std::string_view TraceFile::text(std::size_t column) const { return impl_->texts[column]; }
std::uint64_t TraceFile::row_offset() const { return impl_->row_offset; }
std::uint64_t TraceFile::line() const { return impl_->line; }
std::uint64_t TraceFile::bytes_read() const { return impl_->window.offset(); }
std::uint64_t TraceFile::size() const { return impl_->window.file_size(); }
std::uint64_t TraceFile::data_offset() const { return impl_->first_row; }
std::string TraceFile::preamble(std::string_view key) const {
  for (const auto& [name, value] : impl_->preamble) {
    if (name == key) return value;
  }
  return {};
}

}  // namespace mete
