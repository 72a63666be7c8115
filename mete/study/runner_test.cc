// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/runner.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/study/summary.h"

namespace mete {
namespace {

namespace fs = std::filesystem;

/// A folder of the test's own, removed afterwards.
class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "mete-study-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path_, fs::perms::owner_all, ignored);
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string study() const { return path_ + "/study"; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

StudyPlan small_plan() {
  StudyPlan plan;
  plan.axes = {{"GPU_CORE_FREQUENCY_MAX_CONTROL", "Hz", {1e9, 1.2e9, 1.5e9}}};
  plan.trials = 2;
  plan.reference_every = 3;
  plan.app = plan.app_config = "toy";
  plan.command = {"toy"};
  plan.node = "host";
  plan.energy_signals = {"GPU_ENERGY"};
  return plan;
}

class Trigger final : public Interrupt {
 public:
  int signal() const noexcept override { return value; }
  int value = 0;
};

/// Time is 1/clock, energy the clock; files are written as a session would. Finishes points in
/// reverse order of submission, as a batch system may.
class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(std::size_t slots = 1) : slots_(slots) {}
  std::string_view name() const override { return "fake"; }
  std::size_t capacity() const override { return slots_; }
  Result<void> submit(const PointJob& job) override {
    EXPECT_LT(in_hand_.size(), slots_);
    EXPECT_FALSE(path_exists(job.report_path)) << "an old half-written report was left";
    EXPECT_FALSE(path_exists(job.trace_path)) << "an old half-written trace was left";
    in_hand_.push_back(job);
    started.push_back(job.report_path);
    return {};
  }
  Result<std::vector<PointOutcome>> wait(const Interrupt& interrupt) override {
    std::vector<PointOutcome> out;
    if (interrupt.signal() != 0) {
      for (const auto& job : in_hand_) {
        PointOutcome o;
        o.index = job.index;
        o.kind = PointOutcome::Kind::interrupted;
        out.push_back(o);
      }
      in_hand_.clear();
      return out;
    }
    const PointJob job = in_hand_.back();
    in_hand_.pop_back();
    PointOutcome o;
    o.index = job.index;
    o.runtime = 1e9 / job.controls[0].second + drift * static_cast<double>(started.size());
    o.energy = job.controls[0].second / 1e7;
    o.source = Source::replayed;
    o.kind = PointOutcome::Kind::done;
    if (fail_at != 0 && started.size() == fail_at) {
      o.kind = PointOutcome::Kind::failed;
      o.error = fail(Errc::failed, "the command ended with exit code 3");
    }
    EXPECT_TRUE(write_file_atomically(job.report_path, "report"));
    EXPECT_TRUE(write_file_atomically(job.trace_path, "trace"));
    ++finished;
    if (stop_after == finished && stop != nullptr) stop->value = 2;
    out.push_back(o);
    return out;
  }

  std::vector<std::string> started;
  std::size_t finished = 0;
  std::size_t fail_at = 0;
  std::size_t stop_after = 0;
  double drift = 0;
  Trigger* stop = nullptr;

 private:
  std::size_t slots_;
  std::vector<PointJob> in_hand_;
};

Result<StudyOutcome> go(FakeEngine& engine, OpenStudy& study, const Interrupt& interrupt,
                        RunnerOptions options = {}) {
  VirtualClock clock;
  return StudyRunner(engine, clock, interrupt).run(study, options, {});
}

std::map<std::string, ino_t> inodes(const std::string& folder) {
  std::map<std::string, ino_t> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat info{};
    if (!entry.is_regular_file() || entry.path().filename().string().starts_with("sweep")) continue;
    EXPECT_EQ(::stat(entry.path().c_str(), &info), 0);
    out[entry.path().string()] = info.st_ino;
  }
  return out;
}

TEST(Runner, RunsEveryPointOnceInTheOrderOfThePlan) {
  const Folder folder;
  auto study = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(study) << study.error().what;
  FakeEngine engine;
  const auto outcome = go(engine, *study, NoInterrupt());
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_EQ(engine.started.size(), study->manifest.points.size());
  for (std::size_t i = 0; i < engine.started.size(); ++i) {
    EXPECT_EQ(engine.started[i], path_join(folder.study(), study->manifest.points[i].report));
  }
  std::vector<std::string> notices;
  const auto back = load_manifest(folder.study(), notices);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->plan, small_plan());
  EXPECT_EQ(back->count(PointStatus::done), back->points.size());
  EXPECT_EQ(back->source, Source::replayed);
}

