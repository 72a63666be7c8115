// The whole of `mete process`. Judges: bench/process/tutorial_rules.py (pandas) for --compat,
// pandas.read_hdf for the layout, arithmetic by hand for the default rule. SPDX-License-Identifier:
// BSD-3-Clause
#include <cmath>
#include <csignal>
#include <fstream>

#include <sys/resource.h>

#include "mete/base/files.h"
#include "mete/dataset/sweep_fixture.h"
#include "mete/dataset/training_table.h"

namespace mete {
namespace {

using testing::have_pandas;
using testing::slurp;
using testing::TempFolder;
using testing::write_run;

const std::string kBench = METE_SOURCE_DIR "/bench/process/";

std::string output_path() {
  return (std::filesystem::temp_directory_path() / fmt::format("mete-dataset-{}.out", ::getpid()))
      .string();
}
int python(const std::string& arguments) {
  const int status =
      std::system(("/usr/bin/python3 " + arguments + " >" + output_path() + " 2>&1").c_str());
  if (status == 0) std::filesystem::remove(output_path());
  return status;
}
int python_says(const std::string& program) { return python("-W ignore -c \"" + program + "\""); }
/// What the last program printed, which goes away with the reading.
std::string python_output() {
  auto text = slurp(output_path());
  std::filesystem::remove(output_path());
  return text;
}

/// Two applications, three clocks, two trials: "flat" does not care for the clock, "steep" does.
void write_sweep(const TempFolder& folder, const std::string& where = "s") {
  for (const int trial : {1, 2}) {
    for (const int mhz : {800, 1000, 1400}) {
      const double f = mhz / 1400.0;
      write_run(folder, where, "flat", mhz, trial, 10 + 0.01 * trial, 100 * f);
      write_run(folder, where, "steep", mhz, trial, 10 / f, 100 + trial);
    }
  }
}

ProcessOptions options(const TempFolder& folder, const std::vector<std::string>& folders = {"s"}) {
  ProcessOptions o;
  for (const auto& name : folders) o.directories.push_back(folder.path(name));
  o.output = folder.path("out.h5");
  return o;
}

bool mentions(const std::vector<std::string>& lines, const std::string& a,
              const std::string& b = "") {
  for (const auto& line : lines) {
    if (line.find(a) != std::string::npos && line.find(b) != std::string::npos) return true;
  }
  return false;
}

/// Nothing but what was there before: no file of ours was left behind.
std::size_t files_in(const std::string& folder) { return list_directory(folder)->size(); }

TEST(Process, WritesWhatLearnNeeds) {
  TempFolder folder;
  write_sweep(folder);
  const auto summary = process_sweeps(options(folder));
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_TRUE(summary->problems.empty()) << summary->problems.front();
  EXPECT_EQ(summary->node, "h");
  EXPECT_EQ(summary->runs, 12U);
  EXPECT_EQ(summary->rows, 120U);
  EXPECT_EQ(files_in(folder.path()), 2U);
  ASSERT_EQ(summary->app_configs.size(), 2U);
  EXPECT_EQ(summary->app_configs[0].name, "flat");
  EXPECT_EQ(summary->app_configs[0].roi_rows, 36U);
  EXPECT_EQ(summary->app_configs[0].choices.back().frequency, 0.8e9);
  EXPECT_EQ(summary->app_configs[0].choices[0].frequency, 1.4e9) << "equal times: the higher clock";
  EXPECT_EQ(summary->app_configs[1].choices.back().frequency, 1.4e9);

  const auto data = read_training_table(folder.path("out.h5"));
  ASSERT_TRUE(data) << data.error().what;
  EXPECT_EQ(data->node, "h");
  EXPECT_EQ(data->rows(), 72U) << "only rows of interest";
  EXPECT_EQ(data->app_configs, (std::vector<std::string>{"flat", "steep"}));
  EXPECT_EQ(data->choices[0].size(), kPhiSteps);
  EXPECT_EQ(data->choices[0].back().frequency, 0.8e9);
  EXPECT_EQ(data->feature_columns[1], "GPU_POWER-gpu-0");
  EXPECT_EQ(data->features[0][0], data->asked_clock[0]);
  EXPECT_EQ(data->features[1][0], 152.0);
  EXPECT_EQ(data->features[3][0], 0.5);
  EXPECT_EQ(data->features[4][0], 0.25);
  const auto all = read_training_table(folder.path("out.h5"), {.node = "h", .roi_only = false});
  EXPECT_EQ(all->rows(), 120U);
  EXPECT_FALSE(read_training_table(folder.path("out.h5"), {.node = "other", .roi_only = true}));
}

TEST(Process, MarksWhatABoardReplayed) {
  TempFolder folder;
  write_sweep(folder);
  ASSERT_TRUE(process_sweeps(options(folder)));
  EXPECT_EQ(read_training_table(folder.path("out.h5"))->source, "measured");
  folder.write("s/agent_monitor.flat.gpufreq_800.trial_1.trace-h",
               "# mete_replayed: true\n" + testing::trace_text(8e8));
  for (const bool compat : {false, true}) {
    auto o = options(folder);
    o.compat = compat;
    const auto summary = process_sweeps(o);
    ASSERT_TRUE(summary) << summary.error().what;
    EXPECT_TRUE(summary->replayed);
    EXPECT_TRUE(mentions(summary->notes, "replayed"));
    EXPECT_EQ(read_training_table(o.output)->source, "replayed");
  }
}

TEST(Process, OpensInPandas) {
  if (!have_pandas()) GTEST_SKIP() << "no /usr/bin/python3 with pandas and PyTables";
  TempFolder folder;
  write_sweep(folder);
  for (const int compression : {0, 4}) {
    auto o = options(folder);
    o.compression = compression;
    ASSERT_TRUE(process_sweeps(o));
    EXPECT_EQ(
        python_says(
            "import pandas as pd; f='" + o.output +
            "'; s=pd.HDFStore(f,'r');"
            "assert s.keys()==['/h_phi_frequency','/h_runs','/h_training_data'], s.keys();"
            "d=s.select('h_training_data'); assert d.shape==(120,25), d.shape;"
            "assert d['is-roi'].dtype==bool and d['trial'].dtype=='int64';"
            "assert d['is-roi'].sum()==72; assert set(d['node'])=={'h'};"
            "assert list(d.index)==list(range(120));"
            "assert list(d['app-config'].unique())==['flat','steep'];"
            "assert d['REGION_HASH'][0]=='0x725e8066';"
            "assert abs(d['TIME'][9]-0.9)<1e-15;"
            "assert len(s.select('h_training_data',where='trial == 2'))==60;"
            "c=s.select('h_training_data',columns=['TIME','gpu-frequency']);"
            "assert list(c.columns)==['TIME','gpu-frequency'];"
            "t=s.root.h_training_data.table;"
            "w=t.get_where_list('c == x',condvars={'c':t.cols._f_col('app-config'),'x':b'flat'});"
            "assert len(s.select('h_training_data',where=w))==60;"
            "p=s.select('h_phi_frequency'); assert len(p)==22;"
            "r=s.select('h_runs'); assert len(r)==12;"
            "assert r['energy-vs-max'].max()<=1.01"),
        0)
        << python_output();
  }
}

TEST(Process, CompatIsEqualToTheTutorialsRules) {
  if (!have_pandas()) GTEST_SKIP() << "no /usr/bin/python3 with pandas and PyTables";
  TempFolder folder;
  ASSERT_EQ(python(kBench + "generate.py " + folder.path("a") +
                   " --megabytes 0.6 --apps 2 --clocks 4 --trials 3"),
            0);
  ASSERT_EQ(python(kBench + "generate.py " + folder.path("b") +
                   " --megabytes 0.4 --apps 1 --clocks 3 --seed 9"),
            0);
  auto o = options(folder, {"a", "b"});
  o.compat = true;
  const auto summary = process_sweeps(o);
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(summary->rows, summary->trace_rows * 11);
  EXPECT_EQ(python(kBench + "compare.py bench0 " + o.output + " " + folder.path("a") + " " +
                   folder.path("b")),
            0)
      << python_output();
  const auto ours = read_training_table(o.output, {.node = "", .roi_only = false});
  ASSERT_TRUE(ours) << ours.error().what;
  EXPECT_EQ(ours->rows(), summary->trace_rows) << "each trace row once";
  EXPECT_EQ(ours->choices[0].size(), kPhiSteps);
}

TEST(Process, GivesTheSameFileTwice) {
  TempFolder folder;
  write_sweep(folder);
  ASSERT_TRUE(process_sweeps(options(folder)));
  const auto first = slurp(folder.path("out.h5"));
  ASSERT_TRUE(process_sweeps(options(folder)));
  EXPECT_TRUE(first == slurp(folder.path("out.h5")));
}

TEST(Process, GivesTheSameFileWithAnyNumberOfThreads) {
  TempFolder folder;
  write_sweep(folder);
  write_sweep(folder, "second");
  // Bad rows are told in the traces' order, whoever comes upon them first.
  std::size_t spoilt = 0;
  const auto names = *list_directory(folder.path("s"));
  for (const auto& name : names) {
    if (name.find(".trace-") == std::string::npos || ++spoilt > 3) continue;
    std::ofstream(folder.path("s/" + name), std::ios::app) << "1|2|3\n";
  }
  ASSERT_GE(spoilt, 3U);
  for (const bool compat : {false, true}) {
    auto o = options(folder, {"s", "second"});
    o.compat = compat;
    std::string first;
    std::vector<std::string> problems;
    for (const std::size_t jobs : {1U, 2U, 3U, 40U}) {
      o.jobs = jobs;
      const auto summary = process_sweeps(o);
      ASSERT_TRUE(summary) << summary.error().what;
      const auto file = slurp(o.output);
      ASSERT_GT(file.size(), 1000U);
      if (first.empty()) {
        first = file;
        problems = summary->problems;
      }
      EXPECT_TRUE(file == first) << jobs << " threads";
      EXPECT_EQ(summary->problems, problems);
    }
  }
}

TEST(Process, PutsOneQuantityOfTwoGenerationsIntoOneColumn) {
  TempFolder folder;
  write_run(folder, "s", "a", 1000, 1, 10, 100);
  write_run(folder, "s", "a", 1400, 1, 8, 120);
  folder.write(
      "s/agent_monitor.a.gpufreq_1400.trial_1.trace-h",
      "TIME|NVML::POWER-board_accelerator-0|NVML::FREQUENCY-board_accelerator-0|DCGM::SM_ACTIVE-"
      "gpu-0|"
      "DCGM::DRAM_ACTIVE-gpu-0|NVML::UTILIZATION_ACCELERATOR-gpu-0\n0|77|1.4e9|0.9|0.8|0.7\n");
  const auto summary = process_sweeps(options(folder));
  ASSERT_TRUE(summary) << summary.error().what;
  const auto data = read_training_table(folder.path("out.h5"));
  ASSERT_TRUE(data) << data.error().what;
  ASSERT_EQ(data->rows(), 7U);
  EXPECT_EQ(data->feature_columns[1], "GPU_POWER-gpu-0");
  EXPECT_EQ(data->features[1][6], 77);
  EXPECT_EQ(data->features[2][6], 0.7);
}

TEST(Process, NamesBadFilesAndUsesTheRest) {
  TempFolder folder;
  write_sweep(folder);
  const std::string stem = "s/agent_monitor.flat.gpufreq_1000.trial_";
  folder.write(stem + "3.report", "GEOPM Version: 3\nHosts:\n");
  folder.write(stem + "3.trace-h", testing::trace_text(1e9) + "1.0|0x7");
  folder.write(stem + "4.report", testing::report_text("h", 10, NAN));
  folder.write(stem + "5.report", testing::report_text("other", 10, 100));
  folder.write(stem + "6.report", testing::report_text("h", 10, 100));
  folder.write(stem + "6.trace-h", "");
  folder.write("s/nonsense.report", "x");
  folder.write("s/agent_monitor.flat.gpufreq_1.trial_7.trace-h", testing::trace_text(1e9));
  folder.write("s/agent_monitor.flat.gpufreq_1.trial_7.report", testing::report_text("h", 10, 100));
  folder.write("s/readme.txt", "not ours");
  const auto summary = process_sweeps(options(folder));
  ASSERT_TRUE(summary) << summary.error().what;
  const auto& p = summary->problems;
  EXPECT_TRUE(mentions(p, "trial_3.report: line 3", "cut short"));
  EXPECT_TRUE(mentions(p, "trial_3.trace-h: line 14", "cut off"));
  EXPECT_TRUE(mentions(p, "trial_4.report", "GPU_ENERGY@gpu-0 is nan"));
  EXPECT_TRUE(mentions(p, "trial_4.report", "no trace"));
  EXPECT_TRUE(mentions(p, "trial_5.report", "is of other, expected node h"));
  EXPECT_TRUE(mentions(p, "trial_6.trace-h", "is empty"));
  EXPECT_TRUE(mentions(p, "nonsense.report", "no GPU clock"));
  EXPECT_TRUE(mentions(p, "gpufreq_1.trial_7.trace-h",
                       "named for a GPU clock of 1.00 MHz, but ran at 1.00 GHz"));
  EXPECT_EQ(summary->rows, 130U) << "the twelve good traces and the cut one";
}

TEST(Process, GoesByTheManifestWhereThereIsOne) {
  TempFolder folder;
  std::string points;
  int n = 0;
  const auto point = [&](double clock, const std::string& status, bool reference, double runtime) {
    const auto stem = "p" + std::to_string(n++);
    folder.write("s/" + stem + ".report", testing::report_text("node1.example.org", runtime, 100));
    folder.write("s/" + stem + ".trace-node1.example.org", testing::trace_text(clock));
    points += fmt::format(
        "{}{{\"app\":\"v\",\"app_config\":\"v-big\",\"controls\":{{\"GPU_CORE_FREQUENCY_MAX_"
        "CONTROL\":{}}},"
        "\"trial\":1,\"report\":\"{}.report\",\"trace\":\"{}.trace-node1.example.org\",\"status\":"
        "\"{}\","
        "\"reference\":{}}}",
        points.empty() ? "" : ",", clock, stem, stem, status, reference);
  };
  point(1e9, "done", false, 10);
  point(1.4e9, "done", false, 8);
  point(1.4e9, "done", true, 8);
  point(1.2e9, "failed", false, 8);
  point(1.2e9, "pending", false, 8);
  folder.write(
      "s/sweep.json",
      "{\"format\":\"mete.sweep/1\",\"node\":\"node1.example.org\",\"points\":[" + points + "]}");
  auto o = options(folder);
  auto summary = process_sweeps(o);
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_TRUE(summary->problems.empty()) << summary->problems.front();
  EXPECT_EQ(summary->node, "node1.example.org");
  EXPECT_EQ(summary->runs, 2U);
  EXPECT_EQ(summary->app_configs.at(0).name, "v-big");
  EXPECT_TRUE(mentions(summary->notes, "2 of 5 points are not done"));
  o.with_reference = true;
  EXPECT_EQ(process_sweeps(o)->runs, 3U);
  folder.write("s/sweep.json", "{\"format\":\"other\"}");
  EXPECT_FALSE(process_sweeps(o)) << "no names to fall back on";
}

TEST(Process, SaysWhenNothingCanBeLearned) {
  TempFolder folder;
  write_run(folder, "s", "a", 1000, 1, 10, 100);
  const auto summary = process_sweeps(options(folder));
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_TRUE(summary->problems.empty());
  EXPECT_TRUE(mentions(summary->notes, "only one clock (1.00 GHz)", "no choice"));
  const auto data = read_training_table(folder.path("out.h5"));
  ASSERT_TRUE(data) << data.error().what;
  EXPECT_TRUE(data->choices.at(0).empty());
}

TEST(Process, RefusesWhatCannotWorkAndLeavesNothing) {
  TempFolder folder;
  std::filesystem::create_directories(folder.path("empty"));
  folder.write("out.h5", "old");
  const auto empty = process_sweeps(options(folder, {"empty"}));
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, Errc::invalid);
  EXPECT_NE(empty.error().what.find("no finished run"), std::string::npos);
  EXPECT_FALSE(process_sweeps(options(folder, {"nosuch"})));
  EXPECT_FALSE(process_sweeps(options(folder, {})));
  write_sweep(folder);
  folder.write("s/agent_monitor.flat.gpufreq_800.trial_1.trace-g", testing::trace_text(8e8));
  const auto mixed = process_sweeps(options(folder));
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().what.find("2 nodes (g, h); choose one with --node"), std::string::npos);
  auto o = options(folder);
  o.node = "h";
  o.output = folder.path("no/such/folder.h5");
  const auto nowhere = process_sweeps(o);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, Errc::invalid);
  EXPECT_EQ(slurp(folder.path("out.h5")), "old");
  EXPECT_EQ(files_in(folder.path()), 3U);
  o = options(folder);
  o.node = "h";
  EXPECT_TRUE(process_sweeps(o));
}

