// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/top_frame.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mete {
namespace {

WatchedValue told(const char* name, const char* unit, Domain domain, int index, double value,
                  Source source = Source::sampled) {
  WatchedValue out;
  out.info.name = name;
  out.info.unit = unit;
  out.info.source = source;
  out.request = {name, domain, index};
  out.value = value;
  return out;
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

TEST(TopFrame, ARowForEachPartWithEnergySinceTheStart) {
  std::vector<WatchedValue> values{
      told("GPU_POWER", "W", Domain::gpu, 1, 100),
      told("GPU_ENERGY", "J", Domain::gpu, 1, 9000, Source::integrated),
      told("CPU_UTILIZATION", "1", Domain::package, 0, 0.5),
      told("CPU_POWER_ESTIMATE", "W", Domain::board, 0, 77)};
  values[1].gained = 250;
  const auto parts = top_parts(values);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].name, "package 0");
  EXPECT_FALSE(parts[0].source);
  EXPECT_TRUE(std::isnan(parts[0].watts));
  EXPECT_EQ(parts[1].name, "gpu 1");
  EXPECT_EQ(parts[1].joules, 250);
  EXPECT_EQ(parts[1].watts, 100);
  EXPECT_EQ(parts[1].source, Source::integrated);
}

TopState crowded() {
  TopState state;
  state.node = "a-node-with-a-name-that-is-much-longer-than-anybody-would-wish-for-in-a-title";
  state.seconds = 123456;
  TopPart part;
  part.name = "package 10";
  part.watts = 1234.5;
  part.joules = -1.234e-9;
  part.use = 1;
  part.hertz = 1.2345e9;
  part.celsius = 101.4;
  part.memory_used = 999e9;
  part.memory_total = 1024e9;
  part.source = Source::integrated;
  state.parts.assign(8, part);
  for (int i = 0; i < 60; ++i) {
    state.processes.push_back(
        {4194303, "\033[2Jevil\nname that is long enough to overrun a line", 128, 1e12, 4321});
  }
  return state;
}

TEST(TopFrame, FitsTheTerminalWhateverItsSize) {
  const TopState state = crowded();
  for (const std::size_t width : {1UL, 20UL, 80UL, 200UL}) {
    for (const std::size_t height : {1UL, 5UL, 24UL, 100UL}) {
      const auto lines = top_lines(state, width, height);
      EXPECT_LE(lines.size(), height);
      for (const auto& line : lines) EXPECT_LE(characters(line), width) << line;
    }
  }
}

TEST(TopFrame, At80ColumnsTheSourceIsWhole) {
  const auto lines = top_lines(crowded(), 80, 24);
  EXPECT_TRUE(lines[2].ends_with("integrated")) << lines[2];
}

TEST(TopFrame, NamesCannotDriveTheTerminal) {
  for (const auto& line : top_lines(crowded(), 200, 100)) {
    for (const char c : line) EXPECT_FALSE(c >= 0 && c < ' ') << line;
  }
}

TEST(TopFrame, SaysWhereNothingIsTold) {
  TopState state;
  state.processes_told = false;
  std::string all;
  for (const auto& line : top_lines(state, 80, 24)) all += line + "\n";
  EXPECT_NE(all.find("mete doctor"), std::string::npos);
  EXPECT_NE(all.find("No processes"), std::string::npos);
}

}  // namespace
}  // namespace mete
