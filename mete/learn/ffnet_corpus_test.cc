// Replays the fuzzer's corpus, and cuts and flips of it, through the reader of ffnet's files.
// SPDX-License-Identifier: BSD-3-Clause
#include <string>

#include "fuzz/ffnet/ffnet_target.h"
#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/base/rng.h"

namespace mete {
namespace {

TEST(FfnetCorpus, IsRefusedFairlyOrAnswers) {
  const std::string folder = METE_SOURCE_DIR "/fuzz/ffnet/corpus";
  const auto names = list_directory(folder);
  ASSERT_TRUE(names) << names.error().what;
  EXPECT_GE(names->size(), 10U);
  Rng rng(11);
  for (const auto& name : *names) {
    SCOPED_TRACE(name);
    const auto text = read_file(path_join(folder, name));
    ASSERT_TRUE(text) << text.error().what;
    fuzz::ffnet_target(*text);
    if (text->empty()) continue;
    for (int i = 0; i < 200; ++i) {
      std::string bent = *text;
      bent[rng.below(bent.size())] = "0[]{}\",:-9eNn\\ \xff"[rng.below(16)];
      if (i % 4 == 0) bent.resize(rng.below(bent.size()));
      fuzz::ffnet_target(bent);
    }
  }
}

}  // namespace
}  // namespace mete
