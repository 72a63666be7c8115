// Energy among threads by one running sum: between two marks each thread that is within a region
// gains the node's energy over the number of such threads, which is the same for all of them.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/region_listener.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/library.h"
#include "mete/measure/region_spans.h"
#include "mete/region/layout.h"

namespace mete {
namespace {

constexpr std::size_t kMostDomains = 8;
constexpr Nanoseconds kLookAfterDeadEvery = std::chrono::seconds(1);
constexpr Nanoseconds kMarkMargin = std::chrono::seconds(10);
using Energy = std::array<double, kMostDomains>;

struct Frame {
  std::uint32_t name = 0;
  Nanoseconds begun{0};
  Energy own{};
  Energy inner{};
};

struct Thread {
  std::vector<Frame> stack;
  Energy seen{};  // the running sum when the innermost region last gained
};

struct Totals {
  std::uint64_t count = 0;
  Nanoseconds time{0};
  Energy own{};
  Energy all{};
  std::size_t order = 0;
};

struct Mark {
  Nanoseconds time{0};
  std::size_t ring = 0;
  std::uint32_t name = 0;
  bool is_exit = false;
};

/// The session holds a lock on its memory, which the kernel drops when it dies.
constexpr std::string_view kFilePrefix = "mete-regions-l-";
/// A session has locked its memory long before it is so old.
constexpr std::time_t kStaleSeconds = 60;
constexpr int kMostLooks = 4096;

/// Memory of sessions that were killed: nobody else takes it away.
void remove_stale(const std::string& folder) {
  DIR* listing = ::opendir(folder.c_str());
  if (listing == nullptr) return;
  const std::time_t now = std::time(nullptr);
  for (int looks = 0; looks < kMostLooks; ++looks) {
    const dirent* entry = ::readdir(listing);
    if (entry == nullptr) break;
    if (!std::string_view(entry->d_name).starts_with(kFilePrefix)) continue;
    const std::string path = path_join(folder, entry->d_name);
    const int fd = ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) continue;  // another user's
    struct stat info{};
    const bool old = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                     info.st_uid == ::geteuid() && now - info.st_mtime > kStaleSeconds;
    if (old && ::flock(fd, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
    ::close(fd);
  }
  ::closedir(listing);
}

bool is_dead(const RegionRing& ring, std::uint64_t our_namespace) {
  if (our_namespace == 0 || ring.pid_namespace != our_namespace || ring.pid == 0) return false;
  return ::kill(static_cast<pid_t>(ring.pid), 0) != 0 && errno == ESRCH;
}

}  // namespace

struct RegionListener::Impl {
  std::string path;
  int fd = -1;  // holds the lock
  RegionMemory* memory = nullptr;
  std::uint64_t our_namespace = 0;
  std::array<Thread, kRegionThreads> threads;
  std::map<std::uint32_t, Totals> totals;
  std::vector<Mark> marks;
  RegionSpans spans;
  Nanoseconds start{0};
  Energy share{};  // the running sum
  Energy last_joules{};
  std::size_t active = 0;  // threads within a region
  Nanoseconds last{0};
  Nanoseconds last_look{0};
  bool first = true;

  void collect(Nanoseconds now);
  void gain(Thread& thread);
  void apply(const Mark& mark);
  void close_top(Thread& thread, std::size_t at, Nanoseconds time);
  void close_all(Thread& thread, Nanoseconds time);
  void release_ended(Nanoseconds now);
};

/// What the writers have put there may be anything: counts are bounded, names and times checked.
void RegionListener::Impl::collect(Nanoseconds now) {
  marks.clear();
  // A mark may be a little younger than this look, or older than the first; not by more.
  const Nanoseconds oldest = start - kMarkMargin;
  const Nanoseconds youngest = now + kMarkMargin;
  for (std::size_t i = 0; i < kRegionThreads; ++i) {
    RegionRing& ring = memory->rings[i];
    const auto written = ring.written.load(std::memory_order_acquire);
    auto taken = ring.taken.load(std::memory_order_relaxed);
    if (written == taken) continue;
    if (written - taken > kRegionMarks) taken = written - kRegionMarks;
    for (; taken != written; ++taken) {
      const RegionMark& mark = ring.marks[taken % kRegionMarks];
      const Nanoseconds time(static_cast<std::int64_t>(mark.time_ns));
      marks.push_back({std::clamp(time, oldest, youngest), i,
                       mark.name < kRegionNames ? mark.name : 0, mark.is_exit != 0});
    }
    ring.taken.store(written, std::memory_order_release);
  }
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.time < b.time; });
}

