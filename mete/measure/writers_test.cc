// Trace, report and the YAML they are made of, without a session.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/measure/report_writer.h"
#include "mete/measure/trace_writer.h"
#include "mete/measure/yaml_text.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::string temp_file(const std::string& name) {
  const std::string folder = fmt::format("/tmp/mete-measure-test-{}", ::getpid());
  [[maybe_unused]] const auto made = make_directories(folder);
  return path_join(folder, name);
}

/// The regular expression of YAML 1.1 for floats, as a hand-written check: sign, digits, a point,
/// digits, and an exponent only with its sign.
bool yaml11_reads_as_float(std::string_view text) {
  if (text == ".nan" || text == ".inf" || text == "-.inf") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > from;
  };
  if (!digits() || i >= text.size() || text[i++] != '.') return false;
  digits();
  if (i == text.size()) return true;
  if (text[i++] != 'e' || i >= text.size() || (text[i] != '+' && text[i] != '-')) return false;
  ++i;
  return digits() && i == text.size();
}

TEST(YamlText, NumbersReadBackEqualAndAsNumbers) {
  std::mt19937_64 random(7);
  std::vector<double> values{0,
                             -0.0,
                             1,
                             1.38e9,
                             1e9,
                             1e22,
                             1e-7,
                             5e-324,
                             1.7976931348623157e308,
                             0.1,
                             -2.5,
                             1e15,
                             123456789012345680.0};
  while (values.size() < 20000) {
    const std::uint64_t bits = random();
    double v = 0;
    std::memcpy(&v, &bits, sizeof v);
    if (std::isfinite(v)) values.push_back(v);
  }
  for (const double v : values) {
    const std::string text = yaml_number(v);
    EXPECT_TRUE(yaml11_reads_as_float(text)) << text;
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), v) << text;
  }
  EXPECT_EQ(yaml_number(kNaN), ".nan");
  EXPECT_EQ(yaml_number(-kInf), "-.inf");
  EXPECT_EQ(yaml_number(1.38e9), "1380000000.0");
}

TEST(YamlText, WordsStayWordsWhateverTheyHold) {
  EXPECT_EQ(yaml_text("gpu_torch"), "gpu_torch");
  for (const char* text : {"",
                           "yes",
                           "No",
                           "null",
                           "123",
                           "1e9",
                           "0x12",
                           "a: b",
                           "a #b",
                           "- x",
                           "{}",
                           "it's \"so\"",
                           "back\\slash",
                           "x ",
                           "two\nlines",
                           "~",
                           ".5",
                           "2026-11-21",
                           "naïve café",
                           "日本語",
                           "\x7f\x01",
                           "emoji \U0001F600"}) {
    const auto read = parse_yaml("key: " + yaml_text(text) + "\n");
    ASSERT_TRUE(read) << text;
    ASSERT_TRUE((*read)["key"].is_string()) << text << " written " << yaml_text(text);
    EXPECT_EQ((*read)["key"].as_string(), text);
  }
  // No UTF-8: readable, with a mark where the bytes were.
  EXPECT_EQ(yaml_text("\xff\xc0\x80z"), "\"\\ufffd\\ufffd\\ufffdz\"");
  EXPECT_EQ(yaml_value("17"), "17");
  EXPECT_EQ(yaml_value("1e9"), "1000000000.0");
  EXPECT_EQ(yaml_flow(Json::object({{"A", 1.5}, {"B", Json()}, {"C", "x"}})),
            R"({"A": 1.5, "B": "NAN", "C": "x"})");
}

std::string cell(double value, Format format = Format::number) {
  std::array<char, kTraceCellLimit> buffer{};
  return {buffer.data(), format_trace_cell(buffer.data(), value, format)};
}

TEST(TraceWriter, CellsAreGeopms) {
  EXPECT_EQ(cell(kNaN), "nan");
  EXPECT_EQ(cell(-kNaN), "nan");
  EXPECT_EQ(cell(0.204296343), "0.204296343");
  EXPECT_EQ(cell(1.38e9), "1380000000");
  EXPECT_EQ(cell(0x725e8066, Format::hex), "0x725e8066");
  EXPECT_EQ(cell(1, Format::hex), "0x00000001");
  EXPECT_EQ(cell(0x100000000, Format::hex), "0x100000000");
  EXPECT_EQ(cell(kNaN, Format::hex), "NAN");
  EXPECT_EQ(cell(-1, Format::integer), "-1");
  EXPECT_EQ(cell(0.5), "0.5");
  EXPECT_EQ(cell(1e-9), "0.000000001");
  EXPECT_EQ(cell(8999999.123456789), "8999999.123456789");
  std::mt19937_64 random(11);
  // Values as sensors have them: whole micro-units, nanoseconds.
  for (int i = 0; i < 20000; ++i) {
    const double v = static_cast<double>(random() % (1ULL << 52U)) / (i % 2 == 0 ? 1e6 : 1e9);
    EXPECT_EQ(std::strtod(cell(v).c_str(), nullptr), v) << cell(v);
    const double next = std::nextafter(v, kInf);
    EXPECT_EQ(std::strtod(cell(next).c_str(), nullptr), next) << cell(next);
  }
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double v = 0;
    std::memcpy(&v, &bits, sizeof v);
    if (!std::isfinite(v)) continue;
    const std::string text = cell(v);
    EXPECT_LE(text.size(), kTraceCellLimit);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), v) << text;
  }
}

std::vector<TraceWriterColumn> columns(std::vector<std::string> names) {
  std::vector<TraceWriterColumn> out;
  for (auto& name : names) out.push_back({std::move(name), "W", "sampled", Format::number});
  return out;
}

