// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/matrix_memory.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>

#include <sys/mman.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/base/units.h"

namespace mete {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20U;

std::uint64_t rounded_up(std::uint64_t bytes, std::uint64_t to) {
  return (bytes + to - 1) / to * to;
}

/// "AnonHugePages:   2048 kB" -> bytes.
double kilobytes_of(std::string_view line) {
  const auto colon = line.find(':');
  auto value = trim(line.substr(colon + 1));
  if (value.ends_with("kB")) value = trim(value.substr(0, value.size() - 2));
  return parse_double(value).value_or(0) * 1024;
}

/// "7f00-7f80 rw-p ..": whether the mapping overlaps begin..end; nullopt for other lines.
std::optional<bool> overlaps(std::string_view line, std::uintptr_t begin, std::uintptr_t end) {
  std::uintptr_t from = 0;
  std::uintptr_t to = 0;
  const char* const stop = line.data() + line.size();
  const auto first = std::from_chars(line.data(), stop, from, 16);
  if (first.ec != std::errc() || first.ptr == stop || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, stop, to, 16);
  if (second.ec != std::errc() || second.ptr == stop || *second.ptr != ' ') return std::nullopt;
  return from < end && begin < to;
}

}  // namespace

void MatrixMemory::Unmap::operator()(void* begin) const { munmap(begin, bytes); }

Result<MatrixMemory> MatrixMemory::of(std::uint64_t bytes, std::size_t pieces) {
  const auto room = rounded_up(bytes + pieces * kPage, kHugePage);
  // One huge page more, so that the first one can begin where the CPU wants it.
  const auto mapped = room + kHugePage;
  void* const at = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return fail(Errc::failed, "no memory for matrices of {} bytes", bytes);
  std::unique_ptr<void, Unmap> memory(at, Unmap{mapped});
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  auto* const begin = static_cast<std::byte*>(at) + (rounded_up(address, kHugePage) - address);
  // Advice: where huge pages are switched off the matrices lie in plain ones, and huge_share()
  // says.
  static_cast<void>(madvise(begin, room, MADV_HUGEPAGE));
  return MatrixMemory(std::move(memory), begin, begin + room);
}

void* MatrixMemory::next(std::uint64_t bytes) {
  std::byte* const given = next_;
  next_ = std::min(end_, next_ + rounded_up(bytes, kPage));
  return given;
}

double MatrixMemory::huge_share() const {
  const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
  const auto end = reinterpret_cast<std::uintptr_t>(end_);
  const auto maps = read_file("/proc/self/smaps");
  if (!maps) return std::numeric_limits<double>::quiet_NaN();
  bool ours = false;
  double resident = 0;
  double huge = 0;
  for (const auto line : split(*maps, '\n')) {
    if (const auto mapping = overlaps(line, begin, end)) {
      ours = *mapping;
    } else if (ours && line.starts_with("Rss:")) {
      resident += kilobytes_of(line);
    } else if (ours && line.starts_with("AnonHugePages:")) {
      huge += kilobytes_of(line);
    }
  }
  return resident > 0 ? huge / resident : std::numeric_limits<double>::quiet_NaN();
}

std::uint64_t row_stride(std::uint64_t columns, std::size_t element_bytes) {
  constexpr std::uint64_t kMore = 256;
  return columns * element_bytes % kPage == 0 ? columns + kMore / element_bytes : columns;
}

}  // namespace mete
