// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/recording_lines.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "mete/base/files.h"
#include "mete/base/stats.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `-Infinity`, `Infinity` or `NaN` at the start of `rest`: how long it is, else 0.
std::size_t python_word(std::string_view rest) {
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (rest.starts_with(word)) return word.size();
  }
  return 0;
}

/// `123 :` behind `{` or `,`: how many digits, else 0.
std::size_t bare_key(std::string_view rest, char before) {
  if (before != '{' && before != ',') return 0;
  std::size_t digits = 0;
  while (digits < rest.size() && is_digit(rest[digits])) ++digits;
  std::size_t end = digits;
  while (end < rest.size() && rest[end] == ' ') ++end;
  return digits > 0 && end < rest.size() && rest[end] == ':' ? digits : 0;
}

std::string as_strict_json(const std::string& line) {
  std::string out;
  out.reserve(line.size() + 16);
  bool quoted = false;
  char before = 0;  // the last character outside quotes that is no blank
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      out += c;
      if (c == '\\' && i + 1 < line.size()) out += line[++i];
      if (c == '"') quoted = false;
      continue;
    }
    const std::string_view rest = std::string_view(line).substr(i);
    if (const auto word = python_word(rest); word > 0) {
      out += "null";
      i += word - 1;
      before = 'l';
      continue;
    }
    if (const auto digits = is_digit(c) ? bare_key(rest, before) : 0; digits > 0) {
      out += fmt::format("\"{}\"", rest.substr(0, digits));
      i += digits - 1;
      before = '"';
      continue;
    }
    quoted = c == '"';
    if (c != ' ' && c != '\t') before = c;
    out += c;
  }
  return out;
}

}  // namespace

std::size_t recording_domain(std::string_view name) {
  return static_cast<std::size_t>(
      std::find(kRecordingDomains.begin(), kRecordingDomains.end(), name) -
      kRecordingDomains.begin());
}

Result<RecordingLines> RecordingLines::open(const std::string& path) {
  if (is_directory(path)) return fail(Errc::invalid, "{}: is a folder, expected a file", path);
  RecordingLines lines;
  lines.file_.reset(std::fopen(path.c_str(), "re"));
  if (!lines.file_) {
    return fail(Errc::invalid, "{}: cannot open: {}", path, errno_text(errno));
  }
  return lines;
}

bool RecordingLines::fill() {
  constexpr std::size_t kChunk = std::size_t{1} << 18U;
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + kChunk);
  const std::size_t n = std::fread(buffer_.data() + old, 1, kChunk, file_.get());
  if (std::ferror(file_.get()) != 0) failed_ = true;
  buffer_.resize(old + n);
  return n > 0;
}

bool RecordingLines::next(Line& line) {
  while (true) {
    line = Line{};
    line.number = ++number_;
    std::size_t looked = at_;
    std::size_t end = std::string::npos;
    while ((end = buffer_.find('\n', looked)) == std::string::npos) {
      if (buffer_.size() - at_ > kRecordingLineLimit) {
        line.huge = true;
        at_ = buffer_.size();  // what was read of it is of no use
      }
      looked = buffer_.size() - at_;
      if (!fill()) break;
    }
    if (end == std::string::npos) {
      line.whole = false;
      end = buffer_.size();
      if (at_ == end && !line.huge) return false;
    }
    if (end - at_ > kRecordingLineLimit) line.huge = true;
    if (!line.huge) line.text.assign(buffer_, at_, end - at_);
    at_ = std::min(end + 1, buffer_.size());
    if (line.huge || !trim(line.text).empty()) return true;
    if (!line.whole) return false;
  }
}

Result<Json> parse_recorded_json(const std::string& line) {
  auto strict = parse_json(line);
  if (strict) return strict;
  auto relaxed = parse_json(as_strict_json(line));
  return relaxed ? std::move(relaxed) : std::move(strict);
}

double recorded_number(const Json& value) {
  if (value.is_number()) {
    const double number = value.as_number();
    return std::isfinite(number) ? number : kNaN;
  }
  if (value.is_string()) {
    const auto number = parse_double(value.as_string());
    return number && std::isfinite(*number) ? *number : kNaN;
  }
  // A comma too many in AIPowerMeter made uncore_power a list of one.
  if (value.is_array() && value.items().size() == 1 && !value.items().front().is_array()) {
    return recorded_number(value.items().front());
  }
  return kNaN;
}

