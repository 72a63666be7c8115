// The tiers of this machine's memory: dram, numa, and dram held to bandwidths; those in files are
// in file_tier.cc. SPDX-License-Identifier: BSD-3-Clause
#include "mete/memory/tier.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/memory/capacity.h"
#include "mete/memory/file_tier.h"
#include "mete/memory/mapping.h"

namespace mete {
namespace {

class DramTier final : public Tier {
 public:
  DramTier(TierSpec spec, const Bandwidth& dram, SysRoot sys)
      : spec_(std::move(spec)), sys_(std::move(sys)) {
    if (spec_.kind != TierKind::throttled) return;
    // 1/R - 1/R0, where R = R0 / part.
    read_charge_ = (spec_.read_part - 1) / dram.read;
    write_charge_ = (spec_.write_part - 1) / dram.write;
    description_ = fmt::format("throttled to {} read, {} write (emulated)",
                               format_quantity(dram.read / spec_.read_part, "B/s"),
                               format_quantity(dram.write / spec_.write_part, "B/s"));
  }

  [[nodiscard]] const TierSpec& spec() const override { return spec_; }
  [[nodiscard]] std::string description() const override { return description_; }
  [[nodiscard]] bool emulated() const override { return spec_.kind == TierKind::throttled; }
  [[nodiscard]] double charge_seconds(double read_bytes, double written_bytes) const override {
    return read_bytes * read_charge_ + written_bytes * write_charge_;
  }

  Result<std::unique_ptr<Pool>> make_pool(std::size_t bytes) override {
    const std::string name = tier_name(spec_);
    METE_TRY(const auto available, memory_available(sys_));
    METE_TRY_VOID(check_room(name, bytes, std::min<std::uint64_t>(available, kMostPoolBytes)));
    METE_TRY(auto pool, map_anonymous(bytes, name));
    METE_TRY_VOID(pool->touch(name));
    return std::unique_ptr<Pool>(std::move(pool));
  }

 private:
  TierSpec spec_;
  SysRoot sys_;
  std::string description_ = "DRAM";
  double read_charge_ = 0;
  double write_charge_ = 0;
};

// From the kernel's interface (linux/mempolicy.h): we call it without libnuma.
constexpr int kBind = 2;
constexpr std::size_t kMaskWords = 16;
constexpr std::size_t kMaskBits = kMaskWords * 64;

class NumaTier final : public Tier {
 public:
  NumaTier(TierSpec spec, SysRoot sys) : spec_(std::move(spec)), sys_(std::move(sys)) {}

  [[nodiscard]] const TierSpec& spec() const override { return spec_; }
  [[nodiscard]] std::string description() const override {
    return fmt::format("memory of node {}", spec_.node);
  }
  [[nodiscard]] bool emulated() const override { return false; }
  [[nodiscard]] double charge_seconds(double, double) const override { return 0; }

  Result<std::unique_ptr<Pool>> make_pool(std::size_t bytes) override {
    const std::string name = tier_name(spec_);
    METE_TRY(const auto on_node, node_memory_available(sys_, spec_.node));
    METE_TRY(const auto in_all, memory_available(sys_));
    METE_TRY_VOID(check_room(name, bytes,
                             std::min<std::uint64_t>(std::min(on_node, in_all), kMostPoolBytes)));
    METE_TRY(auto pool, map_anonymous(bytes, name));
    METE_TRY_VOID(bind(*pool, name));
    METE_TRY_VOID(pool->touch(name));
    METE_TRY_VOID(check_pages(*pool, name));
    return std::unique_ptr<Pool>(std::move(pool));
  }

 private:
  [[nodiscard]] Result<void> bind(MappedPool& pool, const std::string& name) const {
    std::array<std::uint64_t, kMaskWords> mask{};
    const auto node = static_cast<std::size_t>(spec_.node);
    mask[node / 64] = std::uint64_t{1} << (node % 64);
    // The kernel reads one bit less than it is told.
    if (::syscall(SYS_mbind, pool.data(), pool.mapped(), kBind, mask.data(), kMaskBits + 1, 0) == 0)
      return {};
    return fail(errno == ENOSYS ? Errc::unsupported : errc_of_errno(errno),
                "{}: memory cannot be bound to the node: {}; in a container, allow the system call "
                "mbind",
                name, errno_text(errno));
  }

  /// The kernel was asked; a sample of the pages says whether it did.
  [[nodiscard]] Result<void> check_pages(MappedPool& pool, const std::string& name) const {
    constexpr std::size_t kSamples = 64;
    std::vector<void*> pages;
    for (std::size_t i = 0; i < kSamples; ++i) {
      const std::size_t at = pool.mapped() / kSamples * i / 4096 * 4096;
      if (pages.empty() || pool.data() + at != pages.back()) pages.push_back(pool.data() + at);
    }
    std::vector<int> nodes(pages.size(), -1);
    if (::syscall(SYS_move_pages, 0, pages.size(), pages.data(), nullptr, nodes.data(), 0) != 0) {
      return fail(errc_of_errno(errno), "{}: cannot tell where the pages lie: {}", name,
                  errno_text(errno));
    }
    for (const int node : nodes) {
      if (node == spec_.node) continue;
      return fail(Errc::failed, "{}: a page of the pool lies {}", name,
                  node < 0 ? errno_text(-node) : fmt::format("on node {}", node));
    }
    return {};
  }

  TierSpec spec_;
  SysRoot sys_;
};

}  // namespace

Result<std::unique_ptr<Tier>> open_tier(const TierSpec& spec, const Bandwidth& dram,
                                        const SysRoot& sys) {
  switch (spec.kind) {
    case TierKind::numa: {
      METE_TRY_VOID(node_memory_available(sys, spec.node));
      return std::unique_ptr<Tier>(std::make_unique<NumaTier>(spec, sys));
    }
    case TierKind::dax:
    case TierKind::file:
      return open_file_tier(spec, sys);
    case TierKind::throttled:
      if (!(dram.read > 0 && dram.write > 0 && std::isfinite(dram.read) &&
            std::isfinite(dram.write))) {
        return fail(Errc::internal, "{}: DRAM's bandwidth must be measured first", tier_name(spec));
      }
      break;
    case TierKind::dram:
      break;
  }
  return std::unique_ptr<Tier>(std::make_unique<DramTier>(spec, dram, sys));
}

}  // namespace mete
