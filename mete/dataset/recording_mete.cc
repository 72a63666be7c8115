// mete's own recordings: a header, then samples of cumulative energy, processes, regions, errors.
// docs/formats/recording.md. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "mete/base/text.h"
#include "mete/dataset/recording_lines.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostSeries = 100'000;
constexpr std::size_t kMostRegions = 100'000;
constexpr std::size_t kMostSpans = 100'000;  // of all regions

struct Series {
  std::string label;
  std::size_t domain = kRecordingDomains.size();  // none
  bool estimate = false;
  bool energy = false;
  std::string source;
  double last = kNaN;
  double last_time = kNaN;
  double joules = kNaN;
  double unknown_seconds = 0;
};

RecordingEnergy read_energy(const Json& object) {
  RecordingEnergy out = kUnknownEnergy;
  for (std::size_t d = 0; d < out.size(); ++d) {
    out[d] = recorded_number(object[kRecordingDomains[d]]);
  }
  return out;
}

/// A count that somebody else wrote: no less than 0, no more than fits.
template <class Count>
Count read_count(const Json& value) {
  const double number = recorded_number(value);
  if (!(number > 0)) return 0;
  return static_cast<Count>(
      std::min(number, static_cast<double>(std::numeric_limits<Count>::max() / 2)));
}

/// [begin, end, count, seconds, threads]; false if it is not that.
bool read_span(const Json& value, RecordingSpan& out) {
  const auto& parts = value.items();
  if (parts.size() < 5) return false;
  out.begin = recorded_number(parts[0]);
  out.end = recorded_number(parts[1]);
  out.count = read_count<std::uint64_t>(parts[2]);
  out.seconds = recorded_number(parts[3]);
  out.threads = read_count<std::uint32_t>(parts[4]);
  return out.begin >= 0 && out.end >= out.begin && out.seconds >= 0 && std::isfinite(out.end) &&
         std::isfinite(out.seconds);
}

class Reader {
 public:
  Reader(RecordingSummary& out, RecordingIssues& issues)
      : out_(out), issues_(issues), rows_(issues), gaps_(issues) {}
  void line(const RecordingLines::Line& line);
  void finish();

 private:
  void header(const Json& record, std::uint64_t line);
  void sample(const Json& record, std::uint64_t line);
  void value(Series& series, double now, double value, std::uint64_t line);
  void process(const Json& record);
  void region(const Json& record);
  void balance(const Json& record);
  void close_segment(bool ended);

  RecordingSummary& out_;
  RecordingIssues& issues_;
  ProcessRows rows_;
  GapFinder gaps_;
  std::vector<Series> series_;
  std::unordered_map<std::string, std::size_t> regions_;
  std::size_t spans_ = 0;
  double last_time_ = kNaN;
  bool open_ = false;
  std::uint64_t segment_samples_ = 0;
};

void Reader::header(const Json& record, std::uint64_t line) {
  close_segment(false);
  const auto schema = record["schema"].as_string();
  if (schema != "mete.recording/1") {
    issues_.add(
        "error", line, kNaN,
        fmt::format("schema '{}': expected mete.recording/1; read as far as it is alike", schema));
  }
  out_.replayed = out_.replayed || record["replayed"].as_bool();
  gaps_.set_usual(recorded_number(record["period_seconds"]));
  const auto& list = record["series"].items();
  for (std::size_t i = 0; i < std::min(list.size(), kMostSeries); ++i) {
    const Json& one = list[i];
    Series series;
    const auto role = one["role"].as_string();
    series.label = fmt::format("{}@{}-{}", one["name"].as_string(), one["domain"].as_string(),
                               one["index"].as_integer());
    series.source = one["source"].as_string();
    series.domain = recording_domain(role);
    series.estimate = role == "estimate";
    series.energy = series.estimate || series.domain < kRecordingDomains.size();
    series_.push_back(std::move(series));
  }
  open_ = true;
}

void Reader::value(Series& series, double now, double value, std::uint64_t line) {
  if (!series.energy) return;
  if (std::isnan(value)) {
    if (!std::isnan(last_time_)) series.unknown_seconds += now - last_time_;
    return;
  }
  if (std::isnan(series.last)) {
    series.joules = 0;
  } else if (value < series.last) {
    issues_.add(
        "reset", line, now - series.last_time,
        fmt::format("{} went back from {} to {} J: the energy of {} is unknown", series.label,
                    series.last, value, format_quantity(now - series.last_time, "s")));
  } else {
    series.joules += value - series.last;
  }
  series.last = value;
  series.last_time = now;
}

void Reader::sample(const Json& record, std::uint64_t line) {
  const double now = recorded_number(record["t_ns"]) * 1e-9;
  const auto& values = record["values"].items();
  if (std::isnan(now) || !open_ || values.size() != series_.size()) {
    issues_.add("bad_line", line, kNaN,
                open_ ? fmt::format("expected t_ns and {} values, passed over", series_.size())
                      : std::string("a sample before any header, passed over"));
    return;
  }
  if (now < last_time_) {
    issues_.add("clock_back", line, last_time_ - now,
                "its time is before that of the sample above");
    return;
  }
  for (std::size_t i = 0; i < series_.size(); ++i) {
    value(series_[i], now, recorded_number(values[i]), line);
  }
  if (!std::isnan(last_time_)) {
    out_.duration_seconds += now - last_time_;
    gaps_.add(now - last_time_, line);
  }
  last_time_ = now;
  ++out_.samples;
  ++segment_samples_;
}

