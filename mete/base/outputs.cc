// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/outputs.h"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {

bool is_plain_or_new(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
}

}  // namespace

NewFolders::~NewFolders() {
  // rmdir() takes no folder that holds something.
  while (!made_.empty() && ::rmdir(made_.back().c_str()) == 0) made_.pop_back();
}

bool same_file(const std::string& a, const std::string& b) {
  const auto spelt_out = [](const std::string& path) {
    return std::filesystem::path(path).lexically_normal();
  };
  if (spelt_out(a) == spelt_out(b)) return true;
  struct stat one{};
  struct stat other{};
  return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

Result<void> check_outputs(const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& output = outputs[i];
    if (output.empty() || !is_plain_or_new(output)) continue;
    for (const auto& input : inputs) {
      if (input.empty() || !path_exists(input) || !same_file(input, output)) continue;
      return fail(
          Errc::invalid,
          "{}: is what is read, and would be overwritten; choose another file for the result",
          output);
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (outputs[j].empty() || !same_file(outputs[j], output)) continue;
      return fail(Errc::invalid, "{}: two results would be written here; choose two files", output);
    }
  }
  return {};
}

}  // namespace mete
