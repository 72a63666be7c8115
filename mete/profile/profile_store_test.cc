// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/profile_store.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/sqlite_db.h"
#include "mete/graph/ops.h"
#include "mete/profile/machine.h"
#include "mete/profile/profile_test_support.h"

namespace mete {
namespace {

using profile_test::KnownBench;

Graph one_relu() {
  GraphBuilder b("one");
  b.add_result(b.add(kReluOp, {b.input("x", {8, 64})}));
  return *b.finish();
}

ProfileEnvironment here() {
  return {"machine A", "lib 1", "dram: DRAM", "throttled:3,6: ..", true, 2};
}

KernelMeasurement some_kernel(const std::string& key, double seconds) {
  KernelMeasurement kernel;
  kernel.profile = {key,  "known", 1, {{0, 2, seconds, 0.1}, {1, 2, 2 * seconds, 0.2, 5.0}},
                    true, 0.01};
  kernel.seconds = {{seconds, seconds}, {2 * seconds, 2 * seconds}};
  return kernel;
}

void execute(const std::string& path, const char* sql) {
  auto db = SqlDatabase::open(path, true);
  ASSERT_TRUE(db);
  const auto done = db->execute(sql);
  ASSERT_TRUE(done) << done.error().what;
}

TEST(ProfileStore, KeepsWhatWasPut) {
  const KnownBench bench;
  {
    auto store = ProfileStore::open(bench.store_path(), ProfileStore::Mode::create);
    ASSERT_TRUE(store) << store.error().what;
    const auto id = store->enter(here(), false);
    ASSERT_TRUE(id);
    EXPECT_EQ(*store->enter(here(), false), *id) << "one environment once";
    ASSERT_TRUE(store->put(*id, some_kernel("relu", 1.5)));
    ASSERT_TRUE(store->put(*id, some_kernel("add", 3)));
    ASSERT_TRUE(store->put(*id, some_kernel("relu", 2.5))) << "measured again";
    EXPECT_FALSE(*store->copies(*id));
    ASSERT_TRUE(store->put_copies(*id, {1e9, 2e9}));
    EXPECT_FALSE(*store->dram("machine A", 2));
    ASSERT_TRUE(store->put_dram("machine A", 2, {3e9, 4e9}));
  }
  const auto store = ProfileStore::open(bench.store_path(), ProfileStore::Mode::read);
  ASSERT_TRUE(store);
  const auto id = store->find(here());
  ASSERT_TRUE(*id);
  const auto kernels = store->kernels(**id);
  ASSERT_TRUE(kernels) << kernels.error().what;
  ASSERT_EQ(kernels->size(), 2U);
  const KernelProfile& relu = kernels->back();
  EXPECT_EQ(relu.key, "relu");
  EXPECT_EQ(relu.seconds(0), 2.5);
  EXPECT_EQ(relu.seconds(1), 5);
  EXPECT_EQ(relu.timings[1].joules, 5.0);
  EXPECT_TRUE(std::isnan(relu.timings[0].joules));
  EXPECT_EQ(*store->repeats(**id, "relu", 1), (std::vector<double>{5, 5}));
  EXPECT_EQ((*store->copies(**id))->slow_to_fast, 2e9);
  EXPECT_EQ(**store->dram("machine A", 2), (Bandwidth{3e9, 4e9}));
  EXPECT_FALSE(*store->dram("machine A", 1));
  ProfileEnvironment other = here();
  other.threads = 1;
  EXPECT_FALSE(*store->find(other));
}

TEST(ProfileStore, AnotherMachinesIsRefusedUnlessTold) {
  KnownBench bench;
  bench.time = [](const auto&) { return 1e-3; };
  ASSERT_TRUE(bench.run(one_relu()));
  bench.machine = "another machine";
  const auto refused = bench.run(one_relu());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_NE(refused.error().what.find("test machine"), std::string::npos);
  EXPECT_NE(refused.error().what.find("--any-machine"), std::string::npos);
  bench.any_machine = true;
  bench.time = [](const auto&) { return 7e-3; };
  const auto told = bench.run(one_relu());
  ASSERT_TRUE(told) << told.error().what;
  EXPECT_NEAR(told->all_fast_seconds(), 7e-3, 1e-6) << "measured here, not taken from there";
  bench.machine = "test machine";
  bench.any_machine = false;
  const auto first = bench.run(one_relu());
  ASSERT_TRUE(first);
  EXPECT_NEAR(first->all_fast_seconds(), 1e-3, 1e-6) << "kept apart";
}

TEST(ProfileStore, StoredProfilesSayWhatIsMissing) {
  KnownBench bench;
  bench.time = [](const auto&) { return 1e-3; };
  const auto measured = bench.run(one_relu());
  ASSERT_TRUE(measured);
  const auto store = ProfileStore::open(bench.store_path(), ProfileStore::Mode::read);
  const auto read = [&](const Graph& graph, const ProfileEnvironment& environment) {
    const std::vector<Layout> layouts(graph.tensors.size(), Layout::plain);
    return stored_profile(graph, liveness_of(graph, graph.nodes.size(), false), layouts,
                          environment, *store, 1);
  };
  const auto same = read(one_relu(), measured->environment);
  ASSERT_TRUE(same) << same.error().what;
  EXPECT_EQ(same->all_fast_seconds(), measured->all_fast_seconds());
  EXPECT_FALSE(read(one_relu(), here()));
  GraphBuilder b("two");
  b.add_result(b.add(kGeluOp, {b.add(kReluOp, {b.input("x", {8, 64})})}));
  const auto more = read(*b.finish(), measured->environment);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Errc::unavailable);
  EXPECT_NE(more.error().what.find("1 of two's 2 kernels"), std::string::npos) << more.error().what;
}

TEST(ProfileStore, FilesThatAreNotOursAreRefused) {
  const KnownBench bench;
  const std::string path = bench.store_path();
  const auto open = [&path](ProfileStore::Mode mode) { return ProfileStore::open(path, mode); };
  EXPECT_FALSE(open(ProfileStore::Mode::read)) << "absent";
  ASSERT_TRUE(write_file_atomically(path, "this is no database, whatever its name says"));
  for (const auto mode : {ProfileStore::Mode::read, ProfileStore::Mode::create}) {
    const auto text = open(mode);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, Errc::invalid) << text.error().what;
  }
  ASSERT_EQ(std::remove(path.c_str()), 0);
  execute(path, "CREATE TABLE x (y); PRAGMA application_id = 1835365477; PRAGMA user_version = 1");
  const auto study = open(ProfileStore::Mode::create);
  ASSERT_FALSE(study);
  EXPECT_EQ(study.error().code, Errc::invalid);
  EXPECT_NE(study.error().what.find("no profile"), std::string::npos);
  execute(path, "PRAGMA application_id = 1835365488; PRAGMA user_version = 9");
  const auto newer = open(ProfileStore::Mode::create);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().what.find("version 9"), std::string::npos);
}

