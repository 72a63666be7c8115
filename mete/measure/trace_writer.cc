// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/trace_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/measure/report_writer.h"
#include "mete/measure/yaml_text.h"

namespace mete {
namespace {

constexpr std::size_t kTail = std::size_t{1} << 20U;
constexpr std::size_t kHeadLimit = std::size_t{4} << 20U;

/// Removes what follows the last newline, which a kill or a full disk cut. Regular files only.
Result<void> cut_to_whole_lines(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return {};
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return fail(errc_of_errno(errno), "{}: cannot open: {}", path, errno_text(errno));
  const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(kTail));
  std::string tail(static_cast<std::size_t>(info.st_size - from), '\0');
  const ssize_t got = ::pread(fd, tail.data(), tail.size(), from);
  tail.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  const auto newline = tail.rfind('\n');
  int error = 0;
  if (newline != std::string::npos || from == 0) {
    const off_t end = newline == std::string::npos ? 0 : from + static_cast<off_t>(newline) + 1;
    if (end != info.st_size && ::ftruncate(fd, end) != 0) error = errno;
  }
  ::close(fd);
  if (error != 0) return fail(errc_of_errno(error), "{}: cannot cut: {}", path, errno_text(error));
  return {};
}

std::string header_line(const std::vector<TraceWriterColumn>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const auto& column : columns) names.push_back(column.name);
  return join(names, "|");
}

std::string preamble(const RunHeader& header, const std::vector<TraceWriterColumn>& columns) {
  Json units = Json::object();
  Json sources = Json::object();
  for (const auto& column : columns) {
    units.set(column.name, column.unit);
    sources.set(column.name, column.source);
  }
  std::string text;
  const auto line = [&text](std::string_view key, std::string_view value) {
    text += fmt::format("# {}: {}\n", key, value);
  };
  line("geopm_version", kGeopmFormat);
  line("start_time", header.start_time);
  line("profile_name", yaml_text(header.profile));
  line("node_name", yaml_text(header.node));
  line("agent", yaml_text(header.agent));
  // GEOPM's reader takes all leading lines with '#' as one YAML document and asks for the five
  // above.
  line("mete_period", yaml_number(header.period));
  line("mete_replayed", header.replayed ? "true" : "false");
  line("mete_units", yaml_flow(units));
  line("mete_sources", yaml_flow(sources));
  return text;
}

/// The header line of an existing trace: the first line that is no '#' line. Empty: there is none.
Result<std::string> existing_header(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return std::string();
  if (fd < 0) return fail(errc_of_errno(errno), "{}: cannot open: {}", path, errno_text(errno));
  std::string head;
  std::array<char, 65536> chunk{};
  std::size_t at = 0;  // start of the line looked at
  std::string found;
  while (found.empty() && head.size() < kHeadLimit) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) break;
    head.append(chunk.data(), static_cast<std::size_t>(got));
    for (auto end = head.find('\n', at); end != std::string::npos && found.empty();
         end = head.find('\n', at)) {
      if (head[at] != '#' && end > at) found = head.substr(at, end - at);
      at = end + 1;
    }
  }
  ::close(fd);
  if (found.empty() && head.size() >= kHeadLimit) {
    return fail(Errc::invalid, "{}: has no header line; expected a trace to append to", path);
  }
  return found;
}

Error columns_differ(const std::string& path, std::string_view theirs, std::string_view ours) {
  const auto a = split(theirs, '|');
  const auto b = split(ours, '|');
  std::size_t i = 0;
  while (i < std::min(a.size(), b.size()) && a[i] == b[i]) ++i;
  const auto name = [i](const auto& list) {
    return i < list.size() ? fmt::format("'{}'", trim(list[i])) : std::string("no more");
  };
  return fail(Errc::invalid,
              "{}: cannot append: column {} is {} there, {} in this run; use the same signals and "
              "agent, or another file",
              path, i + 1, name(a), name(b));
}

/// The two digits of every number below a hundred.
constexpr std::array<char, 200> digit_pairs() {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}

char* put_pair(char* out, std::uint32_t below_hundred) noexcept {
  static constexpr auto kPairs = digit_pairs();
  std::memcpy(out, kPairs.data() + std::size_t{2} * below_hundred, 2);
  return out + 2;
}

/// `value` to the nearest whole number, for 0 <= value < 2^53; std::nearbyint without a call.
double to_whole(double value) noexcept {
  constexpr double kNoFractions = 0x1.0p52;  // from here on doubles have none
  return value < kNoFractions ? (value + kNoFractions) - kNoFractions : value;
}

