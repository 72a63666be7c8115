// One pread per process and whole update on a file that stays open, and its CPU clock in between;
// the list of processes is only looked through when the kernel has given out a new pid.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/process_meter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include <fcntl.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::size_t kStatLimit = 4096;
/// Above this many processes files are opened for each look: descriptors are the user's too.
constexpr int kMostOpenFiles = 256;
/// More cgroups than this below one are left out.
constexpr std::size_t kMostCgroups = 10'000;
/// More new numbers than this, and /proc is listed instead.
constexpr std::int64_t kMostAskedFor = 24;

std::string proc_file(pid_t pid, std::string_view name) {
  return fmt::format("/proc/{}/{}", pid, name);
}

}  // namespace

ProcessMeter::~ProcessMeter() {
  for (Row& row : rows_) {
    forget_file(row.fd);
    forget_file(row.io_fd);
  }
}

void ProcessMeter::forget_file(int& fd) {
  if (fd < 0) return;
  ::close(fd);
  fd = -1;
  --open_files_;
}

std::size_t ProcessMeter::find(pid_t pid) const {
  const auto found = index_.find(pid);
  return found == index_.end() ? npos : found->second;
}

Result<void> ProcessMeter::open() {
  ticks_per_second_ = static_cast<double>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  page_bytes_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
  buffer_.resize(kStatLimit);
  METE_TRY(stat_file_, KernelFile::open(root_, "/proc/stat"));
  if (auto file = KernelFile::open(root_, "/proc/loadavg")) load_file_ = std::move(*file);
  read_machine();
  if (!(capacity_ > 0)) {
    return fail(Errc::unavailable, "{}: has no line `cpu`; processes cannot be metered here",
                root_.path("/proc/stat"));
  }
  first_busy_ = busy_;
  first_capacity_ = capacity_;
  if (const auto uptime = root_.read_text("/proc/uptime")) {
    if (const auto seconds = parse_double(uptime->substr(0, uptime->find(' ')))) {
      opened_ticks_ = static_cast<std::uint64_t>(*seconds * ticks_per_second_);
    }
  }
  uses_.push_back({});
  uses_.back().name = "(ended)";
  rows_.push_back({});
  if (scope_.kind == ProcessScope::Kind::children) {
    read_self();
    rows_[0].child_base = rows_[0].children;
    for (const auto& name : root_.list("/proc")) {
      if (const auto pid = parse_int(name)) strangers_.insert(static_cast<pid_t>(*pid));
    }
  }
  for (const pid_t pid : scope_.pids) {
    ProcessStat found;
    if (!read_stat(Row{}, pid, found)) {
      return fail(Errc::invalid, "process {}: there is none of that number here", pid);
    }
    add(pid, found);
  }
  if (scope_.kind == ProcessScope::Kind::cgroup && !root_.exists(scope_.cgroup + "/cgroup.procs")) {
    return fail(Errc::invalid,
                "cgroup '{}': has no cgroup.procs; expected a folder such as "
                "/sys/fs/cgroup/system.slice/docker-ID.scope",
                scope_.cgroup);
  }
  std::array<char, 16> self{};
  pids_are_ours_ = root_.root() == "/" &&
                   ::readlink("/proc/self", self.data(), self.size() - 1) > 0 &&
                   std::string_view(self.data()) == std::to_string(::getpid());
  find_new();
  return {};
}

void ProcessMeter::read_machine() {
  std::array<char, 256> start;  // of the file: its first line is wanted
  const std::string_view text = stat_file_.read(start).text;
  if (!text.starts_with("cpu ")) return;
  const auto words = split(trim(text.substr(4, text.find('\n') - 4)), ' ');
  std::array<double, 8> ticks{};  // user nice system idle iowait irq softirq steal
  for (std::size_t i = 0; i < std::min(words.size(), ticks.size()); ++i) {
    const auto value = parse_double(words[i]);
    if (!value) return;
    ticks[i] = *value;
  }
  // user and nice hold the guests' time already; what the host stole was never ours.
  const double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
  // iowait may go back (proc(5)); a clock of ours must not.
  busy_ = std::max(busy_, busy / ticks_per_second_);
  capacity_ = std::max(capacity_, (busy + ticks[3] + ticks[4]) / ticks_per_second_);
}

