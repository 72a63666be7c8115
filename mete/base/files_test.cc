// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/files.h"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/sys_root.h"
#include "mete/base/table.h"

namespace mete {
namespace {

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mete-files-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override {
    [[maybe_unused]] const int n = std::system(("rm -rf " + folder_).c_str());
  }
  std::string in(std::string_view name) const { return path_join(folder_, name); }
  std::string folder_;
};

TEST_F(Files, WritesAtomicallyAndLeavesNoPart) {
  ASSERT_TRUE(write_file_atomically(in("a"), "one"));
  ASSERT_TRUE(write_file_atomically(in("a"), "two"));
  EXPECT_EQ(*read_file(in("a")), "two");
  EXPECT_EQ(list_directory(folder_)->size(), 1U);
}

TEST_F(Files, AFullDiskKeepsTheOldFile) {
  ASSERT_TRUE(write_file_atomically(in("a"), "old"));
  const pid_t child = fork();
  if (child == 0) {
    // A file-size limit fails writes as a full disk does.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto written = write_file_atomically(in("a"), std::string(100000, 'x'));
    _exit(written ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(*read_file(in("a")), "old");
  EXPECT_EQ(list_directory(folder_)->size(), 1U);
}

TEST_F(Files, ErrorsNameTheFileAndTheNextStep) {
  const auto missing = read_file(in("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::unavailable);
  EXPECT_NE(missing.error().what.find("none"), std::string::npos);
  EXPECT_EQ(read_file(folder_).error().code, Errc::invalid);
  ASSERT_TRUE(write_file_atomically(in("big"), std::string(1000, 'x')));
  EXPECT_EQ(read_file(in("big"), 999).error().code, Errc::invalid);
  EXPECT_FALSE(make_directories(in("big/below")));
  EXPECT_FALSE(write_file_atomically("/dev/full", "x"));
}

TEST_F(Files, LineWriterKeepsWhatWasFlushed) {
  const pid_t child = fork();
  if (child == 0) {
    auto writer = LineWriter::open(in("t"));
    writer->write("first\n");
    writer->flush();
    writer->write("second\n");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(*read_file(in("t")), "first\n");
  auto more = LineWriter::open(in("t"), true, 8);
  more->write("a piece larger than the buffer\n");
  more->write("x\n");
  EXPECT_TRUE(more->close());
  EXPECT_EQ(*read_file(in("t")), "first\na piece larger than the buffer\nx\n");
}

TEST_F(Files, LineWriterTellsAFullDisk) {
  auto writer = LineWriter::open("/dev/full");
  ASSERT_TRUE(writer);
  writer->write("x\n");
  const auto closed = writer->close();
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().what.find("No space"), std::string::npos);
}

TEST_F(Files, SysRootReadsUnderItsRoot) {
  ASSERT_TRUE(make_directories(in("sys/x")));
  ASSERT_TRUE(write_file_atomically(in("sys/x/n"), "42\n"));
  ASSERT_TRUE(write_file_atomically(in("sys/x/bad"), "4x\n"));
  const SysRoot root(folder_);
  EXPECT_EQ(*root.read_int("/sys/x/n"), 42);
  EXPECT_FALSE(root.read_int("/sys/x/bad"));
  EXPECT_FALSE(root.exists("/sys/y"));
  EXPECT_EQ(root.list("/sys/x").size(), 2U);
  EXPECT_TRUE(root.list("/sys/none").empty());
}

TEST(CpuList, KernelFormat) {
  EXPECT_EQ(*parse_cpu_list("0-3,8,10-11\n"), (std::vector<int>{0, 1, 2, 3, 8, 10, 11}));
  EXPECT_TRUE(parse_cpu_list("")->empty());
  for (const char* bad : {"a", "3-1", "0-99999999", "-1", "1,,2"})
    EXPECT_FALSE(parse_cpu_list(bad)) << bad;
}

TEST(Csv, QuotesAndLineEnds) {
  const auto rows = parse_csv("a,\"b,\"\"c\"\"\"\r\n\n1,\n");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0][1], "b,\"c\"");
  EXPECT_EQ((*rows)[1], (std::vector<std::string>{"1", ""}));
  EXPECT_FALSE(parse_csv("a,\"b\n"));
}

TEST(Table, CsvReadsBack) {
  Table t;
  t.add_numbers("power", "W", {1.5, std::numeric_limits<double>::quiet_NaN()});
  t.add_texts("app", {"x,y", "\"q\""});
  const auto rows = parse_csv(t.to_csv());
  ASSERT_TRUE(rows);
  EXPECT_EQ((*rows)[0][0], "power [W]");
  EXPECT_EQ((*rows)[1], (std::vector<std::string>{"1.5", "x,y"}));
  EXPECT_EQ((*rows)[2], (std::vector<std::string>{"", "\"q\""}));
  EXPECT_FALSE(t.numbers("powr"));
  EXPECT_NE(t.numbers("powr").error().what.find("power"), std::string::npos);
}

}  // namespace
}  // namespace mete
