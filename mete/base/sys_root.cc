// The replaceable root of /proc and /sys.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/sys_root.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {
constexpr std::size_t kSysFileLimit = std::size_t{1} << 20U;
constexpr std::int64_t kMaxCpu = 65535;
}  // namespace

std::string SysRoot::path(std::string_view absolute) const {
  while (!absolute.empty() && absolute.front() == '/') absolute.remove_prefix(1);
  return path_join(root_, absolute);
}

bool SysRoot::exists(std::string_view absolute) const { return path_exists(path(absolute)); }

bool SysRoot::writable(std::string_view absolute) const {
  return ::access(path(absolute).c_str(), W_OK) == 0;
}

Result<std::string> SysRoot::read_text(std::string_view absolute) const {
  METE_TRY(std::string text, read_file(path(absolute), kSysFileLimit));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<std::int64_t> SysRoot::read_int(std::string_view absolute) const {
  METE_TRY(const std::string text, read_text(absolute));
  const auto value = parse_int(trim(text));
  if (!value) return fail(Errc::invalid, "{}: expected an integer, got '{}'", path(absolute), text);
  return *value;
}

Result<void> SysRoot::write_text(std::string_view absolute, std::string_view text) const {
  // sysfs takes one write() call and cannot be renamed over.
  const std::string where = path(absolute);
  const int fd = ::open(where.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) {
    return fail(errc_of_errno(errno), "{}: cannot write: {}", where, errno_text(errno));
  }
  const ssize_t n = ::write(fd, text.data(), text.size());
  const int error = n < 0 ? errno : 0;
  ::close(fd);
  if (error != 0)
    return fail(errc_of_errno(error), "{}: cannot write '{}': {}", where, text, errno_text(error));
  return {};
}

std::vector<std::string> SysRoot::list(std::string_view absolute) const {
  auto names = list_directory(path(absolute));
  return names ? std::move(*names) : std::vector<std::string>{};
}

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::vector<int> ids;
  text = trim(text);
  if (text.empty()) return ids;
  for (const auto part : split(text, ',')) {
    const auto dash = part.find('-');
    const auto first = parse_int(trim(part.substr(0, dash)));
    const auto last =
        dash == std::string_view::npos ? first : parse_int(trim(part.substr(dash + 1)));
    if (!first || !last || *first < 0 || *last < *first || *last > kMaxCpu) {
      return fail(Errc::invalid, "'{}': expected a list like 0-3,8", text);
    }
    for (auto id = *first; id <= *last; ++id) ids.push_back(static_cast<int>(id));
  }
  return ids;
}

}  // namespace mete
