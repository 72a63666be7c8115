// posix_spawn (no shell, and it says why a program could not be started) and ppoll on a pidfd.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/child_workload.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {

/// How often the rest of a tree is looked for, and the child itself where the kernel has no pidfd.
constexpr Nanoseconds kSlice = std::chrono::milliseconds(5);
constexpr Nanoseconds kReapEvery = std::chrono::milliseconds(100);
/// The default slack of 50 µs would be most of the lateness that we allow ourselves.
constexpr unsigned long kSharpSlack = 1;

Error cannot_start(const std::string& command, int error) {
  const bool is_path = command.find('/') != std::string::npos;
  if (error == ENOENT && !is_path) {
    return fail(Errc::invalid,
                "command '{}' was not found in PATH; check its name, or give its path", command);
  }
  if (error == ENOENT && path_exists(command)) {
    return fail(Errc::invalid,
                "command '{}': the interpreter named in its first line was not found", command);
  }
  if (error == ENOENT || error == ENOTDIR) {
    return fail(Errc::invalid, "command '{}': there is no such file", command);
  }
  if (error == EACCES && is_directory(command)) {
    return fail(Errc::invalid, "command '{}' is a folder, expected a program", command);
  }
  if (error == EACCES) {
    return fail(Errc::invalid,
                "command '{}' may not be executed; `chmod +x` may be what is missing", command);
  }
  if (error == ENOEXEC) {
    return fail(Errc::invalid,
                "command '{}' is neither a program for this machine nor a script that starts "
                "with '#!'",
                command);
  }
  return fail(Errc::failed, "command '{}' could not be started: {}", command, errno_text(error));
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-+=./,:@%").find(c) != std::string_view::npos;
}

}  // namespace

std::string quote_words(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) {
      if (c == '\'') {
        line += "'\\''";
      } else {
        line += c;
      }
    }
    line += '\'';
  }
  return line;
}

ChildWorkload::ChildWorkload(std::vector<std::string> words, const Clock& clock,
                             const Interrupt& interrupt)
    : words_(std::move(words)), clock_(clock), interrupt_(interrupt) {}

ChildWorkload::~ChildWorkload() {
  if (pid_ < 0) return;
  if (!ended_) {
    stop(SIGKILL);
    // Not for ever: a process of another user (sudo) cannot be killed by us.
    wait_until(clock_.now() + std::chrono::seconds(2));
  }
  if (pidfd_ >= 0) ::close(pidfd_);
  if (events_ >= 0) ::close(events_);
  ::prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(old_slack_));
}

std::string ChildWorkload::describe() const { return quote_words(words_); }

Result<void> ChildWorkload::start() {
  if (pid_ >= 0) return fail(Errc::internal, "a child can be started once only");
  if (words_.empty() || words_.front().empty()) {
    return fail(Errc::invalid, "no command to run; give it after `--`");
  }
  std::vector<char*> argv;
  for (auto& word : words_) argv.push_back(word.data());
  argv.push_back(nullptr);
  tree_.emplace();
  // Handlers become defaults and our files close by themselves: all are opened with O_CLOEXEC.
  // Descriptors that we were given ourselves (`<(..)`, a job server) are passed on.
  pid_t pid = -1;
  if (const int error = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
      error != 0) {
    tree_.reset();
    return cannot_start(words_.front(), error);
  }
  pid_ = pid;
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  relay_.emplace(pid_);
  watch_events();
  // Only now: a child inherits its parent's slack, and must not.
  old_slack_ = ::prctl(PR_GET_TIMERSLACK);
  ::prctl(PR_SET_TIMERSLACK, kSharpSlack);
  return {};
}

void ChildWorkload::note_exit() noexcept {
  siginfo_t info{};
  if (exited_ ||
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return;
  }
  relay_.reset();  // before the pid is free for others
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exited_ = true;
  if (WIFSIGNALED(status)) {
    status_ = {128 + WTERMSIG(status), WTERMSIG(status)};
  } else {
    status_ = {WEXITSTATUS(status), 0};
  }
}

