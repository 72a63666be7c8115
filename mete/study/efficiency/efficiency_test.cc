// The study judged by other people's data: the notebook's own printed ratios, read from the
// notebook, and real logs with real faults. SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/efficiency.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/study/efficiency/data_file.h"
#include "mete/study/efficiency/study_store.h"

namespace mete {
namespace {

const std::string kShared = METE_SOURCE_DIR "/../shared/";

class EfficiencyStudy : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mete-study-test-{}", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// The folder inside an archive of the shared data, or "" where there is none.
  std::string unpacked(const std::string& name) {
    const auto archive = kShared + "data/" + name + ".tar.gz";
    if (!path_exists(archive)) return "";
    const auto command = fmt::format("tar xzf {} -C {}", archive, folder_.string());
    return std::system(command.c_str()) == 0 ? (folder_ / name).string() : "";
  }
  void write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
  }

  std::filesystem::path folder_;
};

/// `float 1377000000.0 128.0 1.0100375330024962` lines of the notebook's stored output.
std::map<std::uint64_t, double> printed_ratios() {
  std::map<std::uint64_t, double> out;
  const auto text = read_file(kShared + "reference/jetson-efficiency.ipynb");
  const auto json = text ? parse_json(*text) : Result<Json>(text.error());
  if (!json) return out;
  const std::regex line("float 1377000000\\.0 (\\d+)\\.0 ([0-9.]+)\\s*");
  for (const auto& cell : (*json)["cells"].items()) {
    for (const auto& output : cell["outputs"].items()) {
      // Jupyter stores text as one string or as a list of lines.
      std::string words = output["text"].as_string();
      for (const auto& part : output["text"].items()) words += part.as_string();
      for (const auto row : split(words, '\n')) {
        std::smatch found;
        const std::string text_line(row);
        if (std::regex_match(text_line, found, line))
          out[std::stoull(found[1])] = std::stod(found[2]);
      }
    }
  }
  return out;
}

TEST_F(EfficiencyStudy, NotebookRatiosToTheLastDigit) {
  const auto folder = unpacked("jetson-agx-square");
  const auto printed = printed_ratios();
  if (folder.empty() || printed.empty())
    GTEST_SKIP() << "no ../shared/data, or no notebook beside it";
  const auto logs = read_data_folder(folder);
  ASSERT_TRUE(logs) << logs.error().what;
  EXPECT_EQ(logs->runs.size(), 1344U);
  const std::vector<Fixed> fixed{*parse_fixed("datatype=float"), *parse_fixed("frequency=1377MHz")};
  const auto rows = select_rows(summarise_gemm(logs->runs, PowerRule::notebook), fixed);
  ASSERT_TRUE(rows);
  const auto ratios = gemm_ratios(*rows, {});
  ASSERT_TRUE(ratios) << ratios.error().what;
  ASSERT_EQ(ratios->size(), 16U);
  int noise = 0;
  for (const auto& row : *ratios) {
    ASSERT_TRUE(printed.contains(row.point.rows));
    EXPECT_EQ(row.ratio.estimate, printed.at(row.point.rows)) << row.point.rows;
    if (row.noise()) ++noise;
  }
  // The tensor cores never ran: of 16 intervals of 95 % one may miss the truth by chance.
  EXPECT_GE(noise, 15);
}

