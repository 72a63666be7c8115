// State files: one JSON file per owner, "mete.controls/1", in the state directory.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/signal/control_guard.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/clock.h"
#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kFormat = "mete.controls/1";
constexpr std::string_view kNothingChanged =
    "cannot note the present settings, so nothing was changed";
constexpr std::string_view kPrefix = "controls-";
constexpr std::size_t kStateLimit = std::size_t{1} << 20U;

/// The kernel's start time of a process, in clock ticks since boot: a pid that was used again
/// differs in it.
std::string process_start(std::int64_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return {};
  // The command name, in brackets, may hold spaces and brackets: fields are counted after the last
  // one.
  const auto close = stat->rfind(')');
  if (close == std::string::npos) return {};
  const auto fields = split(trim(std::string_view(*stat).substr(close + 1)), ' ');
  constexpr std::size_t kStartTime = 19;  // field 22 of proc(5), counting from field 3
  return fields.size() > kStartTime ? std::string(fields[kStartTime]) : std::string();
}

struct StateFile {
  std::string path;
  std::int64_t pid = 0;
  std::string start;
  std::string command;
  std::vector<Platform::SavedControl> saved;

  [[nodiscard]] bool owner_runs() const {
    if (pid <= 0) return false;
    return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM ? process_start(pid) == start
                                                                     : false;
  }
};

Result<StateFile> read_state(const std::string& path) {
  METE_TRY(const std::string text, read_file(path, kStateLimit));
  auto parsed = parse_json(text);
  if (!parsed) return parsed.error().within(path);
  const Json& json = *parsed;
  if (json["format"].as_string() != kFormat) {
    return fail(Errc::invalid, "{}: expected format {}; remove the file if mete did not write it",
                path, kFormat);
  }
  StateFile state{
      path, json["pid"].as_integer(), json["start"].as_string(), json["command"].as_string(), {}};
  for (const Json& item : json["controls"].items()) {
    METE_TRY(const Domain domain, parse_domain(item["domain"].as_string()));
    state.saved.push_back(
        {item["provider"].as_string(),
         {item["name"].as_string(), domain, static_cast<int>(item["index"].as_integer())},
         item["setting"].as_string()});
  }
  return state;
}

/// When the owner took its controls: the state file is written anew each time, and not touched
/// later.
std::string held_since(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return "an unknown time";
  return format_wall_time(static_cast<double>(info.st_mtim.tv_sec)) + " UTC";
}

/// Holds the state folder for one process while it looks and writes. File systems without locks
/// give none: then two that start in the same millisecond may both get a control.
class StateLock {
 public:
  explicit StateLock(const std::string& directory)
      : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
  ~StateLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_;
};

std::vector<std::string> state_paths(const std::string& directory) {
  std::vector<std::string> paths;
  const auto names = list_directory(directory);
  if (!names) return paths;
  for (const auto& name : *names) {
    if (name.starts_with(kPrefix) && name.ends_with(".json"))
      paths.push_back(path_join(directory, name));
  }
  return paths;
}

std::string own_command() {
  auto text = read_file("/proc/self/cmdline", 4096);
  if (!text) return "mete";
  std::replace(text->begin(), text->end(), '\0', ' ');
  return std::string(trim(*text));
}

/// Refused if a live owner, other than the one of `own_path`, holds one of these.
Result<void> check_free(const std::vector<Platform::SavedControl>& wanted,
                        const std::string& directory, const std::string& own_path) {
  for (const auto& path : state_paths(directory)) {
    if (path == own_path) continue;
    const auto state = read_state(path);
    if (!state || !state->owner_runs()) continue;
    for (const auto& theirs : state->saved) {
      const bool same = std::any_of(wanted.begin(), wanted.end(), [&](const auto& ours) {
        return ours.provider == theirs.provider && ours.request == theirs.request;
      });
      if (!same) continue;
      return fail(Errc::denied,
                  "control '{}' is held by process {} ({}) since {}; wait for it to end, or stop "
                  "it: kill {}",
                  report_name(theirs.request), state->pid, state->command, held_since(path),
                  state->pid);
    }
  }
  return {};
}

}  // namespace

Result<void> check_not_held(const Platform& platform, const Request& request,
                            const std::string& state_directory) {
  if (state_directory.empty()) return {};
  METE_TRY(const auto parts, platform.save(request));
  return check_free(parts, state_directory, "");
}

