// A shared library opened at run time: how vendor libraries and our own heavy plugin are reached.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

class Library {
 public:
  Library(Library&& other) noexcept;
  Library& operator=(Library&& other) noexcept;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library();

  /// `name` is a path or a name that the loader finds. Errors carry the loader's words.
  static Result<Library> open(const std::string& name);
  /// nullptr if there is none of that name.
  [[nodiscard]] void* find(const char* symbol) const;
  /// The function, typed; unavailable if there is none of that name.
  template <class Function>
  [[nodiscard]] Result<Function*> function(const char* symbol) const {
    void* found = find(symbol);
    if (found == nullptr) return fail(Errc::unavailable, "{}: has no symbol {}", name_, symbol);
    return reinterpret_cast<Function*>(found);
  }

 private:
  Library(std::string name, void* handle) : name_(std::move(name)), handle_(handle) {}
  std::string name_;
  void* handle_ = nullptr;
};

/// The folder that holds the running program.
std::string program_directory();

/// Where a plugin of ours (mete_torch.so) is looked for, in order: $METE_PLUGIN_DIR, then the
/// library folders beside the running program (../lib, ../lib/mete, and those of Debian), and,
/// where this code was not loaded with the program but as the Python package, those beside the
/// package.
std::vector<std::string> plugin_paths(std::string_view file);

}  // namespace mete
