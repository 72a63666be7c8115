// Judge: read every row and look.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/roi_scan.h"

#include <cmath>

#include "mete/base/rng.h"
#include "mete/dataset/sweep_fixture.h"
#include "mete/dataset/trace_file.h"

namespace mete {
namespace {

using testing::TempFolder;

RoiScan simple_scan(const std::string& path, const std::string& signal) {
  RoiScan roi;
  auto trace = TraceFile::open(path);
  const auto column = trace->find(signal, Domain::gpu, 0);
  while (trace->next()) {
    if (!(trace->numbers()[column] > kGpuTraining.active_above)) continue;
    if (!roi.found) roi.first_row = trace->row_offset();
    roi.found = true;
    roi.last_row = trace->row_offset();
  }
  return roi;
}

TEST(RoiScan, AgreesWithReadingEveryRow) {
  TempFolder folder;
  Rng rng(5);
  for (int i = 0; i < 60; ++i) {
    // Long enough now and then for the window from the end to move several times.
    const auto rows = i % 10 == 0 ? 6000 + rng.below(6000) : rng.below(200);
    const auto first = rng.below(rows + 1);
    const auto last = first + rng.below(rows - first + 1);
    std::string text = "TIME|DCGM::SM_ACTIVE-gpu-0|GPU_UTILIZATION-gpu-0|PAD\n";
    for (std::size_t r = 0; r < rows; ++r) {
      const bool busy = r >= first && r < last && rng.below(3) > 0;
      text += fmt::format("{}|{}|{}|{}\n", r, busy ? "0.5" : (r % 2 == 0 ? "0.05" : "nan"), 0,
                          std::string(rng.below(40), '1'));
    }
    if (i % 3 == 0) text += "99|0.9|1";  // cut: does not count
    const auto path = folder.write("t", text);
    const auto want = simple_scan(path, "GPU_CORE_ACTIVITY");
    const auto got = scan_roi(path);
    ASSERT_TRUE(got) << got.error().what;
    ASSERT_EQ(got->found, want.found) << i;
    if (want.found) {
      EXPECT_EQ(got->first_row, want.first_row) << i;
      EXPECT_EQ(got->last_row, want.last_row) << i;
    }
  }
}

TEST(RoiScan, GoesByUtilisationWhereActivityTellsNothing) {
  TempFolder folder;
  const auto path =
      folder.write("t",
                   "TIME|GPU_CORE_ACTIVITY-gpu-0|GPU_UTILIZATION-gpu-0|GPU_FREQUENCY_STATUS-gpu-0\n"
                   "0|nan|0|135e6\n1|nan|0.5|1e9\n2|0|0.06|1.2e9\n3|0|0|135e6\n");
  const auto got = scan_roi(path);
  ASSERT_TRUE(got);
  const auto want = simple_scan(path, "GPU_UTILIZATION");
  EXPECT_TRUE(got->found);
  EXPECT_EQ(got->first_row, want.first_row);
  EXPECT_EQ(got->last_row, want.last_row);
  EXPECT_EQ(got->clock, 1.2e9);
}

TEST(RoiScan, SaysWhatIsMissing) {
  TempFolder folder;
  const auto idle = scan_roi(folder.write("i", "TIME|GPU_CORE_ACTIVITY-gpu-0\n0|0\n"));
  ASSERT_TRUE(idle);
  EXPECT_FALSE(idle->found);
  EXPECT_TRUE(std::isnan(idle->clock));
  const auto none = scan_roi(folder.write("n", "TIME|CPU_POWER\n0|0\n"));
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().what.find("GPU_CORE_ACTIVITY"), std::string::npos);
}

}  // namespace
}  // namespace mete