void RegionListener::Impl::gain(Thread& thread) {
  if (thread.stack.empty()) return;
  for (std::size_t d = 0; d < kMostDomains; ++d) {
    thread.stack.back().own[d] += share[d] - thread.seen[d];
  }
}

void RegionListener::Impl::close_top(Thread& thread, std::size_t at, Nanoseconds time) {
  const Frame frame = thread.stack[at];
  thread.stack.erase(thread.stack.begin() + static_cast<std::ptrdiff_t>(at));
  const bool nested_in_itself =
      std::any_of(thread.stack.begin(), thread.stack.begin() + static_cast<std::ptrdiff_t>(at),
                  [&frame](const Frame& outer) { return outer.name == frame.name; });
  auto [found, added] = totals.try_emplace(frame.name);
  Totals& total = found->second;
  if (added) total.order = totals.size();
  ++total.count;
  if (!nested_in_itself) {
    total.time += std::max(Nanoseconds(0), time - frame.begun);
    const auto ring = static_cast<std::size_t>(&thread - threads.data());
    spans.add(frame.name, ring, at, frame.begun, time);
  }
  for (std::size_t d = 0; d < kMostDomains; ++d) {
    const double all = frame.own[d] + frame.inner[d];
    total.own[d] += frame.own[d];
    if (!nested_in_itself) total.all[d] += all;
    if (at > 0) thread.stack[at - 1].inner[d] += all;
  }
  if (thread.stack.empty()) --active;
}

void RegionListener::Impl::close_all(Thread& thread, Nanoseconds time) {
  gain(thread);
  thread.seen = share;
  while (!thread.stack.empty()) close_top(thread, thread.stack.size() - 1, time);
}

void RegionListener::Impl::apply(const Mark& mark) {
  Thread& thread = threads[mark.ring];
  gain(thread);
  thread.seen = share;
  if (!mark.is_exit) {
    if (thread.stack.size() >= kRegionDepth) return;
    if (thread.stack.empty()) ++active;
    thread.stack.push_back({mark.name, mark.time, {}, {}});
    return;
  }
  for (std::size_t at = thread.stack.size(); at-- > 0;) {
    if (thread.stack[at].name == mark.name) return close_top(thread, at, mark.time);
  }
}

void RegionListener::Impl::release_ended(Nanoseconds now) {
  const bool look = now - last_look >= kLookAfterDeadEvery;
  if (look) last_look = now;
  for (std::size_t i = 0; i < kRegionThreads; ++i) {
    RegionRing& ring = memory->rings[i];
    const auto state = ring.state.load(std::memory_order_acquire);
    const bool ended = state == 2 || (state == 1 && look && is_dead(ring, our_namespace));
    // What it wrote last is taken first.
    if (!ended || ring.written.load(std::memory_order_acquire) !=
                      ring.taken.load(std::memory_order_relaxed)) {
      continue;
    }
    close_all(threads[i], now);
    ring.state.store(0, std::memory_order_release);
  }
}

RegionListener::RegionListener() : impl_(std::make_unique<Impl>()) {}

RegionListener::~RegionListener() {
  if (impl_->memory == nullptr) return;
  ::munmap(impl_->memory, sizeof(RegionMemory));
  ::unlink(impl_->path.c_str());
  ::close(impl_->fd);
}

Result<std::unique_ptr<RegionListener>> RegionListener::create(const std::string& folder) {
  std::string where = folder;
  if (where.empty()) where = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  remove_stale(where);
  std::string path = path_join(where, std::string(kFilePrefix) + "XXXXXX");
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    return fail(errc_of_errno(errno), "{}: cannot make shared memory: {}", where,
                errno_text(errno));
  }
  static_cast<void>(::flock(fd, LOCK_EX | LOCK_NB));  // a file system without locks: it may stay
  // In full: a page that cannot be had later would kill the program that marks.
  int error = ::posix_fallocate(fd, 0, sizeof(RegionMemory));
  void* at = MAP_FAILED;
  if (error == 0) {
    at = ::mmap(nullptr, sizeof(RegionMemory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) error = errno;
  }
  if (error != 0) {
    ::close(fd);
    ::unlink(path.c_str());
    return fail(errc_of_errno(error), "{}: cannot make {} KiB of shared memory: {}", where,
                sizeof(RegionMemory) >> 10U, errno_text(error));
  }
  std::unique_ptr<RegionListener> out(new RegionListener);
  out->impl_->path = path;
  out->impl_->fd = fd;
  out->impl_->memory = static_cast<RegionMemory*>(at);  // zeros, which is its empty state
  out->impl_->memory->bytes = sizeof(RegionMemory);
  out->impl_->memory->magic.store(kRegionMagic, std::memory_order_release);
  struct stat info{};
  if (::stat("/proc/self/ns/pid", &info) == 0) out->impl_->our_namespace = info.st_ino;
  return out;
}

