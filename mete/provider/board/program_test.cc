// Programs: what is read, and what is refused.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/program.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace mete {
namespace {

Board tiny() { return load_board(METE_SOURCE_DIR "/tests/fixtures/boards/tiny.csv").value(); }

std::string error_of(const std::string& text) {
  const auto program = parse_program(text, "p.txt", tiny());
  if (program) return "(no error)";
  EXPECT_EQ(program.error().code, Errc::invalid);
  return program.error().what;
}

TEST(Program, TakesAKernelByName) {
  const auto program = load_program("compute:20s", tiny());
  ASSERT_TRUE(program) << program.error().what;
  ASSERT_EQ(program->phases.size(), 1U);
  EXPECT_DOUBLE_EQ(program->phases[0].count, 20 / 1e-3);
  EXPECT_EQ(program->text, "compute:20s");
  EXPECT_DOUBLE_EQ(load_program("memory", tiny())->seconds_at_top_clock(), kDefaultProgramSeconds);
  EXPECT_DOUBLE_EQ(load_program("memory:500ms", tiny())->seconds_at_top_clock(), 0.5);
}

TEST(Program, TakesKernelsNamedLikePaths) {
  const auto board = load_board("v100").value();
  const auto program = load_program("cachebench-l2-only/input000:5s", board);
  ASSERT_TRUE(program) << program.error().what;
  EXPECT_EQ(board.kernels[program->phases[0].kernel].name, "cachebench-l2-only/input000");
}

TEST(Program, ReadsPhasesAndUnrollsRepeats) {
  const auto program = parse_program(
      "# warm up\nkernel compute 2 # twice a thousand\n\nrepeat 3\n  idle 500ms\r\n  repeat "
      "2\n\tkernel\tmemory 3ms\n"
      "  end\nend\nidle 1\n",
      "p.txt", tiny());
  ASSERT_TRUE(program) << program.error().what;
  std::string shape;
  for (const auto& phase : program->phases)
    shape += phase.kind == Phase::Kind::idle ? 'i' : phase.kernel == 0 ? 'c' : 'm';
  EXPECT_EQ(shape, "cimmimmimmi");
  EXPECT_NEAR(program->seconds_at_top_clock(), 2 + 3 * (0.5 + 2 * 0.003) + 1, 1e-12);
  EXPECT_DOUBLE_EQ(program->phases[2].count, 2);
}

TEST(Program, RefusesWithFileAndLine) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"kernel comptue 1", "did you mean compute?"},
      {"kernel compute", "expected 'kernel NAME SECONDS'"},
      {"kernel compute 0", "more than 0"},
      {"kernel compute -1", "more than 0"},
      {"kernel compute nan", "more than 0"},
      {"idle 1e300", "at most"},
      {"repeat 0", "whole number"},
      {"repeat 1.5", "whole number"},
      {"end", "without a 'repeat'"},
      {"run fast", "'run fast': expected"},
      {"repeat 2\nend", "holds no phases"}};
  for (const auto& [text, expected] : cases) {
    const auto error = error_of("idle 1\n" + text + "\n");
    EXPECT_NE(error.find(text.find('\n') == std::string::npos ? "p.txt:2: " : "p.txt:3: "),
              std::string::npos)
        << error;
    EXPECT_NE(error.find(expected), std::string::npos) << text << " → " << error;
  }
  EXPECT_NE(error_of("").find("has no phases"), std::string::npos);
  EXPECT_NE(error_of("repeat 2\nidle 1\n").find("repeat of line 1 has no 'end'"),
            std::string::npos);
}

TEST(Program, RefusesRepeatBombs) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "repeat 1000\n";
  EXPECT_NE(error_of(deep).find("inside each other"), std::string::npos);
  std::string wide;
  for (int i = 0; i < 10; ++i) wide += "repeat 1000\n";
  wide += "idle 1us\n";
  for (int i = 0; i < 10; ++i) wide += "end\n";
  EXPECT_NE(error_of(wide).find("beyond 100000 phases"), std::string::npos);
  EXPECT_NE(error_of("repeat 1000\nidle 100000\nend\n").find("beyond 1000000 s"),
            std::string::npos);
}

TEST(Program, ReadsFilesAndSaysWhatIsMissing) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "mete_program_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "two.txt").string();
  std::ofstream(path) << "kernel compute 1\nkernel memory 1\n";
  const auto program = load_program(path, tiny());
  ASSERT_TRUE(program) << program.error().what;
  EXPECT_EQ(program->phases.size(), 2U);
  EXPECT_NE(load_program("/nonexistent.txt", tiny()).error().what.find("no such program file"),
            std::string::npos);
  EXPECT_NE(load_program("compute:", tiny()).error().what.find("compute:"), std::string::npos);
  EXPECT_NE(load_program("compte:5", tiny()).error().what.find("did you mean compute"),
            std::string::npos);
  EXPECT_NE(load_program(folder.string(), tiny()).error().what.find("folder"), std::string::npos);
  std::ofstream(path) << std::string(2U << 20U, '#');
  EXPECT_FALSE(load_program(path, tiny())) << "larger than any program";
  std::filesystem::remove_all(folder);
}

TEST(Program, ExamplesFitTheirBoards) {
  const std::string folder = METE_SOURCE_DIR "/examples/programs/";
  for (const auto& [file, name] :
       std::vector<std::pair<std::string, std::string>>{{"training-like.txt", "v100"},
                                                        {"bursts.txt", "v100"},
                                                        {"gemm-sizes.txt", "jetson-agx"}}) {
    const auto program = load_program(folder + file, load_board(name).value());
    ASSERT_TRUE(program) << program.error().what;
    EXPECT_GT(program->seconds_at_top_clock(), 5);
  }
}

}  // namespace
}  // namespace mete