void write_rows(const std::string& path, const std::vector<std::string>& names, bool append,
                double value) {
  auto trace = TraceWriter::open(path, {}, columns(names), append);
  ASSERT_TRUE(trace) << trace.error().what;
  for (int i = 0; i < 2; ++i) trace->row(std::vector<double>(names.size(), value));
  ASSERT_TRUE(trace->close());
}

std::string rows_of(const std::string& path) {
  std::string out;
  const std::string text = *read_file(path);
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with('#')) out += std::string(line) + "\n";
  }
  return out;
}

TEST(TraceWriter, AppendsRowsUnderTheSameHeader) {
  const auto path = temp_file("append.trace");
  ::unlink(path.c_str());
  write_rows(path, {"TIME", "GPU_POWER-gpu-0"}, true, 1);  // nothing there yet: a new trace
  write_rows(path, {"TIME", "GPU_POWER-gpu-0"}, true, 2);
  EXPECT_EQ(rows_of(path), "TIME|GPU_POWER-gpu-0\n1|1\n1|1\n2|2\n2|2\n\n");
  write_rows(path, {"TIME", "GPU_POWER-gpu-0"}, false, 3);
  EXPECT_EQ(rows_of(path), "TIME|GPU_POWER-gpu-0\n3|3\n3|3\n\n");
}

TEST(TraceWriter, AppendRefusesOtherColumnsAndChangesNothing) {
  const auto path = temp_file("other.trace");
  write_rows(path, {"TIME", "A", "B"}, false, 1);
  const auto before = *read_file(path);
  for (const auto& names : {std::vector<std::string>{"TIME", "A", "C"}, {"TIME", "A"}}) {
    const auto refused = TraceWriter::open(path, {}, columns(names), true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_NE(refused.error().what.find("column 3"), std::string::npos) << refused.error().what;
  }
  EXPECT_EQ(*read_file(path), before);
}

TEST(TraceWriter, AppendCutsALineThatAKillLeft) {
  const auto path = temp_file("cut.trace");
  ASSERT_TRUE(write_file_atomically(path, "# agent: x\nTIME|A\n1|1\n2|"));
  write_rows(path, {"TIME", "A"}, true, 9);
  EXPECT_EQ(rows_of(path), "TIME|A\n1|1\n9|9\n9|9\n\n");
}

TEST(TraceWriter, RowsUpToTheLastFlushAreInTheFile) {
  const auto path = temp_file("flushed.trace");
  auto trace = TraceWriter::open(path, {}, columns({"TIME"}), false);
  ASSERT_TRUE(trace);
  trace->row(std::vector<double>{1});
  trace->flush();
  trace->row(std::vector<double>{2});
  EXPECT_EQ(rows_of(path), "TIME\n1\n\n");
}

TEST(ReportWriter, SaysWhatWasMeasuredAndNothingElse) {
  Report report;
  report.header = {"Sat Nov 21 01:23:53 2026", "a: b", "host.1", "monitor", "{}", 0.05, true};
  report.initial = {{{"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 0}, 1.38e9}};
  auto& totals = report.result.totals;
  totals.push_back({{"TIME"}, "s", Behavior::monotone, Source::counter, 10, 0});
  totals.push_back(
      {{"GPU_ENERGY", Domain::gpu, 0}, "J", Behavior::monotone, Source::replayed, 500});
  totals.push_back(
      {{"GPU_ENERGY", Domain::gpu, 1}, "J", Behavior::monotone, Source::replayed, 700});
  totals.push_back(
      {{"GPU_CORE_FREQUENCY_STATUS", Domain::gpu, 0}, "Hz", Behavior::variable, {}, 1e9});
  totals.push_back(
      {{"GPU_CORE_FREQUENCY_STATUS", Domain::gpu, 1}, "Hz", Behavior::variable, {}, 2e9});
  totals.push_back({{"CPU_POWER"}, "W", Behavior::variable, Source::sampled, kNaN, 200});
  report.result.seconds = 10;
  const auto text = format_report(report);
  const auto read = parse_yaml(text);
  ASSERT_TRUE(read) << read.error().what << text;
  EXPECT_EQ((*read)["Profile"].as_string(), "a: b");
  const Json& app = (*read)["Hosts"]["host.1"]["Application Totals"];
  EXPECT_EQ(app["runtime (s)"].as_number(), 10);
  EXPECT_EQ(app["gpu-energy (J)"].as_number(), 1200);
  EXPECT_EQ(app["gpu-power (W)"].as_number(), 120);  // energy over time: no power was sampled
  EXPECT_EQ(app["gpu-frequency (Hz)"].as_number(), 1.5e9);
  EXPECT_EQ(app["GPU_ENERGY@gpu-1"].as_number(), 700);
  EXPECT_EQ(app.find("package-energy (J)"), nullptr);
  EXPECT_EQ(app.find("power (W)"), nullptr);
  EXPECT_TRUE(std::isnan(app["CPU_POWER"].as_number(0)));
  EXPECT_EQ((*read)["Hosts"]["host.1"]["mete sources"]["GPU_ENERGY@gpu-0"].as_string(), "replayed");
}

TEST(ReportWriter, ChecksAPathWithoutTouchingIt) {
  const auto path = temp_file("kept.report");
  ASSERT_TRUE(write_file_atomically(path, "old"));
  ASSERT_TRUE(check_writable(path));
  EXPECT_EQ(*read_file(path), "old");
  const auto absent = temp_file("not-there.report");
  ASSERT_TRUE(check_writable(absent));
  EXPECT_FALSE(path_exists(absent));
  EXPECT_TRUE(check_writable("/dev/null"));
}

}  // namespace
}  // namespace mete
