// What both readers of recordings share: lines of any length in bounded memory, JSON as other
// programs really write it, and a list of issues that cannot grow without end.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mete/dataset/recording.h"

namespace mete {

/// Longer lines are passed over, and said.
inline constexpr std::size_t kRecordingLineLimit = std::size_t{16} << 20U;

class RecordingLines {
 public:
  static Result<RecordingLines> open(const std::string& path);
  struct Line {
    std::string text;          ///< without its end; empty for a huge one
    std::uint64_t number = 0;  ///< from 1
    bool whole = true;         ///< it had an end
    bool huge = false;
  };
  /// False at the end. Lines that hold nothing but blanks are left out.
  bool next(Line& line);
  [[nodiscard]] bool read_failed() const { return failed_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  bool fill();
  std::unique_ptr<std::FILE, Close> file_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;
  bool failed_ = false;
};

/// JSON with what Python writes into it: NaN, Infinity and -Infinity (as null), and numbers as
/// keys.
Result<Json> parse_recorded_json(const std::string& line);

/// A finite number, or one in quotes, or a list of one; NaN otherwise.
double recorded_number(const Json& value);
/// "2021-12-08 13:55:49.307695" in seconds (local time of nobody knows where: only differences mean
/// anything); NaN if it is no such date.
double recorded_date_seconds(std::string_view text);
/// A pid given as a number or as text.
std::string recorded_pid(const Json& value);

class RecordingIssues {
 public:
  void add(std::string kind, std::uint64_t line, double seconds, std::string what);
  /// All, those above the limit of their kind as one.
  std::vector<RecordingIssue> take();

 private:
  static constexpr std::size_t kMostOfAKind = 20;
  std::vector<RecordingIssue> kept_;
  std::map<std::string, std::uint64_t> counts_;
};

/// Names intervals that are much longer than the usual one.
class GapFinder {
 public:
  explicit GapFinder(RecordingIssues& issues) : issues_(issues) {}
  /// The usual interval, where the file tells it.
  void set_usual(double seconds);
  void add(double seconds, std::uint64_t line);
  /// Judges what is still held back.
  void finish();

 private:
  void judge(double seconds, std::uint64_t line);
  void settle();
  static constexpr std::size_t kLearnFrom = 101;
  static constexpr double kTimes = 5;
  static constexpr double kLeast = 0.01;  // s: shorter is the machine's business
  RecordingIssues& issues_;
  std::vector<std::pair<double, std::uint64_t>> first_;
  double usual_ = 0;
};

/// Rows by pid, with a limit: what is above it shares the row "others".
class ProcessRows {
 public:
  explicit ProcessRows(RecordingIssues& issues) : issues_(issues) {}
  RecordingProcess& row(const std::string& pid);
  /// Most energy first.
  std::vector<RecordingProcess> take();

 private:
  static constexpr std::size_t kMost = 100'000;
  RecordingIssues& issues_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<RecordingProcess> rows_;
};

/// NaN + x = x.
void add_known(double& sum, double value);

/// The two readers. `lines` stands at the start of the file.
void read_aipowermeter(RecordingLines& lines, RecordingSummary& out, RecordingIssues& issues);
void read_mete_recording(RecordingLines& lines, RecordingSummary& out, RecordingIssues& issues);

/// The line as JSON; nothing (and an issue) if it cannot be used.
std::optional<Json> usable_record(const RecordingLines::Line& line, RecordingIssues& issues);

}  // namespace mete