TEST_F(EfficiencyStudy, SettledRuleFindsTheClocksOfTheFacts) {
  const auto folder = unpacked("jetson-agx-square");
  if (folder.empty()) GTEST_SKIP() << "no ../shared/data";
  const auto logs = read_data_folder(folder);
  ASSERT_TRUE(logs);
  std::map<std::string, std::map<double, int>> votes;
  for (const auto& clock : best_clocks(summarise_gemm(logs->runs, PowerRule::settled), 0.1)) {
    if (clock.point.rows < 512) continue;
    ++votes[clock.point.dtype][clock.best.frequency];
    EXPECT_LE(clock.within->slowdown, 0.1);
    EXPECT_GE(clock.best.energy_saved.estimate, clock.within->energy_saved.estimate);
  }
  const auto most = [&](const std::string& dtype) {
    return std::max_element(votes[dtype].begin(), votes[dtype].end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  };
  // The facts' table, from 32 sizes; these are the 13 of them from 512 up.
  EXPECT_EQ(most("half"), 1236750000);
  EXPECT_EQ(most("float"), 905250000);
  EXPECT_EQ(most("double"), 1236750000);
}

TEST_F(EfficiencyStudy, RealFaultsAreNamed) {
  const auto folder = unpacked("jetson-agx-odd-inputs");
  if (folder.empty()) GTEST_SKIP() << "no ../shared/data";
  const auto logs = read_data_folder(folder);
  ASSERT_TRUE(logs) << logs.error().what;
  const auto kinds_of = [&](std::string_view file) {
    std::string kinds;
    for (const auto& run : logs->runs) {
      if (run.origin != file) continue;
      for (const auto& oddity : run.oddities) kinds += oddity.kind + " ";
    }
    return kinds;
  };
  EXPECT_NE(kinds_of("AGX-double-1024-nontensor-522750000.data").find("no-rate"),
            std::string::npos);
  EXPECT_NE(kinds_of("AGX-double-640-tensor-318750000.data").find("no-rate"), std::string::npos);
  EXPECT_NE(kinds_of("AGX-double-1152-tensor-420750000.data").find("zero-reading"),
            std::string::npos);
  EXPECT_NE(kinds_of("AGX-double-320-nontensor-624750000.data").find("few-samples"),
            std::string::npos);
}

TEST_F(EfficiencyStudy, TwoRunsFarApartHaveARateFromZeroUp) {
  std::vector<GemmRun> runs;
  for (const auto& [dtype, flops] :
       {std::pair("float", 100.0), {"float", 200.0}, {"half", 300.0}, {"half", 303.0}}) {
    GemmRun run;
    run.point.device = "cpu";
    run.point.dtype = dtype;
    run.point.rows = run.point.depth = 8;
    run.flops = flops;
    runs.push_back(run);
  }
  const auto rows = summarise_gemm(runs, PowerRule::settled);
  ASSERT_EQ(rows.size(), 2U);
  const auto& wide = rows[rows[0].point.dtype == "float" ? 0 : 1];
  EXPECT_EQ(wide.flops.estimate, 150);
  EXPECT_EQ(wide.flops.low, 0);
  EXPECT_NEAR(wide.flops.high, 150 + 12.7062 * 50, 0.01);
  RatioRequest request;
  request.quantity = GemmQuantity::flops;
  request.over = GemmDimension::dtype;
  request.against = "float";
  const auto ratios = gemm_ratios(rows, request);
  ASSERT_TRUE(ratios) << ratios.error().what;
  ASSERT_EQ(ratios->size(), 1U);
  // As wide as before the cut: half of 2 x 635 of 150, and 19 of 301.5.
  const double half = std::hypot(12.7062 * 50 / 150, 12.7062 * 1.5 / 301.5);
  EXPECT_NEAR(ratios->front().ratio.high, 301.5 / 150 * std::exp(half), 0.01 * std::exp(half));
}

TEST_F(EfficiencyStudy, NamesInAllForms) {
  const auto square = parse_data_name("AGX-float-1024-tensor-905250000.data");
  ASSERT_TRUE(square);
  EXPECT_TRUE(square->square());
  EXPECT_EQ(data_name(*square), "AGX-float-1024-tensor-905250000.data");
  const auto rectangle = parse_data_name("Nano-2-float-1024-96-nontensor-768000000.data");
  ASSERT_TRUE(rectangle);
  EXPECT_EQ(rectangle->device, "Nano-2");
  EXPECT_EQ(rectangle->rows, 1024U);
  EXPECT_EQ(rectangle->depth, 96U);
  EXPECT_EQ(rectangle->operations(), 1024.0 * 1024.0 * 191.0);
  EXPECT_EQ(data_name(*rectangle), "Nano-2-float-1024-96-nontensor-768000000.data");
  for (const auto* bad :
       {"", ".data", "AGX.data", "notes.txt", "AGX-float-1024-905250000.data",
        "AGX-float-0-tensor-1.data", "AGX-float--5-tensor-1.data", "AGX-float-1024-tensor-nan.data",
        "AGX-float-99999999999999999999-tensor-1.data", "float-1024-tensor-1.data"}) {
    EXPECT_FALSE(parse_data_name(bad)) << bad;
  }
}

TEST_F(EfficiencyStudy, LogsInAllForms) {
  const std::string name = "AGX-float-128-tensor-905250000.data";
  const auto one = parse_data_file(name, "1000,5.0\n2000,6.0\n1e9");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->flops, 1e9);
  EXPECT_TRUE(std::isnan(one->seconds));
  const auto three = parse_data_file(name, "1000,5.0\r\n2000,6.0\r\n1e9,70,2.5\r\n\r\n");
  ASSERT_TRUE(three);
  EXPECT_EQ(three->iterations, 70);
  EXPECT_EQ(three->seconds, 2.5);
  EXPECT_EQ(three->power.size(), 2U);
  const auto again = parse_data_file(name, data_text(*three));
  ASSERT_TRUE(again);
  EXPECT_EQ(content_hash(*again), content_hash(*three));
  const auto none = parse_data_file(name, "1000,5.0\n2000,6.0\n");
  ASSERT_TRUE(none);
  EXPECT_TRUE(std::isnan(none->flops));
  ASSERT_EQ(none->oddities.size(), 1U);
  for (const auto* bad : {"", "\n\n", "1000\n2000,5\n1e9", "1000,abc\n1e9", "1000,nan\n1e9",
                          "1000,-3\n1e9", "a,b,c,d\n", "1000,5,6,7\n1e9"}) {
    EXPECT_FALSE(parse_data_file(name, bad)) << bad;
  }
}

