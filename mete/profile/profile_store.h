// ProfileStore: times of kernels in one SQLite file, each with all its repeats, and apart by what
// they were measured with. docs/formats/profile.md has the tables. One writer at a time.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/profile/profile.h"

namespace mete {

struct KernelMeasurement {
  KernelProfile profile;
  std::vector<std::vector<double>> seconds;  ///< every repeat, per timing of the profile
};

class ProfileStore {
 public:
  enum class Mode { read, create };
  /// `read`: the file must exist and be ours (`invalid` if it is not). `create`: made if absent.
  static Result<ProfileStore> open(const std::string& path, Mode mode);
  ProfileStore(ProfileStore&&) noexcept;
  ProfileStore& operator=(ProfileStore&&) noexcept;
  ~ProfileStore();
  [[nodiscard]] const std::string& path() const;

  [[nodiscard]] Result<std::vector<ProfileEnvironment>> environments() const;
  /// The number of an environment, nothing if there is none.
  [[nodiscard]] Result<std::optional<std::int64_t>> find(const ProfileEnvironment& wanted) const;
  /// Its number; it is added if there is none. `invalid` if the store holds times of other machines
  /// and none of this one, unless `any_machine`.
  Result<std::int64_t> enter(const ProfileEnvironment& environment, bool any_machine);

  /// All kernels of an environment, without their repeats. `invalid` if the file is damaged.
  [[nodiscard]] Result<std::vector<KernelProfile>> kernels(std::int64_t environment) const;
  /// Kept whole or not at all; takes the place of an earlier one of that key.
  Result<void> put(std::int64_t environment, const KernelMeasurement& kernel);
  /// The repeats of one kernel and mask, in the order they were measured.
  [[nodiscard]] Result<std::vector<double>> repeats(std::int64_t environment,
                                                    const std::string& key,
                                                    std::uint32_t slow_mask) const;

  [[nodiscard]] Result<std::optional<CopyRates>> copies(std::int64_t environment) const;
  Result<void> put_copies(std::int64_t environment, const CopyRates& rates);
  /// DRAM's bandwidth on a machine: what a throttled tier is held to must not change from one
  /// profile to the next.
  [[nodiscard]] Result<std::optional<Bandwidth>> dram(const std::string& machine,
                                                      int threads) const;
  Result<void> put_dram(const std::string& machine, int threads, const Bandwidth& dram);

 private:
  struct Impl;
  explicit ProfileStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The bandwidth that the store knows, else measured now and stored.
Result<Bandwidth> known_dram(ProfileStore& store, const std::string& machine, int threads,
                             const Clock& clock);

/// The graph's profile from stored times alone. `unavailable`, saying how many kernels and which
/// one first, if some were never measured in that environment.
Result<GraphProfile> stored_profile(const Graph& graph, const Liveness& liveness,
                                    std::span<const Layout> layouts,
                                    const ProfileEnvironment& environment,
                                    const ProfileStore& store, std::uint64_t cache_bytes = 0);

}  // namespace mete
