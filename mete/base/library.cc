// dlopen, owned.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/library.h"

#include <climits>
#include <utility>

#include <dlfcn.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {

Library::Library(Library&& other) noexcept
    : name_(std::move(other.name_)), handle_(std::exchange(other.handle_, nullptr)) {}

Library& Library::operator=(Library&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(handle_, other.handle_);
  return *this;
}

Library::~Library() {
  if (handle_ != nullptr) ::dlclose(handle_);
}

Result<Library> Library::open(const std::string& name) {
  void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(Errc::unavailable, "{}", why != nullptr ? why : name.c_str());
  }
  return Library(name, handle);
}

void* Library::find(const char* symbol) const { return ::dlsym(handle_, symbol); }

std::string program_directory() {
  char buffer[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  return n <= 0 ? "." : dir_name(std::string_view(buffer, static_cast<std::size_t>(n)));
}

}  // namespace mete