TEST_F(EfficiencyStudy, FolderOfOtherThings) {
  write("notes.txt", "x");
  EXPECT_FALSE(read_data_folder(folder_.string()));
  write("AGX-float-128-tensor-905250000.data", "1000,5.0\n1e9");
  write("AGX-float-256-tensor-905250000.data", "1000,5.0\nrubbish");
  const auto logs = read_data_folder(folder_.string());
  ASSERT_TRUE(logs);
  EXPECT_EQ(logs->runs.size(), 1U);
  EXPECT_EQ(logs->left_out.size(), 1U);
  ASSERT_EQ(logs->broken.size(), 1U);
  EXPECT_NE(logs->broken[0].find("line 2"), std::string::npos) << logs->broken[0];
}

std::vector<PowerSample> lagging_meter(double idle, double load, double lag) {
  std::vector<PowerSample> samples;
  for (int t = 0; t <= 30; ++t) {
    samples.push_back({static_cast<double>(t), load + (idle - load) * std::exp(-t / lag)});
  }
  return samples;
}

TEST(PowerRule, SettledIsNearerTheTruthAndSaysWhatIsLeft) {
  auto samples = lagging_meter(10, 40, kMeterLag);
  samples[15].watts = 0;
  samples[25].watts = 90;
  const auto plain = power_of(samples, PowerRule::notebook);
  const auto settled = power_of(samples, PowerRule::settled);
  EXPECT_LT(std::abs(settled.watts.estimate - 40), 1.5);
  EXPECT_GT(std::abs(plain.watts.estimate - 40), 4.0);
  // What it says is left is, by and large, what is left.
  EXPECT_NEAR(settled.still_moving, 40 - settled.watts.estimate, 0.3);
}