TEST(Runner, ResumingAtEveryPointRepeatsNothing) {
  const std::size_t total = 6 + 3;
  for (std::size_t stop_after = 1; stop_after < total; ++stop_after) {
    const Folder folder;
    Trigger stop;
    FakeEngine first;
    first.stop = &stop;
    first.stop_after = stop_after;
    {
      auto study = open_study(folder.study(), small_plan(), {}, 0);
      ASSERT_TRUE(study);
      const auto outcome = go(first, *study, stop);
      ASSERT_TRUE(outcome);
      EXPECT_TRUE(outcome->interrupted);
    }
    const auto before = inodes(folder.study());
    EXPECT_EQ(before.size(), 2 * stop_after);
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study) << study.error().what;
    EXPECT_EQ(study->resumed, stop_after);
    FakeEngine second;
    const auto outcome = go(second, *study, NoInterrupt());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(second.started.size(), total - stop_after);
    const auto after = inodes(folder.study());
    for (const auto& [path, inode] : before) EXPECT_EQ(after.at(path), inode) << path;
    EXPECT_EQ(after.size(), 2 * total);
  }
}

TEST(Runner, HalfWrittenPointIsRedone) {
  const Folder folder;
  auto study = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(study);
  const auto& point = study->manifest.points[0];
  ASSERT_TRUE(write_file_atomically(path_join(folder.study(), point.trace), "half a tra"));
  FakeEngine engine;  // expects that no old file is there
  ASSERT_TRUE(go(engine, *study, NoInterrupt()));
  EXPECT_EQ(*read_file(path_join(folder.study(), point.trace)), "trace");
}

TEST(Runner, SeveralPointsInHandMayFinishInAnyOrder) {
  const Folder folder;
  auto study = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(study);
  FakeEngine engine(4);
  const auto outcome = go(engine, *study, NoInterrupt());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->ran, study->manifest.points.size());
  for (const auto& setting : summarise(study->manifest)) {
    EXPECT_EQ(setting.seconds, std::vector<double>(2, 1e9 / setting.values[0]));
  }
}

TEST(Runner, StopsAtTheFirstFailureUnlessToldToGoOn) {
  const Folder folder;
  {
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study);
    FakeEngine engine;
    engine.fail_at = 2;
    const auto outcome = go(engine, *study, NoInterrupt());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(engine.started.size(), 2U);
    ASSERT_TRUE(outcome->first_failure);
    EXPECT_NE(outcome->first_failure->what.find("exit code 3"), std::string::npos);
    EXPECT_EQ(study->manifest.count(PointStatus::failed), 1U);
  }
  auto study = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(study);
  FakeEngine engine;
  engine.fail_at = 1;
  const auto outcome = go(engine, *study, NoInterrupt(), {.keep_going = true, .pause = 0});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(study->manifest.count(PointStatus::failed), 1U);
  EXPECT_EQ(study->manifest.count(PointStatus::pending), 0U);
}

TEST(Runner, PauseWaitsBetweenPointsOnly) {
  const Folder folder;
  auto study = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(study);
  FakeEngine engine;
  VirtualClock clock;
  const NoInterrupt never;
  ASSERT_TRUE(StudyRunner(engine, clock, never).run(*study, {.keep_going = false, .pause = 5}, {}));
  EXPECT_DOUBLE_EQ(to_seconds(clock.now()), 5.0 * 8);
}

