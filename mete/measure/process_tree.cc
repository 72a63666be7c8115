// One pass over /proc gives every process and its parent; the tree is what hangs below us.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/process_tree.h"

#include <algorithm>
#include <cerrno>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  bool alive = false;  // false: a zombie
};

/// Every process of the machine (of our pid namespace) that can be read.
std::vector<Process> all_processes() {
  std::vector<Process> out;
  const auto names = list_directory("/proc");
  if (!names) return out;
  for (const auto& name : *names) {
    const auto pid = parse_int(name);
    if (!pid) continue;
    const auto stat = read_file(fmt::format("/proc/{}/stat", name), 4096);
    if (!stat) continue;  // it has ended meanwhile
    // The command name, in brackets, may hold brackets itself: fields count from the last one.
    const auto close = stat->rfind(')');
    if (close == std::string::npos) continue;
    const auto fields = split(trim(std::string_view(*stat).substr(close + 1)), ' ');
    if (fields.size() < 2) continue;
    const auto parent = parse_int(fields[1]);
    if (!parent) continue;
    const bool alive = fields[0] != "Z" && fields[0] != "X";
    out.push_back({static_cast<pid_t>(*pid), static_cast<pid_t>(*parent), alive});
  }
  return out;
}

bool contains(const std::vector<pid_t>& list, pid_t pid) {
  return std::find(list.begin(), list.end(), pid) != list.end();
}

}  // namespace

ProcessTree::ProcessTree() {
  const pid_t self = ::getpid();
  for (const auto& process : all_processes()) {
    if (process.parent == self) others_.push_back(process.pid);
  }
  ::prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

ProcessTree::~ProcessTree() {
  if (was_subreaper_ == 0) ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

std::vector<pid_t> ProcessTree::processes() const {
  const auto all = all_processes();
  std::vector<pid_t> tree;
  const pid_t self = ::getpid();
  for (const auto& process : all) {
    if (process.parent == self && !contains(others_, process.pid)) tree.push_back(process.pid);
  }
  // Breadth first: `tree` grows while it is walked.
  for (std::size_t i = 0; i < tree.size(); ++i) {
    for (const auto& process : all) {
      if (process.parent == tree[i] && !contains(tree, process.pid)) tree.push_back(process.pid);
    }
  }
  std::erase_if(tree, [&all](pid_t pid) {
    return std::any_of(all.begin(), all.end(),
                       [pid](const Process& p) { return p.pid == pid && !p.alive; });
  });
  return tree;
}

int ProcessTree::send(int signal, pid_t not_to_group) const {
  int reached = 0;
  for (const pid_t pid : processes()) {
    if (not_to_group > 0 && ::getpgid(pid) == not_to_group) continue;
    if (::kill(pid, signal) == 0) ++reached;
    ::kill(pid, SIGCONT);
  }
  return reached;
}

void ProcessTree::reap_orphans(pid_t keep) const noexcept {
  // Looked at before it is taken: another child's status is not ours to swallow.
  while (true) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    if (info.si_pid == keep || contains(others_, info.si_pid)) return;
    ::waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

}  // namespace mete