void Reader::process(const Json& record) {
  const auto pid = recorded_pid(record["pid"]);
  if (pid.empty()) return;
  RecordingProcess& row = rows_.row(pid == "0" ? "ended" : pid);
  if (row.pid == "others") return;  // cumulative figures of several cannot be told apart
  if (auto name = record["name"].as_string(); !name.empty()) row.name = std::move(name);
  const RecordingEnergy energy = read_energy(record["energy_joules"]);
  for (std::size_t d = 0; d < energy.size(); ++d) {
    if (!std::isnan(energy[d])) row.energy[d] = energy[d];  // cumulative: the last one counts
  }
  if (const double cpu = recorded_number(record["cpu_seconds"]); cpu >= 0) row.cpu_seconds = cpu;
  const double bytes = recorded_number(record["rss_bytes"]);
  if (bytes >= 0 && !(row.memory_peak_bytes >= bytes)) row.memory_peak_bytes = bytes;
}

void Reader::region(const Json& record) {
  const auto name = record["name"].as_string();
  if (name.empty()) return;
  auto found = regions_.find(name);
  if (found == regions_.end()) {
    if (out_.regions.size() >= kMostRegions) return;
    found = regions_.emplace(name, out_.regions.size()).first;
    out_.regions.push_back({name, 0, 0, kUnknownEnergy, kUnknownEnergy, 0, {}});
  }
  RecordingRegion& row = out_.regions[found->second];
  row.count = static_cast<std::uint64_t>(std::max<std::int64_t>(0, record["count"].as_integer()));
  row.seconds = recorded_number(record["seconds"]);
  row.energy = read_energy(record["energy_joules"]);
  row.own_energy = read_energy(record["own_energy_joules"]);
  row.level = read_count<std::uint32_t>(record["level"]);
  spans_ -= row.spans.size();
  row.spans.clear();  // the last record of a region counts
  for (const Json& one : record["spans"].items()) {
    RecordingSpan span;
    if (spans_ < kMostSpans && read_span(one, span)) {
      row.spans.push_back(span);
      ++spans_;
    }
  }
}

void Reader::balance(const Json& record) {
  std::vector<RecordingBalance> balances;
  for (const auto& [domain, figures] : record["domains"].members()) {
    balances.push_back({domain, recorded_number(figures["measured"]),
                        recorded_number(figures["attributed"]), recorded_number(figures["idle"]),
                        recorded_number(figures["others"])});
    const RecordingBalance& b = balances.back();
    const double parts = b.attributed + b.idle + b.others;
    if (std::abs(parts - b.measured) <= 1e-3 * std::abs(b.measured) + 1e-9) continue;
    issues_.add("conservation", 0, kNaN,
                fmt::format("{}: attributed, idle and others sum to {} J, {} J were measured",
                            domain, parts, b.measured));
  }
  out_.balances = std::move(balances);
}

/// The figures of a segment's series go into the totals.
void Reader::close_segment(bool ended) {
  if (!open_) return;
  if (!ended) {
    issues_.add("no_end", 0, kNaN,
                "there is no end record: the recorder was killed, or the disk was full");
  }
  if (segment_samples_ == 1) {
    issues_.add("short_segment", 0, kNaN, "a segment of one sample has no energy");
  }
  for (const Series& series : series_) {
    if (!series.energy || segment_samples_ < 2) continue;
    if (series.estimate) {
      out_.estimates.emplace_back(series.label, series.joules);
      continue;
    }
    // A part that never answered is named below: the sum is that of the others.
    add_known(out_.energy[series.domain], series.joules);
    out_.sources[series.domain] = series.source;
    if (series.unknown_seconds > 0 || std::isnan(series.joules)) {
      issues_.add("missing", 0, series.unknown_seconds,
                  fmt::format("{} gave no value for {}", series.label,
                              format_quantity(series.unknown_seconds, "s")));
    }
  }
  if (segment_samples_ > 0) ++out_.segments;
  series_.clear();
  segment_samples_ = 0;
  last_time_ = kNaN;
  open_ = false;
}

void Reader::line(const RecordingLines::Line& line) {
  const auto record = usable_record(line, issues_);
  if (!record) return;
  const auto kind = (*record)["record"].as_string();
  if (kind == "header") {
    header(*record, line.number);
  } else if (kind == "sample") {
    sample(*record, line.number);
  } else if (kind == "process") {
    process(*record);
  } else if (kind == "region") {
    region(*record);
  } else if (kind == "attribution") {
    balance(*record);
  } else if (kind == "error") {
    issues_.add("error", line.number, kNaN, (*record)["what"].as_string());
  } else if (kind == "end") {
    close_segment(true);
  } else {
    issues_.add("bad_line", line.number, kNaN,
                fmt::format("record '{}' is none that this reads, passed over", kind));
  }
}

void Reader::finish() {
  close_segment(false);
  out_.processes = rows_.take();
}

}  // namespace

void read_mete_recording(RecordingLines& lines, RecordingSummary& out, RecordingIssues& issues) {
  Reader reader(out, issues);
  RecordingLines::Line line;
  while (lines.next(line)) reader.line(line);
  reader.finish();
}

}  // namespace mete