std::string default_state_directory() {
  // Read once, in main's thread, before any other is started.
  for (const auto& [variable, suffix] :
       {std::pair{"METE_STATE_DIR", ""}, std::pair{"XDG_STATE_HOME", "/mete"},
        std::pair{"HOME", "/.local/state/mete"}}) {
    const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
    if (value != nullptr && *value != '\0') return std::string(value) + suffix;
  }
  return fmt::format("/tmp/mete-{}", ::getuid());
}

ControlGuard::ControlGuard(Platform& platform, std::string state_directory)
    : platform_(platform), directory_(std::move(state_directory)) {}

ControlGuard::~ControlGuard() {
  // Nobody is left to tell; whoever wants to know calls restore() before.
  [[maybe_unused]] const auto ignored = restore();
}

Result<void> ControlGuard::borrow(const Request& request) {
  if (std::find(borrowed_.begin(), borrowed_.end(), request) != borrowed_.end()) return {};
  METE_TRY(auto saved, platform_.save(request));
  std::optional<StateLock> lock;
  if (!directory_.empty()) {
    if (auto made = make_directories(directory_); !made) {
      return made.error().within(kNothingChanged);
    }
    lock.emplace(directory_);
    METE_TRY_VOID(check_free(saved, directory_, state_path_));
  }
  const std::size_t before = saved_.size();
  for (auto& one : saved) {
    const bool known = std::any_of(saved_.begin(), saved_.end(),
                                   [&](const auto& s) { return s.request == one.request; });
    if (!known) saved_.push_back(std::move(one));
  }
  if (auto written = write_state(); !written) {
    saved_.resize(before);
    return written.error().within(kNothingChanged);
  }
  borrowed_.push_back(request);
  return {};
}

Result<void> ControlGuard::write_state() {
  if (directory_.empty()) return {};
  Json controls = Json::array();
  for (const auto& s : saved_) {
    controls.push(Json::object({{"provider", s.provider},
                                {"name", s.request.name},
                                {"domain", domain_name(s.request.domain)},
                                {"index", s.request.index},
                                {"setting", s.setting}}));
  }
  const auto pid = static_cast<std::int64_t>(::getpid());
  const Json state = Json::object({{"format", kFormat},
                                   {"pid", pid},
                                   {"start", process_start(pid)},
                                   {"command", own_command()},
                                   {"controls", controls}});
  if (state_path_.empty()) {
    state_path_ = path_join(directory_, fmt::format("{}{}-{:x}.json", kPrefix, pid,
                                                    reinterpret_cast<std::uintptr_t>(this)));
  }
  return write_file_atomically(state_path_, state.dump() + "\n");
}

Result<void> ControlGuard::restore() {
  Result<void> outcome;
  for (auto it = saved_.rbegin(); it != saved_.rend(); ++it) {
    auto restored = platform_.restore(*it);
    if (!restored && outcome) {
      outcome =
          restored.error().within(fmt::format("cannot give back '{}'", report_name(it->request)));
    }
  }
  // A failed restore keeps its state file: `mete restore` can try again.
  if (outcome && !state_path_.empty()) ::unlink(state_path_.c_str());
  saved_.clear();
  borrowed_.clear();
  return outcome;
}

RestoreOutcome restore_abandoned(Platform& platform, const std::string& state_directory) {
  RestoreOutcome outcome;
  for (const auto& path : state_paths(state_directory)) {
    const auto state = read_state(path);
    if (!state) {
      outcome.problems.push_back(state.error().what);
      continue;
    }
    if (state->owner_runs()) {
      outcome.live.push_back(fmt::format("{} (process {}: {})", path, state->pid, state->command));
      continue;
    }
    bool all = true;
    for (auto it = state->saved.rbegin(); it != state->saved.rend(); ++it) {
      if (auto restored = platform.restore(*it); !restored) {
        outcome.problems.push_back(fmt::format("{}: cannot give back '{}': {}", path,
                                               report_name(it->request), restored.error().what));
        all = false;
      } else {
        ++outcome.restored;
      }
    }
    if (all) ::unlink(path.c_str());
  }
  return outcome;
}

}  // namespace mete
