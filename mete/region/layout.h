// The shared memory between a session and the programs that mark regions: a table of names, and a
// ring of marks for each thread with one writer and one reader. Made by the session, in full, so
// that no write can fail for want of memory. Both sides are of one build of mete, or the magic
// differs. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mete {

inline constexpr std::uint64_t kRegionMagic = 0x6d657465'72673032ULL;  // "metergNN"
inline constexpr std::size_t kRegionNames = 1024;
inline constexpr std::size_t kRegionNameBytes = 56;  // with its end
inline constexpr std::size_t kRegionThreads = 64;
inline constexpr std::size_t kRegionMarks = 4096;  // a power of two
inline constexpr std::uint32_t kRegionDepth = 512;
inline constexpr const char* kRegionVariable = "METE_REGION_SHM";
inline constexpr const char* kRegionLibraryVariable = "METE_REGION_LIBRARY";

struct RegionName {
  std::atomic<std::uint32_t> state;  // 0 free, 1 being written, 2 there
  std::uint32_t size;
  char text[kRegionNameBytes];
};

struct RegionMark {
  std::uint64_t time_ns;  // CLOCK_MONOTONIC
  std::uint32_t name;
  std::uint32_t is_exit;
};

/// One thread's. Counts only grow; a mark's place is its count modulo kRegionMarks.
struct RegionRing {
  std::atomic<std::uint32_t> state;  // 0 free, 1 a thread's, 2 its thread has ended
  std::uint32_t pid;
  std::uint64_t pid_namespace;  // inode: pids of another one mean nothing to us
  alignas(64) std::atomic<std::uint64_t> written;
  std::atomic<std::uint64_t> left;  // of what is written, how many are exits
  alignas(64) std::atomic<std::uint64_t> taken;
  alignas(64) RegionMark marks[kRegionMarks];
};

struct RegionMemory {
  std::atomic<std::uint64_t> magic;
  std::uint64_t bytes;
  alignas(64) std::atomic<std::uint64_t> progress;
  std::atomic<std::uint64_t> lost;
  alignas(64) RegionName names[kRegionNames];  // [0] stands for those that found no room
  RegionRing rings[kRegionThreads];
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace mete
