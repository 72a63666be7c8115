// ProcessTree: the processes that came of a child, wherever they have gone. Double-forked ones too:
// while a tree is watched this process adopts orphans (PR_SET_CHILD_SUBREAPER), so that they stay
// below it. Linux only; reads /proc. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include <sys/types.h>

namespace mete {

class ProcessTree {
 public:
  /// From now on orphans come to us. Children that this process has already are none of the tree's.
  ProcessTree();
  ProcessTree(const ProcessTree&) = delete;
  ProcessTree& operator=(const ProcessTree&) = delete;
  /// Orphans go where they went before; those we have already stay ours until we end.
  ~ProcessTree();

  /// All living processes of the tree, parents before children. Zombies are left out.
  [[nodiscard]] std::vector<pid_t> processes() const;
  /// Sends to all of them, and SIGCONT after it, without which a stopped process would not hear it.
  /// With `not_to_group` > 0, processes of that group are left out. How many were reached.
  int send(int signal, pid_t not_to_group = 0) const;
  /// Takes the exit status of adopted orphans, so that they do not stay as zombies; `keep` (the
  /// child itself) is left for its owner. Allocates nothing.
  void reap_orphans(pid_t keep) const noexcept;

 private:
  std::vector<pid_t> others_;
  int was_subreaper_ = 0;
};

}  // namespace mete