bool ChildWorkload::tree_has_ended() noexcept {
  if (!exited_) return false;
  tree_->reap_orphans(-1);
  if (stop_signal_ == 0) return true;  // what a workload leaves running on purpose is let be
  const auto left = tree_->processes();
  // What was forked while we looked must not escape.
  if (stop_signal_ == SIGKILL && !left.empty()) tree_->send(SIGKILL);
  tree_->reap_orphans(-1);  // those that ended while we looked
  return left.empty();
}

/// Keeps the two descriptors in the kernel, where ppoll would hand them over at every period. It is
/// no loss where there is no epoll: wait_for_event() then uses ppoll.
void ChildWorkload::watch_events() noexcept {
#ifdef SYS_epoll_pwait2
  if (pidfd_ < 0) return;
  events_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (events_ < 0) return;
  for (const int descriptor : {pidfd_, interrupt_.descriptor()}) {
    if (descriptor < 0) continue;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    if (::epoll_ctl(events_, EPOLL_CTL_ADD, descriptor, &event) != 0) return forget_events();
  }
#endif
}

void ChildWorkload::forget_events() noexcept {
  ::close(events_);
  events_ = -1;
}

/// True if the child may have ended.
bool ChildWorkload::wait_for_event(Nanoseconds deadline, Nanoseconds now) noexcept {
  const bool slices = exited_ || pidfd_ < 0;
  Nanoseconds left = std::max(Nanoseconds(0), deadline - now);
  if (slices) left = std::min(left, kSlice);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{seconds.count(), (left - seconds).count()};
#ifdef SYS_epoll_pwait2
  if (events_ >= 0 && !exited_ && stop_signal_ == 0) {
    std::array<epoll_event, 2> ready{};
    const auto count = ::syscall(SYS_epoll_pwait2, events_, ready.data(),
                                 static_cast<int>(ready.size()), &timeout, nullptr, 0);
    if (count >= 0 || errno == EINTR) {
      return (count > 0 && ready[0].data.fd == pidfd_) || (count > 1 && ready[1].data.fd == pidfd_);
    }
    forget_events();  // a kernel before 5.11, or one that forbids it
  }
#endif
  // A descriptor below 0 is left out by poll(2). Once we stop, the interrupt is known and would
  // only wake us for nothing.
  std::array<pollfd, 2> events{{{exited_ ? -1 : pidfd_, POLLIN, 0},
                                {stop_signal_ != 0 ? -1 : interrupt_.descriptor(), POLLIN, 0}}};
  ::ppoll(events.data(), events.size(), &timeout, nullptr);
  return slices || events[0].revents != 0;
}

bool ChildWorkload::wait_until(Nanoseconds deadline) noexcept {
  if (ended_ || pid_ < 0) return true;
  // System calls that most periods need not make: at 1 kHz they would be most of the loop's cost.
  auto now = clock_.now();
  if (now >= next_reap_) {
    tree_->reap_orphans(pid_);
    next_reap_ = now + kReapEvery;
  }
  for (bool looked = false;; looked = true) {
    // First of all: what Ctrl-C made the child leave behind has to be ended too.
    if (stop_signal_ == 0 && interrupt_.signal() != 0) return false;
    if (tree_has_ended()) return ended_ = true;
    if (looked && (now = clock_.now()) >= deadline) return false;
    if (wait_for_event(deadline, now)) note_exit();
  }
}

void ChildWorkload::stop(int signal) noexcept {
  if (pid_ < 0 || ended_) return;
  const bool told_already =
      stop_signal_ == 0 && interrupt_.from_terminal() && interrupt_.signal() == signal;
  stop_signal_ = signal;
  tree_->send(signal, told_already ? ::getpgrp() : 0);
}

}  // namespace mete