TEST(OpenStudy, AChangedPlanIsRefusedInClearWords) {
  const Folder folder;
  StudyPlan other = small_plan();
  other.trials = 4;
  {
    ASSERT_TRUE(open_study(folder.study(), other, {}, 0));
  }
  {
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study) << "nothing was finished: nothing to defend";
    FakeEngine engine;
    engine.fail_at = 2;
    ASSERT_TRUE(go(engine, *study, NoInterrupt()));
  }
  const auto refused = open_study(folder.study(), other, {}, 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_NE(refused.error().what.find("trials: 2 here, 4 asked for"), std::string::npos)
      << refused.error().what;
  EXPECT_TRUE(open_study(folder.study(), other, {.fresh = true, .force = true}, 0));
}

TEST(OpenStudy, FreshRefusesAFolderWithAnything) {
  const Folder folder;
  {
    ASSERT_TRUE(open_study(folder.study(), small_plan(), {.fresh = true, .force = false}, 0));
  }
  EXPECT_FALSE(open_study(folder.study(), small_plan(), {.fresh = true, .force = false}, 0));
}

TEST(OpenStudy, ForceRemovesTheOldRunsAndNothingElse) {
  const Folder folder;
  std::string report;
  {
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study);
    FakeEngine engine;
    ASSERT_TRUE(go(engine, *study, NoInterrupt()));
    report = path_join(folder.study(), study->manifest.points[1].report);
  }
  const std::string mine = path_join(folder.study(), "thesis.txt");
  ASSERT_TRUE(write_file_atomically(mine, "years of work"));
  ASSERT_TRUE(path_exists(report));
  ASSERT_TRUE(open_study(folder.study(), small_plan(), {.fresh = true, .force = true}, 0));
  EXPECT_FALSE(path_exists(report));
  EXPECT_TRUE(path_exists(mine));
}

TEST(OpenStudy, AFolderOfSomebodyElsesIsLeftAlone) {
  const Folder folder;
  ASSERT_TRUE(make_directories(folder.study()));
  ASSERT_TRUE(write_file_atomically(path_join(folder.study(), "thesis.txt"), "x"));
  EXPECT_FALSE(open_study(folder.study(), small_plan(), {}, 0));
  EXPECT_FALSE(open_study(path_join(folder.study(), "thesis.txt"), small_plan(), {}, 0));
}

TEST(OpenStudy, TwoAtOnceAreRefused) {
  const Folder folder;
  auto first = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(first);
  const auto second = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("another mete"), std::string::npos);
}

TEST(OpenStudy, LostFilesAreRunAgain) {
  const Folder folder;
  {
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study);
    FakeEngine engine;
    ASSERT_TRUE(go(engine, *study, NoInterrupt()));
    ::unlink(path_join(folder.study(), study->manifest.points[2].report).c_str());
  }
  auto study = open_study(folder.study(), small_plan(), {}, 0);
  ASSERT_TRUE(study);
  EXPECT_EQ(study->manifest.points[2].status, PointStatus::pending);
  EXPECT_EQ(study->manifest.count(PointStatus::pending), 1U);
  EXPECT_EQ(study->notices.size(), 1U);
}

TEST(Manifest, TruncatedAnywhereNothingIsLostAndNothingCrashes) {
  const Folder folder;
  {
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study);
    FakeEngine engine;
    ASSERT_TRUE(go(engine, *study, NoInterrupt()));
  }
  const std::string path = path_join(folder.study(), kManifestName);
  const std::string backup = path_join(folder.study(), kManifestBackupName);
  const std::string good = *read_file(path);
  const std::string previous = *read_file(backup);
  for (std::size_t size = 0; size + 2 < good.size(); size += 97) {
    ASSERT_TRUE(write_file_atomically(path, good.substr(0, size)));
    ASSERT_TRUE(write_file_atomically(backup, previous));
    std::vector<std::string> notices;
    const auto manifest = load_manifest(folder.study(), notices);
    ASSERT_TRUE(manifest) << size;
    EXPECT_EQ(notices.size(), 1U);
    EXPECT_GE(manifest->count(PointStatus::done) + 1, manifest->points.size());
    ::unlink(backup.c_str());
    EXPECT_FALSE(load_manifest(folder.study(), notices));
    const auto refused = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("sweep.json"), std::string::npos);
  }
}