std::vector<std::pair<std::string, std::string>> RegionListener::environment() const {
  std::vector<std::pair<std::string, std::string>> out{{kRegionVariable, impl_->path}};
  const auto here = program_directory();
  for (const char* place : {"../lib/libmete_region.so", "../lib/mete/libmete_region.so"}) {
    if (auto library = path_join(here, place); path_exists(library)) {
      out.emplace_back(kRegionLibraryVariable, std::move(library));
      break;
    }
  }
  return out;
}

void RegionListener::drain(Nanoseconds now, std::span<const double> joules) noexcept {
  Impl& l = *impl_;
  const std::size_t domains = std::min(joules.size(), kMostDomains);
  if (l.first) {
    l.first = false;
    l.last = now;
    l.start = now;
    for (std::size_t d = 0; d < domains; ++d) l.last_joules[d] = joules[d];
  }
  l.collect(now);
  l.spans.set_window(l.start, now);
  const double length = static_cast<double>((now - l.last).count());
  Energy gained{};
  for (std::size_t d = 0; d < domains; ++d) {
    if (std::isnan(joules[d])) continue;
    if (!std::isnan(l.last_joules[d])) gained[d] = joules[d] - l.last_joules[d];
    l.last_joules[d] = joules[d];
  }
  Nanoseconds at = l.last;
  const auto advance = [&](Nanoseconds to) {
    if (to <= at) return;
    if (l.active > 0 && length > 0) {
      const double part =
          static_cast<double>((to - at).count()) / length / static_cast<double>(l.active);
      for (std::size_t d = 0; d < domains; ++d) l.share[d] += gained[d] * part;
    }
    at = to;
  };
  for (const Mark& mark : l.marks) {
    advance(std::min(mark.time, now));
    l.apply(mark);
  }
  advance(now);
  l.last = now;
  l.release_ended(now);
}

void RegionListener::finish(Nanoseconds now, std::span<const double> joules) noexcept {
  drain(now, joules);
  for (auto& thread : impl_->threads) impl_->close_all(thread, now);
}

std::vector<RegionTotal> RegionListener::totals(std::span<const std::string_view> domains,
                                                bool with_spans) const {
  struct Named {
    std::size_t order = 0;
    std::size_t level = kRegionDepth;
    Totals sum;
    std::vector<RegionSpan> spans;
  };
  std::map<std::string, Named> by_name;  // a name may be there twice
  for (const auto& [id, total] : impl_->totals) {
    const RegionName& entry = impl_->memory->names[id];
    const bool there = id != 0 && entry.state.load(std::memory_order_acquire) == 2;
    const std::string name = there
                                 ? std::string(entry.text, ::strnlen(entry.text, kRegionNameBytes))
                                 : std::string("(other regions)");
    auto [found, added] = by_name.try_emplace(name);
    Named& named = found->second;
    if (added) named.order = total.order;
    named.level = std::min(named.level, impl_->spans.level(id));
    if (with_spans) impl_->spans.append_to(named.spans, id);
    Totals& sum = named.sum;
    sum.count += total.count;
    sum.time += total.time;
    for (std::size_t d = 0; d < kMostDomains; ++d) {
      sum.own[d] += total.own[d];
      sum.all[d] += total.all[d];
    }
  }
  std::vector<std::pair<std::size_t, RegionTotal>> rows;
  for (auto& [name, value] : by_name) {
    const Totals& total = value.sum;
    RegionTotal row{name, total.count, to_seconds(total.time), {}, {}};
    row.spans = std::move(value.spans);
    row.level = value.level;
    for (std::size_t d = 0; d < std::min(domains.size(), kMostDomains); ++d) {
      if (std::isnan(impl_->last_joules[d])) continue;
      row.joules.emplace_back(domains[d], total.all[d]);
      row.own_joules.emplace_back(domains[d], total.own[d]);
    }
    rows.emplace_back(value.order, std::move(row));
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<RegionTotal> out;
  for (auto& row : rows) out.push_back(std::move(row.second));
  return out;
}

std::uint64_t RegionListener::lost() const {
  return impl_->memory->lost.load(std::memory_order_relaxed);
}
std::uint64_t RegionListener::epochs() const noexcept {
  return impl_->memory->progress.load(std::memory_order_relaxed);
}
std::uint64_t RegionListener::regions() const noexcept {
  std::uint64_t sum = 0;  // a ring keeps its count from one thread to the next
  for (const auto& ring : impl_->memory->rings) sum += ring.left.load(std::memory_order_relaxed);
  return sum;
}
const std::string& RegionListener::path() const { return impl_->path; }

}  // namespace mete