class Asked final : public Interrupt {
 public:
  int signal() const noexcept override { return ++calls_ > 20 ? SIGINT : 0; }

 private:
  mutable int calls_ = 0;
};

TEST(Process, StopsWhenAskedAndKeepsTheOldFile) {
  TempFolder folder;
  write_sweep(folder);
  folder.write("out.h5", "old");
  const Asked asked;
  const auto stopped = process_sweeps(options(folder), {}, &asked);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Errc::failed);
  EXPECT_EQ(slurp(folder.path("out.h5")), "old");
  EXPECT_EQ(files_in(folder.path()), 2U);
}

/// A limit on the size of files stands in for a full disk: HDF5 sees the same failing write.
TEST(Process, LeavesNothingOnAFullDisk) {
  TempFolder folder;
  for (int trial = 1; trial <= 40; ++trial) write_run(folder, "s", "a", 1000, trial, 10, 100);
  folder.write("out.h5", "old");
  for (const bool compat : {false, true}) {
    for (const rlim_t limit : {rlim_t{100}, rlim_t{20'000}, rlim_t{60'000}}) {
      rlimit before{};
      ::getrlimit(RLIMIT_FSIZE, &before);
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit small{limit, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &small);
      auto o = options(folder);
      o.compat = compat;
      const auto full = process_sweeps(o);
      ::setrlimit(RLIMIT_FSIZE, &before);
      ASSERT_FALSE(full) << limit;
      EXPECT_EQ(full.error().code, Errc::failed);
      EXPECT_EQ(full.error().what, folder.path("out.h5") + ": File too large");
      EXPECT_EQ(slurp(folder.path("out.h5")), "old");
      EXPECT_EQ(files_in(folder.path()), 2U) << limit;
    }
  }
  EXPECT_TRUE(process_sweeps(options(folder))) << "HDF5 is as good as before";
}

