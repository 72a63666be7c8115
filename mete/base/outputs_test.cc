// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/outputs.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace mete {
namespace {

namespace fs = std::filesystem;

class OutputsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mete-outputs-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string at(const std::string& name) const { return folder_ + "/" + name; }
  void touch(const std::string& name) const { std::ofstream(at(name)) << "text"; }

  std::string folder_;
};

TEST_F(OutputsTest, EmptyFoldersGoAgain) {
  {
    EXPECT_TRUE(NewFolders::make(at("a/b/c")));
  }
  EXPECT_FALSE(fs::exists(at("a")));
  fs::create_directory(at("old"));
  {
    EXPECT_TRUE(NewFolders::make(at("old/new/")));
  }
  EXPECT_TRUE(fs::exists(at("old"))) << "it was there";
  EXPECT_FALSE(fs::exists(at("old/new")));
}

TEST_F(OutputsTest, FoldersInUseStay) {
  {
    const auto folders = NewFolders::make(at("a/b/c"));
    ASSERT_TRUE(folders);
    touch("a/b/result");
  }
  EXPECT_TRUE(fs::exists(at("a/b/result")));
  EXPECT_TRUE(fs::exists(at("a/b/c")) || fs::exists(at("a/b")));
  {
    auto folders = NewFolders::make(at("kept"));
    ASSERT_TRUE(folders);
    folders->keep();
  }
  EXPECT_TRUE(fs::exists(at("kept")));
}

TEST_F(OutputsTest, AFileInTheWayIsNamed) {
  touch("file");
  for (const auto* path : {"file", "file/x", "file/x/y"}) {
    const auto refused = NewFolders::make(at(path));
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_EQ(refused.error().what, at("file") + ": exists and is not a folder");
  }
}

TEST_F(OutputsTest, InputsAreNotOverwritten) {
  touch("in");
  fs::create_symlink(at("in"), at("link"));
  fs::create_hard_link(at("in"), at("hard"));
  touch("other");
  EXPECT_TRUE(check_outputs({at("in")}, {at("other"), at("new"), ""}));
  EXPECT_TRUE(check_outputs({"", at("gone")}, {at("gone"), ""})) << "nothing is there to lose";
  for (const auto* same : {"in", "link", "hard", "./in"}) {
    EXPECT_FALSE(check_outputs({at("other"), at("in")}, {at("new"), at(same)})) << same;
  }
  EXPECT_FALSE(check_outputs({}, {at("new"), at("new")}));
  EXPECT_FALSE(check_outputs({}, {at("new"), at("./x/../new")})) << "though neither is there yet";
  EXPECT_FALSE(check_outputs({}, {at("in"), at("link")}));
  EXPECT_TRUE(check_outputs({"/dev/null"}, {"/dev/null", "/dev/null"}));
}

}  // namespace
}  // namespace mete
