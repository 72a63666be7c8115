// Replays the corpus of every fuzz target, and cuts and flips of it, so that what a fuzzer once
// found stays mended in builds that have no fuzzer. SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <string>
#include <string_view>

#include "fuzz/board/board_target.h"
#include "fuzz/ffnet/ffnet_target.h"
#include "fuzz/manifest/manifest_target.h"
#include "fuzz/names/names_target.h"
#include "fuzz/onnx/onnx_target.h"
#include "fuzz/placement/placement_target.h"
#include "fuzz/policy/policy_target.h"
#include "fuzz/program/program_target.h"
#include "fuzz/report/report_target.h"
#include "fuzz/response/response_target.h"
#include "fuzz/trace/trace_target.h"
#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/base/rng.h"

namespace mete {
namespace {

struct FuzzTarget {
  const char* name;
  void (*run)(std::string_view bytes);
};

constexpr std::array<FuzzTarget, 11> kTargets{{{"board", fuzz::board_target},
                                               {"ffnet", fuzz::ffnet_target},
                                               {"manifest", fuzz::manifest_target},
                                               {"names", fuzz::names_target},
                                               {"onnx", fuzz::onnx_target},
                                               {"placement", fuzz::placement_target},
                                               {"policy", fuzz::policy_target},
                                               {"program", fuzz::program_target},
                                               {"report", fuzz::report_target},
                                               {"response", fuzz::response_target},
                                               {"trace", fuzz::trace_target}}};

class FuzzReplay : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzReplay, IsRefusedFairlyOrAnswers) {
  const FuzzTarget& target = GetParam();
  const std::string folder = std::string(METE_SOURCE_DIR "/fuzz/") + target.name + "/corpus";
  const auto names = list_directory(folder);
  ASSERT_TRUE(names) << names.error().what;
  EXPECT_GE(names->size(), 5U);
  Rng rng(11);
  for (const auto& name : *names) {
    SCOPED_TRACE(name);
    const auto text = read_file(path_join(folder, name));
    ASSERT_TRUE(text) << text.error().what;
    target.run(*text);
    if (text->empty()) continue;
    for (int i = 0; i < 40; ++i) {
      std::string bent = *text;
      bent[rng.below(bent.size())] = "0[]{}\",:-9eNn\\ \xff|#\n\r"[rng.below(20)];
      if (i % 4 == 0) bent.resize(rng.below(bent.size()));
      target.run(bent);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, ::testing::ValuesIn(kTargets),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace mete
