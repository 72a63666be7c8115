// SPDX-License-Identifier: BSD-3-Clause
#include "mete/memory/file_tier.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/memory/capacity.h"
#include "mete/memory/mapping.h"

namespace mete {
namespace {

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(OpenFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

/// A file without a name: it is gone when the pool is, even after SIGKILL.
Result<OpenFile> open_nameless(const std::string& folder, const std::string& tier) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string name = path_join(folder, "mete-pool-XXXXXX");
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(name.c_str());
  }
  if (fd < 0) {
    return fail(errc_of_errno(errno), "{}: cannot make a file in {}: {}", tier, folder,
                errno_text(errno));
  }
  return OpenFile(fd);
}

/// Takes the space now: a full disk is told here, and not by a signal at some later store.
Result<void> allocate(const OpenFile& file, std::size_t bytes, const std::string& tier) {
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file.fd(), 0, static_cast<off_t>(bytes));
  if (error == 0) return {};
  return fail(Errc::unavailable,
              "{}: no space for a pool of {}: {}; free some, or name another folder", tier,
              format_quantity(static_cast<double>(bytes), "B", 4), errno_text(error));
}

Result<std::unique_ptr<MappedPool>> map_file(const OpenFile& file, std::size_t bytes, int flags,
                                             const std::string& tier) {
  const std::size_t wanted = mapped_size(bytes);
  void* const at = ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, flags, file.fd(), 0);
  if (at != MAP_FAILED) return std::make_unique<MappedPool>(at, wanted, bytes);
  if ((flags & MAP_SYNC) != 0 && (errno == EOPNOTSUPP || errno == EINVAL)) {
    return fail(Errc::unavailable,
                "{}: this file system is not mounted with dax; mount ext4 or XFS on a persistent "
                "memory device with -o dax, or use file:PATH",
                tier);
  }
  return fail(Errc::unavailable, "{}: a pool of {} cannot be mapped: {}", tier,
              format_quantity(static_cast<double>(bytes), "B", 4), errno_text(errno));
}

/// file:PATH, and dax:PATH where PATH is a folder, or a name in one.
class FolderTier final : public Tier {
 public:
  FolderTier(TierSpec spec, std::string folder, SysRoot sys)
      : spec_(std::move(spec)), folder_(std::move(folder)), sys_(std::move(sys)) {}

  [[nodiscard]] const TierSpec& spec() const override { return spec_; }
  [[nodiscard]] std::string description() const override {
    return dax() ? fmt::format("persistent memory in {} (dax)", folder_)
                 : fmt::format("file in {}, through the page cache", folder_);
  }
  [[nodiscard]] bool emulated() const override { return false; }
  [[nodiscard]] double charge_seconds(double, double) const override { return 0; }

  Result<std::unique_ptr<Pool>> make_pool(std::size_t bytes) override {
    const std::string name = tier_name(spec_);
    METE_TRY(const OpenFile file, open_nameless(folder_, name));
    METE_TRY(std::uint64_t room, file_system_available(file.fd(), folder_));
    if (lies_in_memory(file.fd())) {
      METE_TRY(const auto memory, memory_available(sys_));
      room = std::min(room, memory);
    }
    METE_TRY_VOID(check_room(name, bytes, std::min<std::uint64_t>(room, kMostPoolBytes)));
    METE_TRY_VOID(allocate(file, mapped_size(bytes), name));
    METE_TRY(auto pool,
             map_file(file, bytes, dax() ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED, name));
    METE_TRY_VOID(pool->touch(name));
    return std::unique_ptr<Pool>(std::move(pool));
  }

 private:
  [[nodiscard]] bool dax() const { return spec_.kind == TierKind::dax; }

  TierSpec spec_;
  std::string folder_;
  SysRoot sys_;
};