TEST(PowerRule, FewSamples) {
  EXPECT_TRUE(std::isnan(power_of({}, PowerRule::notebook).watts.estimate));
  const std::vector<PowerSample> two{{0, 5}, {1, 6}};
  EXPECT_EQ(power_of(two, PowerRule::notebook).watts.estimate, 5.5);
  EXPECT_TRUE(std::isnan(power_of(two, PowerRule::settled).watts.estimate));
}

TEST_F(EfficiencyStudy, RealDifferencesAreNotCalledNoise) {
  std::vector<GemmRun> runs;
  for (int i = 1; i <= 8; ++i) {
    for (const bool tensor : {false, true}) {
      GemmRun run;
      run.point = {"d",
                   "half",
                   tensor ? "tensor" : "nontensor",
                   static_cast<std::uint64_t>(128 * i),
                   static_cast<std::uint64_t>(128 * i),
                   1e9};
      // 30 % more, with 1 % of noise that no two sizes share.
      run.flops =
          1e12 * (tensor ? 1.3 : 1.0) * (1 + 0.01 * ((i * 7 + (tensor ? 3 : 0)) % 5 - 2) / 2);
      run.power = {{0, 20}, {1, 20}, {2, 20}};
      runs.push_back(run);
    }
  }
  const auto ratios = gemm_ratios(summarise_gemm(runs, PowerRule::notebook), {});
  ASSERT_TRUE(ratios);
  ASSERT_EQ(ratios->size(), 8U);
  for (const auto& row : *ratios) EXPECT_FALSE(row.noise());
  EXPECT_FALSE(gemm_ratios(summarise_gemm(runs, PowerRule::notebook),
                           {GemmDimension::dtype, "", GemmQuantity::flops}));
}

TEST_F(EfficiencyStudy, StoreKeepsEverythingOnce) {
  const auto path = (folder_ / "s.db").string();
  GemmRun run =
      *parse_data_file("AGX-float-128-tensor-905250000.data", "1000,5.0\n2000,0.0\n1e9,3,2.5");
  run.oddities = find_oddities(run, 10);
  ASSERT_FALSE(run.oddities.empty());
  auto other = run;
  other.flops = 1.1e9;
  {
    auto store = StudyStore::open(path, StudyStore::Mode::create);
    ASSERT_TRUE(store) << store.error().what;
    ASSERT_TRUE(store->begin());
    const auto session = store->add_session({"test", "", "", "{}", ""});
    ASSERT_TRUE(session);
    EXPECT_EQ(*store->add_run(*session, run), StudyStore::Added::run);
    EXPECT_EQ(*store->add_run(*session, run), StudyStore::Added::same);
    EXPECT_EQ(*store->add_run(*session, other), StudyStore::Added::more_trial);
    ASSERT_TRUE(store->commit());
  }
  const auto store = StudyStore::open(path, StudyStore::Mode::read);
  ASSERT_TRUE(store);
  const auto back = store->runs();
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ(content_hash((*back)[0]), content_hash(run));
  EXPECT_EQ((*back)[0].oddities.size(), run.oddities.size());
  EXPECT_EQ(summarise_gemm(*back, PowerRule::notebook).front().trials, 2U);
}

TEST_F(EfficiencyStudy, StoreRefusesWhatIsNotOurs) {
  EXPECT_FALSE(StudyStore::open((folder_ / "absent.db").string(), StudyStore::Mode::read));
  write("text.db", std::string(4096, 'x'));
  const auto text = StudyStore::open((folder_ / "text.db").string(), StudyStore::Mode::create);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::invalid);
  const auto path = (folder_ / "cut.db").string();
  ASSERT_TRUE(StudyStore::open(path, StudyStore::Mode::create));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  const auto cut = StudyStore::open(path, StudyStore::Mode::read);
  EXPECT_FALSE(cut && cut->runs());
}

}  // namespace
}  // namespace mete