std::string recorded_pid(const Json& value) {
  if (value.is_integer()) return fmt::format("{}", value.as_integer());
  if (value.is_number()) return fmt::format("{:.0f}", value.as_number());
  return value.as_string();
}

void RecordingIssues::add(std::string kind, std::uint64_t line, double seconds, std::string what) {
  if (++counts_[kind] <= kMostOfAKind) {
    kept_.push_back({std::move(kind), line, seconds, std::move(what)});
  }
}

std::vector<RecordingIssue> RecordingIssues::take() {
  for (const auto& [kind, count] : counts_) {
    if (count <= kMostOfAKind) continue;
    kept_.push_back({kind, 0, kNaN,
                     fmt::format("{} more of this kind, {} in all", count - kMostOfAKind, count)});
  }
  counts_.clear();
  return std::move(kept_);
}

void GapFinder::set_usual(double seconds) {
  if (seconds > 0 && std::isfinite(seconds)) usual_ = seconds;
}

void GapFinder::add(double seconds, std::uint64_t line) {
  if (usual_ > 0) return judge(seconds, line);
  first_.emplace_back(seconds, line);
  if (first_.size() == kLearnFrom) settle();
}

void GapFinder::finish() {
  // Two intervals do not tell which of them is usual.
  if (first_.size() >= 3) settle();
}

void GapFinder::settle() {
  std::vector<double> seconds;
  for (const auto& one : first_) seconds.push_back(one.first);
  usual_ = median_of(seconds);
  for (const auto& [length, line] : first_) judge(length, line);
  first_.clear();
}

void GapFinder::judge(double seconds, std::uint64_t line) {
  if (seconds < kTimes * usual_ || seconds < kLeast) return;
  issues_.add("gap", line, seconds,
              fmt::format("no sample for {} before this line, where {} is usual",
                          format_quantity(seconds, "s"), format_quantity(usual_, "s")));
}

RecordingProcess& ProcessRows::row(const std::string& pid) {
  const auto found = index_.find(pid);
  if (found != index_.end()) return rows_[found->second];
  const bool full = index_.size() >= kMost;
  if (full && pid != "others") {
    if (index_.size() == kMost) {
      issues_.add("many_processes", 0, kNaN,
                  fmt::format("more than {} processes: the rest are summed up as 'others'", kMost));
    }
    return row("others");
  }
  index_.emplace(pid, rows_.size());
  rows_.push_back({pid, "", kUnknownEnergy, kNaN, kNaN});
  return rows_.back();
}

std::vector<RecordingProcess> ProcessRows::take() {
  const auto weight = [](const RecordingProcess& process) {
    double sum = 0;
    for (const double joules : process.energy) sum += std::isnan(joules) ? 0 : joules;
    return sum;
  };
  const auto key = [&weight](const RecordingProcess& process) {
    return std::pair(weight(process), std::isnan(process.cpu_seconds) ? -1 : process.cpu_seconds);
  };
  std::stable_sort(rows_.begin(), rows_.end(),
                   [&](const auto& a, const auto& b) { return key(a) > key(b); });
  return std::move(rows_);
}

void add_known(double& sum, double value) {
  if (std::isnan(value)) return;
  sum = std::isnan(sum) ? value : sum + value;
}

std::optional<Json> usable_record(const RecordingLines::Line& line, RecordingIssues& issues) {
  if (line.huge) {
    issues.add("huge_line", line.number, kNaN,
               fmt::format("longer than {} MiB, passed over", kRecordingLineLimit >> 20U));
    return std::nullopt;
  }
  auto parsed = parse_recorded_json(line.text);
  if (parsed) return std::move(*parsed);
  if (!line.whole) {
    issues.add("cut_line", line.number, kNaN, "the last line was cut off when the writer ended");
  } else {
    issues.add("bad_line", line.number, kNaN,
               fmt::format("is no JSON, passed over: {}", parsed.error().what));
  }
  return std::nullopt;
}

}  // namespace mete