TEST(Process, LeavesNothingWhenTheDiskFillsUpLate) {
  TempFolder folder;
  write_run(folder, "s", "a", 1000, 1, 10, 100);
  auto text = testing::trace_text(1e9);
  const auto rows = text.substr(text.find("\n0.") + 1);
  for (int i = 0; i < 8000; ++i) text += rows;
  folder.write("s/agent_monitor.a.gpufreq_1000.trial_1.trace-h", text);
  folder.write("out.h5", "old");
  const auto run_out_of_space = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{rlim_t{12} << 20U, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const auto full = process_sweeps(options(folder));
    std::exit(!full && full.error().what.ends_with("File too large") ? 0 : 1);
  };
  EXPECT_EXIT(run_out_of_space(), ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(slurp(folder.path("out.h5")), "old");
  EXPECT_EQ(files_in(folder.path()), 2U);
}

TEST(TrainingTable, ReadsPandasTablesAndRefusesFixedOnes) {
  if (!have_pandas()) GTEST_SKIP() << "no /usr/bin/python3 with pandas and PyTables";
  TempFolder folder;
  const std::string make =
      "import pandas as pd; n=22; d=pd.DataFrame({'GPU_FREQUENCY_STATUS-gpu-0':[1e9]*n,"
      "'NVML::POWER-board_accelerator-0':[float(i%2) for i in "
      "range(n)],'GPU_UTILIZATION-gpu-0':[1.0]*n,"
      "'DCGM::SM_ACTIVE-gpu-0':[0.5]*n,'DCGM::DRAM_ACTIVE-gpu-0':[0.1]*n,'app-config':['a']*n,"
      "'is-roi':[True]*n,'trial':[1]*n,'gpu-frequency':[1e9]*n,'phi':[(i//2)/10 for i in range(n)],"
      "'phi-freq':[1e9+1e7*(i//2) for i in range(n)]});";
  const auto file = folder.path("t.h5");
  for (const std::string columns : {"data_columns=True", "data_columns=['trial']"}) {
    ASSERT_EQ(python_says(make + "d.to_hdf('" + file +
                          "','n_training_data',mode='w',format='table'," + columns + ")"),
              0)
        << python_output();
    const auto data = read_training_table(file);
    ASSERT_TRUE(data) << data.error().what;
    EXPECT_EQ(data->app_configs, (std::vector<std::string>{"a"}));
    EXPECT_EQ(data->rows(), 2U);
    EXPECT_EQ(data->features[1][1], 1.0);
    EXPECT_EQ(data->choices.at(0).at(10).frequency, 1.1e9);
  }
  ASSERT_EQ(python_says(make + "d.to_hdf('" + file + "','n_training_data',mode='w')"), 0);
  const auto fixed = read_training_table(file);
  ASSERT_FALSE(fixed);
  EXPECT_NE(fixed.error().what.find("format='table'"), std::string::npos) << fixed.error().what;
}

TEST(TrainingTable, RefusesOtherFiles) {
  TempFolder folder;
  EXPECT_FALSE(read_training_table(folder.path("none.h5")));
  EXPECT_FALSE(read_training_table(folder.write("t.h5", "text")));
  write_sweep(folder);
  ASSERT_TRUE(process_sweeps(options(folder)));
  const auto whole = slurp(folder.path("out.h5"));
  for (const std::size_t n :
       {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    EXPECT_FALSE(read_training_table(folder.write("cut.h5", whole.substr(0, n)))) << n;
  }
}

}  // namespace
}  // namespace mete
