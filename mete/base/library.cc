// dlopen, owned.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/library.h"

#include <climits>
#include <cstdlib>
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

std::vector<std::string> plugin_paths(std::string_view file) {
  std::vector<std::string> paths;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): callers open plugins before they start threads
  if (const char* folder = std::getenv("METE_PLUGIN_DIR"); folder != nullptr && *folder != '\0') {
    paths.push_back(path_join(folder, file));
  }
  // .../python/mete/_core.so beside .../lib of a build; lib/python3/dist-packages/mete/_core.so
  // below lib/mete of an installation.
  Dl_info self{};
  if (::dladdr(reinterpret_cast<void*>(&plugin_paths), &self) != 0 && self.dli_fname != nullptr &&
      std::string_view(self.dli_fname).ends_with(".so")) {
    for (const auto* folder : {"../../lib", "../../../mete"}) {
      paths.push_back(path_join(path_join(dir_name(self.dli_fname), folder), file));
    }
  }
  const auto prefix = path_join(program_directory(), "..");
  for (const auto* folder : {"lib64/mete", "lib/x86_64-linux-gnu/mete",
                             "lib/aarch64-linux-gnu/mete", "lib/mete", "lib"}) {
    paths.push_back(path_join(path_join(prefix, folder), file));
  }
  return paths;
}

}  // namespace mete
