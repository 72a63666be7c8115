// A child that solves, and a pipe that its answer comes back by.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/clp/child_answer.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mete {
namespace {

constexpr int kLookMs = 100;  // for interrupts that have no descriptor

/// Before the values (or, of an error, the bytes of its text).
struct AnswerHead {
  std::int32_t failed = 0;
  std::int32_t code = 0;  ///< Errc
  double bound = 0;
  std::int64_t nodes = 0;
};

void write_to(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const auto n = ::write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads any more
    at += n;
    size -= static_cast<std::size_t>(n);
  }
}

[[noreturn]] void be_child(int fd, pid_t parent,
                           const std::function<Result<IntegerSolution>()>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  // The parent hears of a signal and ends this process; its handlers and pipes are not ours to use.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_IGN);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDOUT_FILENO);
  const auto answer = work();
  AnswerHead head;
  if (answer) {
    head.bound = answer->bound;
    head.nodes = answer->nodes;
    write_to(fd, &head, sizeof head);
    write_to(fd, answer->x.data(), answer->x.size() * sizeof(double));
  } else {
    head.failed = 1;
    head.code = static_cast<std::int32_t>(answer.error().code);
    write_to(fd, &head, sizeof head);
    write_to(fd, answer.error().what.data(), answer.error().what.size());
  }
  ::_exit(0);  // no destructors: what they would end belongs to the parent
}

/// All that comes until the other end is closed; false if the interrupt came first.
bool read_until_end(int fd, const Interrupt& interrupt, std::string& bytes) {
  std::array<char, 65536> block{};
  while (interrupt.signal() == 0) {
    std::array<pollfd, 2> looked{{{fd, POLLIN, 0}, {interrupt.descriptor(), POLLIN, 0}}};
    if (::poll(looked.data(), looked.size(), kLookMs) <= 0 || looked[0].revents == 0) continue;
    const auto n = ::read(fd, block.data(), block.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    bytes.append(block.data(), static_cast<std::size_t>(n));
  }
  return false;
}

Result<IntegerSolution> decoded(const std::string& bytes, int status) {
  AnswerHead head;
  const bool whole = WIFEXITED(status) && WEXITSTATUS(status) == 0 && bytes.size() >= sizeof head;
  if (!whole) {
    return fail(
        Errc::failed, "CBC ended without an answer{}",
        WIFSIGNALED(status)
            ? fmt::format(" (signal {}{})", WTERMSIG(status),
                          WTERMSIG(status) == SIGKILL ? "; was there too little memory?" : "")
            : std::string());
  }
  std::memcpy(&head, bytes.data(), sizeof head);
  const char* rest = bytes.data() + sizeof head;
  const auto size = bytes.size() - sizeof head;
  if (head.failed != 0) {
    return fail(static_cast<Errc>(head.code), "{}", std::string(rest, size));
  }
  IntegerSolution out{
      .x = std::vector<double>(size / sizeof(double)), .bound = head.bound, .nodes = head.nodes};
  if (!out.x.empty()) std::memcpy(out.x.data(), rest, out.x.size() * sizeof(double));
  return out;
}

}  // namespace

Result<IntegerSolution> answer_of_child(const std::function<Result<IntegerSolution>()>& work,
                                        const Interrupt& interrupt) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Errc::failed, "no pipe for the solver: {}", std::strerror(errno));
  }
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    be_child(ends[1], parent, work);
  }
  const int error = errno;
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return fail(Errc::failed, "no process for the solver: {}", std::strerror(error));
  }
  std::string bytes;
  const bool ended = read_until_end(ends[0], interrupt, bytes);
  ::close(ends[0]);
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return fail(Errc::gone, "interrupted");
  return decoded(bytes, status);
}

}  // namespace mete