TEST(Manifest, WrongMembersAreNamed) {
  const auto manifest = make_manifest(small_plan(), "now");
  ASSERT_TRUE(manifest);
  const Json good = manifest_to_json(*manifest);
  ASSERT_TRUE(parse_manifest(good.dump(), "f"));
  const std::vector<std::pair<std::string, Json>> damages{
      {"format", "mete.sweep/9"},
      {"trials", 0},
      {"trials", 2.5},
      {"trials", 1'000'000},
      {"controls", "x"},
      {"points", Json::array()},
      {"command", 7},
      {"seed", "one"},
      {"reference_every", -1},
      {"source", "guess"},
      {"node", Json()},
      {"signals", Json::array_of(std::vector<double>{1})},
  };
  for (const auto& [key, value] : damages) {
    Json bad = good;
    bad.set(key, value);
    const auto parsed = parse_manifest(bad.dump(), "f");
    EXPECT_FALSE(parsed) << key;
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, Errc::invalid) << key;
    }
  }
}

TEST(Manifest, PathsOutOfTheFolderAreRefused) {
  auto manifest = make_manifest(small_plan(), "now");
  ASSERT_TRUE(manifest);
  for (const char* path : {"/etc/passwd", "../x", "a/../../x", "..", ""}) {
    Manifest bad = *manifest;
    bad.points[1].report = path;
    EXPECT_FALSE(parse_manifest(manifest_to_json(bad).dump(), "f")) << path;
  }
}

TEST(Manifest, SeedsOfAllBitsComeBack) {
  StudyPlan plan = small_plan();
  plan.seed = 0xFFFFFFFFFFFFFFF1ULL;
  const auto manifest = make_manifest(plan, "now");
  ASSERT_TRUE(manifest);
  const auto back = parse_manifest(manifest_to_json(*manifest).dump(), "f");
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(back->plan.seed, plan.seed);
}

TEST(Drift, AStraightDriftIsFoundAndWarnedOfWhenItHidesTheEffect) {
  for (const double per_point : {0.0, 0.001, 0.5}) {
    const Folder folder;
    auto study = open_study(folder.study(), small_plan(), {}, 0);
    ASSERT_TRUE(study);
    FakeEngine engine;
    engine.drift = per_point;
    ASSERT_TRUE(go(engine, *study, NoInterrupt()));
    const Drift drift = drift_of(study->manifest);
    ASSERT_EQ(drift.references, 3U);
    // References stand at places 1, 5 and 9; their times are 2/3 + place * per_point.
    const double mean = 1 / 1.5 + 5 * per_point;
    EXPECT_NEAR(drift.time.change.estimate, 8 * per_point / mean, 1e-9);
    EXPECT_NEAR(drift.time.spread, 8 * per_point / mean, 1e-9);
    EXPECT_NEAR(drift.energy.change.estimate, 0, 1e-9);
    EXPECT_EQ(drift.time.hides_effect(), per_point > 0.1);
    const auto lines = drift_lines(drift);
    EXPECT_EQ(lines.size(), per_point > 0.1 ? 3U : 2U);
  }
}

TEST(Drift, FewReferencesAreNotAFigure) {
  StudyPlan plan = small_plan();
  plan.reference_every = 0;
  const auto manifest = make_manifest(plan, "now");
  const Drift drift = drift_of(*manifest);
  EXPECT_TRUE(std::isnan(drift.time.spread));
  EXPECT_FALSE(drift.time.hides_effect());
  EXPECT_EQ(drift_lines(drift).size(), 1U);
}

}  // namespace
}  // namespace mete