bool ProcessMeter::read_stat(const Row& row, pid_t pid, ProcessStat& out) {
  int fd = row.fd;
  if (fd < 0) {
    fd = ::open(root_.path(proc_file(pid, "stat")).c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
  }
  const ssize_t n = ::pread(fd, buffer_.data(), buffer_.size(), 0);
  if (row.fd < 0) ::close(fd);
  if (n <= 0) return false;
  return parse_process_stat(std::string_view(buffer_.data(), static_cast<std::size_t>(n)), out);
}

void ProcessMeter::read_self() {
  ProcessStat self;
  if (scope_.self == 0 || !read_stat(Row{}, scope_.self, self)) return;
  rows_[0].children = self.children_ticks / ticks_per_second_;
}

void ProcessMeter::forget_ended() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i].ended) {
      index_.erase(uses_[i].pid);
      continue;
    }
    if (kept != i) {
      uses_[kept] = std::move(uses_[i]);
      rows_[kept] = rows_[i];
      index_[uses_[kept].pid] = kept;
    }
    ++kept;
  }
  uses_.resize(kept);
  rows_.resize(kept);
}

/// Exact, where /proc counts in steps of 10 ms. The number of a process that ended may be another's
/// by now: only the file that is held open knows, and every whole look asks it.
bool ProcessMeter::read_clock(Row& row) {
  timespec time{};
  if (!row.has_clock || ::clock_gettime(row.clock, &time) != 0) return false;
  row.own = std::max(row.own,
                     static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec));
  return true;
}

void ProcessMeter::read_rows() {
  for (std::size_t i = 1; i < uses_.size(); ++i) {
    Row& row = rows_[i];
    ProcessStat now;
    // On a real /proc a file that is held open tells of the process that it was opened for, never
    // of a later one of the same pid.
    if (!read_stat(row, uses_[i].pid, now)) {
      uses_[i].ended = true;
      forget_file(row.fd);
      forget_file(row.io_fd);
      continue;
    }
    row.parent = now.parent;
    row.own = std::max(row.own, now.own_ticks / ticks_per_second_);
    read_clock(row);
    row.children = std::max(row.children, now.children_ticks / ticks_per_second_);
    if (uses_[i].name != now.name) uses_[i].name = now.name;  // exec
    uses_[i].rss_bytes = static_cast<double>(now.rss_pages) * page_bytes_;
  }
}

/// False if one has ended, or has no clock.
bool ProcessMeter::read_clocks() {
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    if (!read_clock(rows_[i])) return false;
  }
  return true;
}

/// What a process that ended had used is in its parent's count of children by now, and must not be
/// counted twice.
void ProcessMeter::settle_ended() {
  for (std::size_t i = uses_.size(); i-- > 1;) {
    if (!uses_[i].ended) continue;
    // The nearest ancestor that still is: it, or one that ended too, has waited for this one.
    std::size_t heir = find(rows_[i].parent);
    for (int depth = 0; heir != npos && uses_[heir].ended; ++depth) {
      heir = depth < 64 ? find(rows_[heir].parent) : npos;
    }
    Row& parent = rows_[heir == npos ? 0 : heir];
    parent.credit += rows_[i].own + rows_[i].children;
    ++parent.ended_children;
    parent.last_ended = i;
  }
}

/// CPU time of children that ended between two looks. The one child that was seen to end gets its
/// last moments, unless others may have come and gone unseen; of several nobody knows whose they
/// are, so the parent does.
void ProcessMeter::count_extra(std::size_t i) {
  Row& row = rows_[i];
  const double extra = std::max(row.extra, row.children - row.child_base - row.credit);
  const double more = extra - row.extra;
  if (more < 1e-6) {  // rounding: the kernel counts in steps of 10 ms
    row.ended_children = 0;
    row.last_ended = npos;
    return;
  }
  row.extra = extra;
  if (row.ended_children == 1 && !unseen_births_) {
    rows_[row.last_ended].extra += more;
    row.extra -= more;
    row.credit += more;
  }
  row.ended_children = 0;
  row.last_ended = npos;
}

