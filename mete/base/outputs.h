// What a run writes: folders that leave nothing behind when it fails, and files that must not take
// the place of what it reads.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// Folders made for what is to come. Those that are still empty when this ends are removed again,
/// so that a refusal or a failure leaves nothing behind; what was there before is left alone.
class NewFolders {
 public:
  NewFolders() = default;
  NewFolders(NewFolders&& other) noexcept : made_(std::exchange(other.made_, {})) {}
  NewFolders& operator=(NewFolders&& other) noexcept {
    std::swap(made_, other.made_);
    return *this;
  }
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;
  ~NewFolders();

  /// mkdir -p. `invalid` if it, or a folder above it, is a file.
  static Result<NewFolders> make(const std::string& path);
  /// Even if they stay empty.
  void keep() { made_.clear(); }

 private:
  std::vector<std::string> made_;  // outer ones first
};

/// Whether both paths lead to one file that is there, or are one path, however spelt.
bool same_file(const std::string& a, const std::string& b);
/// `invalid` where an output would take the place of an input, or of another output. Empty paths
/// count for nothing; devices and pipes may be named twice.
Result<void> check_outputs(const std::vector<std::string>& inputs,
                           const std::vector<std::string>& outputs);

}  // namespace mete
