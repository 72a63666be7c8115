// SPDX-License-Identifier: BSD-3-Clause
#include "mete/memory/mapping.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

#ifndef MADV_POPULATE_WRITE  // Linux 5.14
#define MADV_POPULATE_WRITE 23
#endif

namespace mete {
namespace {

// One thread makes some 2 GB/s of small pages; more of them help until the memory is the limit.
constexpr std::size_t kBytesPerToucher = std::size_t{32} << 20U;
constexpr std::size_t kMostTouchers = 8;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// 0, or errno. Kernels that cannot populate get each page written to.
int touch_part(std::byte* begin, std::size_t bytes) {
  while (::madvise(begin, bytes, MADV_POPULATE_WRITE) != 0) {
    if (errno == EINTR || errno == EAGAIN) continue;
    if (errno != EINVAL) return errno;
    for (std::size_t at = 0; at < bytes; at += page_size()) {
      *static_cast<volatile std::byte*>(begin + at) = std::byte{0};
    }
    return 0;
  }
  return 0;
}

}  // namespace

std::size_t mapped_size(std::size_t bytes) {
  const std::size_t some = std::max<std::size_t>(bytes, 1);
  return round_up(some, some >= kHugePage ? kHugePage : page_size());
}

MappedPool::~MappedPool() { ::munmap(data_, mapped_); }

Result<void> MappedPool::touch(const std::string& tier) {
  const std::size_t workers = std::clamp<std::size_t>(
      mapped_ / kBytesPerToucher, 1,
      std::min<std::size_t>(kMostTouchers, std::max(1U, std::thread::hardware_concurrency())));
  const std::size_t part = round_up(mapped_ / workers, kHugePage);
  std::atomic<int> error{0};
  const auto work = [&](std::size_t i) {
    const std::size_t begin = std::min(i * part, mapped_);
    const std::size_t end = i + 1 == workers ? mapped_ : std::min(begin + part, mapped_);
    if (begin == end) return;
    if (const int code = touch_part(data() + begin, end - begin); code != 0) error = code;
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers; ++i) threads.emplace_back(work, i);
  work(0);
  for (auto& thread : threads) thread.join();
  if (error == 0) return {};
  return fail(Errc::failed, "{}: a pool of {} could not be filled: {}", tier,
              format_quantity(static_cast<double>(mapped_), "B"), errno_text(error));
}

Result<std::unique_ptr<MappedPool>> map_anonymous(std::size_t bytes, const std::string& tier) {
  const std::size_t wanted = mapped_size(bytes);
  // The kernel aligns to pages only: what lies before the first huge page, and after, goes back.
  const std::size_t taken = wanted + (wanted >= kHugePage ? kHugePage : 0);
  void* const at =
      ::mmap(nullptr, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    return fail(Errc::unavailable, "{}: a pool of {} cannot be mapped: {}", tier,
                format_quantity(static_cast<double>(bytes), "B", 4), errno_text(errno));
  }
  auto* const begin = static_cast<std::byte*>(at);
  if (taken == wanted) return std::make_unique<MappedPool>(begin, wanted, bytes);
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t before = round_up(address, kHugePage) - address;
  if (before > 0) ::munmap(begin, before);
  const std::size_t after = taken - wanted - before;
  if (after > 0) ::munmap(begin + before + wanted, after);
  ::madvise(begin + before, wanted, MADV_HUGEPAGE);  // a wish
  return std::make_unique<MappedPool>(begin + before, wanted, bytes);
}

}  // namespace mete