void ProcessMeter::update(bool whole) {
  forget_ended();
  read_machine();
  // New ones first: what ends between the two looks is then in its parent's count all the same.
  const bool born = find_new();
  if (whole || born || !read_clocks()) {
    read_rows();
    if (scope_.kind == ProcessScope::Kind::children) read_self();
    settle_ended();
    for (std::size_t i = 0; i < uses_.size(); ++i) count_extra(i);
    unseen_births_ = false;
  }
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    const Row& row = rows_[i];
    const double own = i == 0 ? 0 : row.own - row.own_base;
    ProcessUse& use = uses_[i];
    const double total = std::max(use.cpu_seconds, own + row.extra);
    use.cpu_delta = total - use.cpu_seconds;
    use.cpu_seconds = total;
  }
}

/// True if there are new ones. A child that was born and has ended in between is in its parent's
/// count at the next whole look.
bool ProcessMeter::find_new() {
  const auto before = seen_;
  std::int64_t last = 0;
  std::array<char, 128> buffer;
  if (const auto load = trim(load_file_.read(buffer).text); !load.empty()) {
    last = parse_int(load.substr(load.rfind(' ') + 1)).value_or(0);
    // Old processes may move into a cgroup.
    const bool cgroup = scope_.kind == ProcessScope::Kind::cgroup;
    if (last == last_pid_ && !cgroup) return false;
    // Numbers that come round again may be anybody's.
    if (last < last_pid_) strangers_.clear();
  }
  if (scope_.kind == ProcessScope::Kind::cgroup) {
    find_in_cgroup();
  } else {
    list_new(last_pid_, last);
  }
  // Threads and the machine's other processes are counted too: then it may be, and that is enough.
  if (last_pid_ > 0 && last != last_pid_) {
    unseen_births_ = unseen_births_ || last < last_pid_ ||
                     last - last_pid_ > static_cast<std::int64_t>(seen_ - before);
  }
  last_pid_ = last;
  return seen_ != before;
}

/// Numbers of processes that may be new. A few that the kernel has given out since (to threads too)
/// are asked for one by one: /proc is listed only where many were, or where its numbers are not
/// ours.
std::vector<pid_t> ProcessMeter::candidates(std::int64_t last_before, std::int64_t last) {
  std::vector<pid_t> unknown;
  if (pids_are_ours_ && last_before > 0 && last > last_before &&
      last - last_before <= kMostAskedFor) {
    for (std::int64_t pid = last_before + 1; pid <= last; ++pid) {
      const auto id = static_cast<pid_t>(pid);
      if (id != scope_.self && !is_member(id)) unknown.push_back(id);
    }
    return unknown;
  }
  std::set<pid_t> known_strangers;  // those that still are: the list must not grow with time
  for (const auto& name : root_.list("/proc")) {
    const auto pid = parse_int(name);
    if (!pid || *pid == scope_.self) continue;
    const auto id = static_cast<pid_t>(*pid);
    if (is_member(id)) continue;
    if (strangers_.contains(id)) {
      known_strangers.insert(id);
    } else {
      unknown.push_back(id);
    }
  }
  strangers_ = std::move(known_strangers);
  return unknown;
}

void ProcessMeter::list_new(std::int64_t last_before, std::int64_t last) {
  const auto unknown = candidates(last_before, last);
  // Again, for children that are listed before their parents.
  std::size_t members = 0;
  do {
    members = uses_.size();
    for (const pid_t pid : unknown) {
      if (!is_member(pid)) consider(pid);
    }
  } while (uses_.size() > members && unknown.size() > 1);
  for (const pid_t pid : unknown) {
    if (!is_member(pid)) strangers_.insert(pid);
  }
}

void ProcessMeter::consider(pid_t pid) {
  ProcessStat stat;
  if (!read_stat(Row{}, pid, stat)) return;
  const bool ours = is_member(stat.parent) ||
                    (scope_.kind == ProcessScope::Kind::children && stat.parent == scope_.self);
  if (ours && !is_thread(pid)) add(pid, stat);
}

/// /proc does not list threads, but tells of one whose number is asked for.
bool ProcessMeter::is_thread(pid_t pid) const {
  const auto status = root_.read_text(proc_file(pid, "status"));
  if (!status) return false;
  const double leader = proc_table_value(*status, "Tgid:");
  return !std::isnan(leader) && leader != static_cast<double>(pid);
}