/// A pool on a device, which has room for one at a time.
class DevicePool final : public Pool {
 public:
  DevicePool(std::unique_ptr<MappedPool> mapped, std::shared_ptr<bool> taken)
      : mapped_(std::move(mapped)), taken_(std::move(taken)) {
    *taken_ = true;
  }
  DevicePool(const DevicePool&) = delete;
  DevicePool& operator=(const DevicePool&) = delete;
  ~DevicePool() override { *taken_ = false; }
  std::byte* data() noexcept override { return mapped_->data(); }
  [[nodiscard]] std::size_t bytes() const noexcept override { return mapped_->bytes(); }

 private:
  std::unique_ptr<MappedPool> mapped_;
  std::shared_ptr<bool> taken_;  ///< shared with the tier, which either may outlive
};

/// dax:/dev/dax0.0
class DeviceTier final : public Tier {
 public:
  DeviceTier(TierSpec spec, std::uint64_t bytes) : spec_(std::move(spec)), bytes_(bytes) {}

  [[nodiscard]] const TierSpec& spec() const override { return spec_; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("persistent memory, {} (dax)", spec_.path);
  }
  [[nodiscard]] bool emulated() const override { return false; }
  [[nodiscard]] double charge_seconds(double, double) const override { return 0; }

  Result<std::unique_ptr<Pool>> make_pool(std::size_t bytes) override {
    const std::string name = tier_name(spec_);
    METE_TRY_VOID(check_room(name, bytes, *taken_ ? 0 : bytes_ / kHugePage * kHugePage));
    const OpenFile file(::open(spec_.path.c_str(), O_RDWR | O_CLOEXEC));
    if (file.fd() < 0) {
      return fail(errc_of_errno(errno), "{}: cannot be opened: {}", name, errno_text(errno));
    }
    // The device maps nothing but whole huge pages.
    METE_TRY(auto pool, map_file(file, std::max(bytes, kHugePage), MAP_SHARED, name));
    METE_TRY_VOID(pool->touch(name));
    return std::unique_ptr<Pool>(std::make_unique<DevicePool>(std::move(pool), taken_));
  }

 private:
  TierSpec spec_;
  std::uint64_t bytes_;
  std::shared_ptr<bool> taken_ = std::make_shared<bool>(false);
};

Result<std::unique_ptr<Tier>> open_device(const TierSpec& spec, dev_t device, const SysRoot& sys) {
  const auto size =
      sys.read_int(fmt::format("/sys/dev/char/{}:{}/size", ::major(device), ::minor(device)));
  if (!size || *size <= 0) {
    return fail(
        Errc::unavailable,
        "{}: not a dax device: expected /dev/daxX.Y (`ndctl create-namespace --mode devdax` "
        "makes one), or a folder on a file system mounted with -o dax",
        tier_name(spec));
  }
  return std::unique_ptr<Tier>(
      std::make_unique<DeviceTier>(spec, static_cast<std::uint64_t>(*size)));
}

}  // namespace

Result<std::unique_ptr<Tier>> open_file_tier(const TierSpec& spec, const SysRoot& sys) {
  const std::string name = tier_name(spec);
  struct stat info{};
  const bool there = ::stat(spec.path.c_str(), &info) == 0;
  if (there && S_ISCHR(info.st_mode) && spec.kind == TierKind::dax) {
    return open_device(spec, info.st_rdev, sys);
  }
  if (there && !S_ISDIR(info.st_mode)) {
    return fail(Errc::invalid, "{}: is there already, and would be overwritten; name a folder",
                name);
  }
  const std::string folder = there ? spec.path : dir_name(spec.path);
  if (!is_directory(folder)) {
    return fail(Errc::unavailable, "{}: there is no folder {}", name, folder);
  }
  // One small pool now: what refuses dax or writing says so before anything else is done.
  auto tier = std::make_unique<FolderTier>(spec, folder, sys);
  METE_TRY_VOID(tier->make_pool(1));
  return std::unique_ptr<Tier>(std::move(tier));
}

}  // namespace mete
