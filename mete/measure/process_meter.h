// ProcessMeter: what each process of a run uses, from /proc (proc(5)), in bounded memory whatever
// they do. CPU time in s, memory and I/O in bytes. docs/attribution.md has the rules.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <time.h>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/base/sys_root.h"
#include "mete/measure/process_stat.h"
#include "mete/provider/linux/kernel_file.h"

namespace mete {

/// Whose processes are metered.
struct ProcessScope {
  enum class Kind {
    children,  ///< what `self` starts from now on, and all below
    pids,      ///< these, and all below
    cgroup,    ///< every process of a cgroup and of those below it
  };
  Kind kind = Kind::children;
  pid_t self = 0;           ///< ours; its own CPU time is nobody's
  std::vector<pid_t> pids;  ///< for Kind::pids
  std::string cgroup;       ///< for Kind::cgroup: its path below the cgroup file system
};

struct ProcessUse {
  pid_t pid = 0;        ///< in our pid namespace
  pid_t inner_pid = 0;  ///< in the innermost one, where it differs (a container); else 0
  std::string name;
  double cpu_seconds = 0;  ///< since it came into view, children that ended unseen included
  double cpu_delta = 0;    ///< since the last update
  double rss_bytes = std::numeric_limits<double>::quiet_NaN();
  double pss_bytes = std::numeric_limits<double>::quiet_NaN();  ///< slow clock
  double uss_bytes = std::numeric_limits<double>::quiet_NaN();  ///< slow clock
  double read_bytes = std::numeric_limits<double>::quiet_NaN();
  double written_bytes = std::numeric_limits<double>::quiet_NaN();
  double gpu_share = 0;         ///< of all GPUs' compute time, summed; by the caller
  double gpu_memory_bytes = 0;  ///< by the caller
  std::vector<double> joules;   ///< by domain of the caller
  bool ended = false;           ///< gone at this update; the next forgets it
};

class ProcessMeter {
 public:
  ProcessMeter(SysRoot root, ProcessScope scope)
      : root_(std::move(root)), scope_(std::move(scope)) {}
  ProcessMeter(const ProcessMeter&) = delete;
  ProcessMeter& operator=(const ProcessMeter&) = delete;
  ~ProcessMeter();

  /// Takes the first counts. invalid: no such pid or cgroup; unavailable: no /proc/stat.
  Result<void> open();
  /// Looks at all: ended ones are marked, new ones found. Not `whole`: where no process was born or
  /// ended since the look before, only the CPU time of each is asked for, which costs a tenth;
  /// names and memory are as they were.
  void update(bool whole = true);
  /// PSS and USS (smaps_rollup: milliseconds for a large process, so rarely) and I/O.
  void update_memory();
  void update_io();

  /// In the order in which they came into view; the first is the row of what ended before it was
  /// seen, or whose parent was gone (pid 0).
  [[nodiscard]] std::vector<ProcessUse>& processes() { return uses_; }
  /// Index of a pid in processes(), or npos.
  [[nodiscard]] std::size_t find(pid_t pid) const;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  /// All CPUs together, s since open(): running, and running or idle.
  [[nodiscard]] double busy_seconds() const { return busy_ - first_busy_; }
  [[nodiscard]] double capacity_seconds() const { return capacity_ - first_capacity_; }
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] bool any_alive() const { return uses_.size() > 1; }

 private:
  struct Row {       // beside each ProcessUse
    int fd = -1;     // /proc/PID/stat
    int io_fd = -1;  // /proc/PID/io
    bool has_clock = false;
    clockid_t clock =
        0;  // its CPU time (clock_getcpuclockid(3)), in far less time than /proc takes
    pid_t parent = 0;
    double own = 0;       // s, as its clock or /proc tells
    double children = 0;  // s, as /proc tells
    double own_base = 0;  // s that it had before it was ours
    double child_base = 0;
    double credit = 0;               // s of ended children that had rows of their own
    double extra = 0;                // s of ended children that had none
    std::size_t ended_children = 0;  // in this update
    std::size_t last_ended = npos;
  };
  void read_machine();
  bool read_stat(const Row& row, pid_t pid, ProcessStat& out);
  void forget_ended();
  void read_rows();
  static bool read_clock(Row& row);
  bool read_clocks();
  void settle_ended();
  void count_extra(std::size_t row);
  bool find_new();
  void find_in_cgroup();
  void list_new(std::int64_t last_before, std::int64_t last);
  [[nodiscard]] std::vector<pid_t> candidates(std::int64_t last_before, std::int64_t last);
  void forget_file(int& fd);
  void consider(pid_t pid);
  [[nodiscard]] bool is_thread(pid_t pid) const;
  void add(pid_t pid, const ProcessStat& stat);
  void read_self();
  [[nodiscard]] bool is_member(pid_t pid) const { return index_.contains(pid); }

  SysRoot root_;
  ProcessScope scope_;
  std::vector<ProcessUse> uses_;
  std::vector<Row> rows_;
  std::map<pid_t, std::size_t> index_;
  std::set<pid_t> strangers_;   // looked at, and none of ours
  std::int64_t last_pid_ = 0;   // of /proc/loadavg: unchanged if no process was born
  bool unseen_births_ = false;  // since the last whole look: pids were given out to none of ours
  bool pids_are_ours_ = false;  // /proc tells the pids of our own namespace
  KernelFile stat_file_;
  KernelFile load_file_;
  std::string buffer_;
  double ticks_per_second_ = 100;
  double page_bytes_ = 4096;
  std::uint64_t opened_ticks_ = 0;
  double busy_ = 0;
  double capacity_ = 0;
  double first_busy_ = 0;
  double first_capacity_ = 0;
  std::uint64_t seen_ = 0;
  int open_files_ = 0;
};

}  // namespace mete