TEST(ProfileStore, DamageIsFound) {
  const std::vector<const char*> damage = {
      "UPDATE timing SET slow_mask = 9 WHERE slow_mask = 1",
      "UPDATE kernel SET slots = 4000000000",
      "UPDATE kernel SET slots = -1",
      "UPDATE timing SET median_s = -1",
      "UPDATE timing SET median_s = 9e999",
      "DELETE FROM timing WHERE slow_mask = 0",
      "UPDATE timing SET repeats = 0",
      "UPDATE timing SET slow_mask = -5 WHERE slow_mask = 1",
      "UPDATE timing SET median_s = 'x'; DELETE FROM timing WHERE slow_mask = 1"};
  for (const auto* sql : damage) {
    const KnownBench bench;
    {
      auto store = ProfileStore::open(bench.store_path(), ProfileStore::Mode::create);
      ASSERT_TRUE(store->put(*store->enter(here(), false), some_kernel("relu", 1)));
    }
    execute(bench.store_path(), sql);
    const auto store = ProfileStore::open(bench.store_path(), ProfileStore::Mode::read);
    ASSERT_TRUE(store);
    const auto kernels = store->kernels(1);
    ASSERT_FALSE(kernels) << sql;
    EXPECT_EQ(kernels.error().code, Errc::invalid);
  }
}

TEST(Machine, NamesItsProcessor) {
  const KnownBench bench;
  const auto write = [&bench](const std::string& name, const std::string& text) {
    const std::string path = path_join(dir_name(bench.store_path()), name);
    ASSERT_TRUE(make_directories(dir_name(path)));
    ASSERT_TRUE(write_file_atomically(path, text));
  };
  const SysRoot sys(dir_name(bench.store_path()));
  EXPECT_EQ(last_level_cache(sys), std::uint64_t{32} << 20U);
  EXPECT_FALSE(machine_name(sys).empty());
  write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name : other\n");
  write("sys/devices/system/cpu/online", "0-2,7\n");
  write("sys/devices/system/cpu/cpu0/cache/index0/size", "32K\n");
  write("sys/devices/system/cpu/cpu0/cache/index3/size", "36608K\n");
  EXPECT_EQ(machine_name(sys), "Some CPU @ 2 GHz, 4 CPUs");
  EXPECT_EQ(last_level_cache(sys), std::uint64_t{36608} << 10U);
}

}  // namespace
}  // namespace mete