/// Most sensors count whole micro- or milli-units, and times are nanoseconds: such values are a
/// whole number over 1e9, several times quicker to print than to find the shortest form of any
/// double. Both that quotient and what a reader makes of the text are rounded correctly, so they
/// are equal. nullptr if the value is none of these.
char* put_billionths(char* out, double value) noexcept {
  constexpr double kBillion = 1e9;
  constexpr double kLimit = 9.0e6;  // times 1e9 stays below 2^53
  if (!(value > 0 && value < kLimit)) return nullptr;
  const double scaled = to_whole(value * kBillion);
  if (scaled / kBillion != value) return nullptr;
  const auto units = static_cast<std::uint64_t>(scaled);
  const auto fraction = static_cast<std::uint32_t>(units % 1'000'000'000U);
  out = std::to_chars(out, out + 8, static_cast<std::uint32_t>(units / 1'000'000'000U)).ptr;
  if (fraction == 0) return out;
  *out++ = '.';
  const std::uint32_t first = fraction / 10'000;  // five digits
  const std::uint32_t last = fraction % 10'000;
  *out++ = static_cast<char>('0' + first / 10'000);
  out = put_pair(out, first % 10'000 / 100);
  out = put_pair(out, first % 100);
  out = put_pair(out, last / 100);
  out = put_pair(out, last % 100);
  while (out[-1] == '0') --out;  // ends: the fraction is not 0
  return out;
}

}  // namespace

char* format_trace_cell(char* out, double value, Format format) noexcept {
  const auto put = [out](std::string_view text) {
    return std::copy(text.begin(), text.end(), out);
  };
  char* const end = out + kTraceCellLimit;
  const bool whole =
      std::abs(value) < 0x1.0p63 && value == static_cast<double>(static_cast<std::int64_t>(value));
  if (format == Format::hex) {
    if (!whole || value < 0) return put("NAN");
    const auto code = static_cast<std::uint64_t>(value);
    char* digits = put("0x");
    int width = 8;
    while (width < 16 && (code >> (4U * static_cast<unsigned>(width))) != 0) ++width;
    for (int shift = 4 * (width - 1); shift >= 0; shift -= 4) {
      *digits++ = "0123456789abcdef"[(code >> static_cast<unsigned>(shift)) & 0xFU];
    }
    return digits;
  }
  if (std::isnan(value)) return put("nan");  // to_chars would tell its sign
  if (whole && (format == Format::integer || std::abs(value) < 1e15)) {
    return std::to_chars(out, end, static_cast<std::int64_t>(value)).ptr;
  }
  if (char* const fixed = put_billionths(out, value)) return fixed;
  return std::to_chars(out, end, value).ptr;
}

Result<void> TraceWriter::check(const std::string& path,
                                const std::vector<TraceWriterColumn>& columns, bool append) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return check_writable(path);
  if (S_ISDIR(info.st_mode)) return fail(Errc::invalid, "{}: is a folder, expected a file", path);
  if (!S_ISREG(info.st_mode)) return {};
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) {
    return fail(Errc::invalid, "{}: cannot write: {}; choose a place that you may write", path,
                errno_text(errno));
  }
  ::close(fd);
  if (!append) return {};
  METE_TRY(const std::string existing, existing_header(path));
  const std::string names = header_line(columns);
  if (!existing.empty() && trim(existing) != names) return columns_differ(path, existing, names);
  return {};
}

Result<TraceWriter> TraceWriter::open(const std::string& path, const RunHeader& header,
                                      std::vector<TraceWriterColumn> columns, bool append) {
  TraceWriter trace;
  const std::string names = header_line(columns);
  bool has_header = false;
  if (append) {
    METE_TRY_VOID(check(path, columns, append));
    METE_TRY(const std::string existing, existing_header(path));
    has_header = !existing.empty();
    if (has_header) METE_TRY_VOID(cut_to_whole_lines(path));
  }
  const std::size_t longest = columns.size() * (kTraceCellLimit + 1) + 1;
  METE_TRY(trace.writer_,
           LineWriter::open(path, has_header, std::max<std::size_t>(longest * 4, 1U << 16U)));
  trace.line_.resize(longest);
  trace.pending_.resize(columns.size() * kRowsTogether);
  trace.cells_.resize(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) trace.cells_[i].format = columns[i].format;
  if (!has_header) {
    trace.writer_.write(preamble(header, columns));
    trace.writer_.write(names + "\n");
    trace.writer_.flush();
    // Told now, not after an hour's run.
    if (trace.writer_.failed()) {
      auto error = trace.writer_.close();
      return error ? fail(Errc::failed, "{}: cannot write", path) : error.error();
    }
  }
  return trace;
}

void TraceWriter::row(std::span<const double> values) noexcept {
  if (!is_open() || failed()) return;
  const std::size_t width = cells_.size();
  const auto at = pending_.begin() + static_cast<std::ptrdiff_t>(rows_pending_ * width);
  const std::size_t n = std::min(values.size(), width);
  std::fill_n(std::copy_n(values.begin(), n, at), width - n,
              std::numeric_limits<double>::quiet_NaN());
  if (++rows_pending_ == kRowsTogether) format_pending();
}

void TraceWriter::flush() noexcept {
  format_pending();
  writer_.flush();
}

void TraceWriter::format_pending() noexcept {
  const std::size_t width = cells_.size();
  for (std::size_t r = 0; r < rows_pending_; ++r) {
    write_row(std::span(pending_).subspan(r * width, width));
  }
  rows_pending_ = 0;
}

void TraceWriter::write_row(std::span<const double> values) noexcept {
  char* at = line_.data();
  for (std::size_t i = 0; i < values.size(); ++i) {
    Cell& cell = cells_[i];
    // Most sensors change more slowly than they are sampled.
    if (const auto bits = std::bit_cast<std::uint64_t>(values[i]);
        bits != cell.bits || cell.size == 0) {
      cell.bits = bits;
      cell.size = static_cast<std::size_t>(
          format_trace_cell(cell.text.data(), values[i], cell.format) - cell.text.data());
    }
    if (i > 0) *at++ = '|';
    // Of a known length, which is one move and no call; what is too much is written over.
    std::memcpy(at, cell.text.data(), cell.text.size());
    at += cell.size;
  }
  *at++ = '\n';
  writer_.write({line_.data(), static_cast<std::size_t>(at - line_.data())});
}

Result<void> TraceWriter::close() {
  if (!is_open()) return {};
  const std::string path = writer_.path();
  format_pending();
  auto outcome = writer_.close();
  if (!outcome) {
    // The disk was full, say: whole rows stay, whatever cutting says.
    [[maybe_unused]] const auto cut = cut_to_whole_lines(path);
  }
  return outcome;
}

}  // namespace mete
