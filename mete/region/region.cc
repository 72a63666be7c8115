// The marking side. Depends on nothing but libc, because it is linked into other people's programs.
// SPDX-License-Identifier: BSD-3-Clause
#include "include/mete/region.h"

#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/region/layout.h"

namespace {

using namespace mete;

enum : int { kUnknown, kNobody, kListening };

std::atomic<int> g_state{kUnknown};
RegionMemory* g_memory = nullptr;
// Grows at each fork, so that marks begun before it are known to be the parent's.
std::atomic<std::uint32_t> g_generation{1};

struct Thread {
  RegionRing* ring;
  std::uint64_t written;
  std::uint64_t taken;  // as last looked up
  std::uint32_t open;
  bool refused;  // no ring was free
};
constinit thread_local Thread t_thread{nullptr, 0, 0, 0, false};

/// Gives the ring back when its thread ends. Apart from t_thread, which must stay free of
/// construction to be quick.
struct Release {
  bool armed = false;
  ~Release() {
    if (armed && t_thread.ring != nullptr) t_thread.ring->state.store(2, std::memory_order_release);
    t_thread.ring = nullptr;
    t_thread.refused = true;
  }
};
thread_local Release t_release;

void after_fork_in_child() {
  g_generation.fetch_add(1, std::memory_order_relaxed);
  t_thread = Thread{nullptr, 0, 0, 0, false};
}

RegionMemory* map(const char* path) {
  const int fd = ::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return nullptr;
  struct stat info;
  void* at = MAP_FAILED;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == sizeof(RegionMemory)) {
    at = ::mmap(nullptr, sizeof(RegionMemory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  ::close(fd);
  if (at == MAP_FAILED) return nullptr;
  auto* memory = static_cast<RegionMemory*>(at);
  if (memory->magic.load(std::memory_order_acquire) == kRegionMagic) return memory;
  ::munmap(at, sizeof(RegionMemory));
  return nullptr;
}

pthread_once_t g_once = PTHREAD_ONCE_INIT;

void attach_once() {
  const char* path = ::getenv(kRegionVariable);  // NOLINT(concurrency-mt-unsafe): once, read only
  if (path != nullptr && *path != '\0') g_memory = map(path);
  if (g_memory != nullptr) ::pthread_atfork(nullptr, nullptr, after_fork_in_child);
  g_state.store(g_memory != nullptr ? kListening : kNobody, std::memory_order_release);
}

bool listening() {
  const int state = g_state.load(std::memory_order_acquire);
  if (state != kUnknown) [[likely]] {
    return state == kListening;
  }
  ::pthread_once(&g_once, attach_once);
  return g_state.load(std::memory_order_acquire) == kListening;
}

std::uint64_t now_ns() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(t.tv_nsec);
}

bool claim(Thread& thread) {
  struct stat info;
  const bool told = ::stat("/proc/self/ns/pid", &info) == 0;
  for (auto& ring : g_memory->rings) {
    std::uint32_t free = 0;
    if (!ring.state.compare_exchange_strong(free, 1, std::memory_order_acq_rel)) continue;
    ring.pid = static_cast<std::uint32_t>(::getpid());
    ring.pid_namespace = told ? info.st_ino : 0;
    thread.ring = &ring;
    thread.written = ring.written.load(std::memory_order_relaxed);
    thread.taken = ring.taken.load(std::memory_order_acquire);
    thread.open = 0;
    t_release.armed = true;
    return true;
  }
  thread.refused = true;
  return false;
}

/// The name's place in the table; 0 if there is no room.
std::uint32_t intern(const char* name) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  std::uint32_t size = 0;
  for (; name[size] != '\0' && size < kRegionNameBytes - 1; ++size) {
    hash = (hash ^ static_cast<unsigned char>(name[size])) * 16777619U;
  }
  for (std::uint32_t probe = 0; probe < kRegionNames; ++probe) {
    const std::uint32_t at = (hash + probe) % kRegionNames;
    if (at == 0) continue;
    RegionName& entry = g_memory->names[at];
    std::uint32_t state = entry.state.load(std::memory_order_acquire);
    if (state == 0 && entry.state.compare_exchange_strong(state, 1, std::memory_order_acq_rel)) {
      std::memcpy(entry.text, name, size);
      entry.text[size] = '\0';
      entry.size = size;
      entry.state.store(2, std::memory_order_release);
      return at;
    }
    // Somebody writes it now, or died while doing so: a name that is there twice does no harm.
    for (int i = 0; i < 1000 && state == 1; ++i)
      state = entry.state.load(std::memory_order_acquire);
    if (state == 2 && entry.size == size && std::memcmp(entry.text, name, size) == 0) return at;
  }
  return 0;
}

void put(Thread& thread, std::uint32_t name, bool is_exit) {
  RegionRing& ring = *thread.ring;
  ring.marks[thread.written % kRegionMarks] = {now_ns(), name, is_exit ? 1U : 0U};
  // The ring has one writer: no atomic addition is needed.
  if (is_exit)
    ring.left.store(ring.left.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  ring.written.store(++thread.written, std::memory_order_release);
}

}  // namespace

extern "C" uint64_t mete_region_begin(const char* name) {
  if (!listening() || name == nullptr) return 0;
  Thread& thread = t_thread;
  if (thread.ring == nullptr && (thread.refused || !claim(thread))) {
    g_memory->lost.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  // Room for this, its end, and the ends of all that are open: what was begun can be ended.
  const std::uint64_t need = thread.open + 2;
  if (thread.written + need - thread.taken > kRegionMarks) {
    thread.taken = thread.ring->taken.load(std::memory_order_acquire);
    if (thread.written + need - thread.taken > kRegionMarks) {
      g_memory->lost.fetch_add(1, std::memory_order_relaxed);
      return 0;
    }
  }
  if (thread.open >= kRegionDepth) {
    g_memory->lost.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  const std::uint32_t id = intern(name);
  ++thread.open;
  put(thread, id, false);
  return (std::uint64_t{g_generation.load(std::memory_order_relaxed)} << 32U) | id;
}

extern "C" void mete_region_end(uint64_t mark) {
  if (mark == 0) return;
  Thread& thread = t_thread;
  if ((mark >> 32U) != g_generation.load(std::memory_order_relaxed)) return;  // the parent's
  if (thread.ring == nullptr || thread.open == 0) return;  // begun in another thread
  --thread.open;
  put(thread, static_cast<std::uint32_t>(mark), true);
}

extern "C" void mete_progress(uint64_t n) {
  if (listening()) g_memory->progress.fetch_add(n, std::memory_order_relaxed);
}

extern "C" int mete_region_listening() { return listening() ? 1 : 0; }