void ProcessMeter::find_in_cgroup() {
  std::vector<std::string> folders{scope_.cgroup};
  for (std::size_t i = 0; i < folders.size() && folders.size() < kMostCgroups; ++i) {
    const std::string folder = folders[i];
    if (const auto list = root_.read_text(folder + "/cgroup.procs")) {
      for (const auto line : split(*list, '\n')) {
        const auto pid = parse_int(trim(line));
        // 0: a process of a pid namespace that we do not see into.
        if (!pid || *pid <= 0 || is_member(static_cast<pid_t>(*pid))) continue;
        ProcessStat stat;
        if (read_stat(Row{}, static_cast<pid_t>(*pid), stat)) add(static_cast<pid_t>(*pid), stat);
      }
    }
    for (const auto& name : root_.list(folder)) {
      const auto below = folder + "/" + name;
      if (root_.exists(below + "/cgroup.procs")) folders.push_back(below);
    }
  }
}

void ProcessMeter::add(pid_t pid, const ProcessStat& stat) {
  Row row;
  row.parent = stat.parent;
  row.own = stat.own_ticks / ticks_per_second_;
  row.children = stat.children_ticks / ticks_per_second_;
  // A machine made of files has no clocks.
  row.has_clock = root_.root() == "/" && ::clock_getcpuclockid(pid, &row.clock) == 0;
  read_clock(row);
  // One that was there before us brings a past that is not of this run.
  if (stat.start_ticks < opened_ticks_ || scope_.kind != ProcessScope::Kind::children) {
    row.own_base = stat.start_ticks < opened_ticks_ ? row.own : 0;
    row.child_base = stat.start_ticks < opened_ticks_ ? row.children : 0;
  }
  ProcessUse use;
  use.pid = pid;
  use.name = stat.name;
  use.rss_bytes = static_cast<double>(stat.rss_pages) * page_bytes_;
  if (const auto status = root_.read_text(proc_file(pid, "status"))) {
    // NSpid: our number first, the innermost namespace's last.
    const auto at = status->find("\nNSpid:");
    if (at != std::string::npos) {
      const std::string_view rest = std::string_view(*status).substr(at + 7);
      const auto line = trim(rest.substr(0, rest.find('\n')));
      const auto last = line.find_last_of(" \t");
      if (last != std::string_view::npos) {
        use.inner_pid = static_cast<pid_t>(parse_int(line.substr(last + 1)).value_or(0));
      }
    }
  }
  if (open_files_ < kMostOpenFiles) {
    row.fd = ::open(root_.path(proc_file(pid, "stat")).c_str(), O_RDONLY | O_CLOEXEC);
    if (row.fd >= 0) ++open_files_;
  }
  index_[pid] = uses_.size();
  uses_.push_back(std::move(use));
  rows_.push_back(row);
  ++seen_;
}

void ProcessMeter::update_memory() {
  for (std::size_t i = 1; i < uses_.size(); ++i) {
    if (uses_[i].ended) continue;
    const auto table = root_.read_text(proc_file(uses_[i].pid, "smaps_rollup"));
    if (!table) continue;
    uses_[i].pss_bytes = 1024 * proc_table_value(*table, "Pss:");
    uses_[i].uss_bytes = 1024 * (proc_table_value(*table, "Private_Clean:") +
                                 proc_table_value(*table, "Private_Dirty:"));
  }
}

void ProcessMeter::update_io() {
  for (std::size_t i = 1; i < uses_.size(); ++i) {
    if (uses_[i].ended) continue;
    Row& row = rows_[i];
    if (row.io_fd < 0 && open_files_ < kMostOpenFiles) {
      row.io_fd = ::open(root_.path(proc_file(uses_[i].pid, "io")).c_str(), O_RDONLY | O_CLOEXEC);
      if (row.io_fd >= 0) ++open_files_;
    }
    std::string_view table;
    std::string text;
    if (row.io_fd >= 0) {
      const ssize_t n = ::pread(row.io_fd, buffer_.data(), buffer_.size(), 0);
      table = std::string_view(buffer_.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    } else if (auto read = root_.read_text(proc_file(uses_[i].pid, "io"))) {
      text = std::move(*read);
      table = text;
    }
    if (table.empty()) continue;
    uses_[i].read_bytes = proc_table_value(table, "read_bytes:");
    uses_[i].written_bytes = proc_table_value(table, "write_bytes:");
  }
}

}  // namespace mete
