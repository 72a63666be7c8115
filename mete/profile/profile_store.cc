// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/profile_store.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/sqlite_db.h"

namespace mete {
namespace {

// "metp" in ASCII: how SQLite files say whose they are.
constexpr const char* kTables = R"sql(
CREATE TABLE machine (name TEXT NOT NULL, threads INTEGER NOT NULL, dram_read REAL NOT NULL, dram_write REAL NOT NULL,
                      PRIMARY KEY (name, threads)) WITHOUT ROWID;
CREATE TABLE environment (id INTEGER PRIMARY KEY, machine TEXT NOT NULL, libraries TEXT NOT NULL,
                          fast_tier TEXT NOT NULL, slow_tier TEXT NOT NULL, emulated INTEGER NOT NULL,
                          threads INTEGER NOT NULL, fast_to_slow REAL, slow_to_fast REAL,
                          UNIQUE (machine, libraries, fast_tier, slow_tier, emulated, threads));
CREATE TABLE kernel (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL REFERENCES environment(id),
                     key TEXT NOT NULL, implementation TEXT NOT NULL, slots INTEGER NOT NULL,
                     additive INTEGER NOT NULL, held_out_error REAL NOT NULL, UNIQUE (environment, key));
CREATE TABLE timing (kernel INTEGER NOT NULL REFERENCES kernel(id), slow_mask INTEGER NOT NULL,
                     repeats INTEGER NOT NULL, median_s REAL NOT NULL, spread_s REAL NOT NULL, joules REAL,
                     PRIMARY KEY (kernel, slow_mask)) WITHOUT ROWID;
CREATE TABLE repeat (kernel INTEGER NOT NULL REFERENCES kernel(id), slow_mask INTEGER NOT NULL,
                     position INTEGER NOT NULL, seconds REAL NOT NULL,
                     PRIMARY KEY (kernel, slow_mask, position)) WITHOUT ROWID;
PRAGMA application_id = 1835365488;
PRAGMA user_version = 1;
)sql";
constexpr SqlKind kKind{0x6d657470, 1, kTables, "profile"};

Result<void> run(SqlStatement& statement) {
  METE_TRY(const bool row, statement.step());
  static_cast<void>(row);
  return {};
}

void bind_environment(SqlStatement& statement, const ProfileEnvironment& environment) {
  statement.bind(0, environment.machine);
  statement.bind(1, environment.libraries);
  statement.bind(2, environment.fast_tier);
  statement.bind(3, environment.slow_tier);
  statement.bind(4, std::int64_t{environment.emulated});
  statement.bind(5, std::int64_t{environment.threads});
}

bool is_time(double seconds) { return std::isfinite(seconds) && seconds >= 0; }

/// What the rest of the program relies on.
bool is_sound(const KernelProfile& kernel) {
  if (kernel.slots > kMostSlots || !is_time(kernel.held_out_error)) return false;
  std::size_t singles = 0;
  for (const auto& timing : kernel.timings) {
    const std::uint32_t mask = timing.slow_mask;
    if (mask > kernel.all_slow() || !is_time(timing.median_seconds) ||
        !is_time(timing.spread_seconds)) {
      return false;
    }
    singles += (mask & (mask - 1)) == 0 ? 1 : 0;
  }
  return singles == kernel.slots + 1;
}

}  // namespace

struct ProfileStore::Impl {
  SqlDatabase db;

  [[nodiscard]] Error damaged() const {
    return fail(Errc::invalid,
                "{}: damaged: a kernel whose times do not fit its operands; measure "
                "into another file",
                db.path());
  }
  Result<void> write_kernel(std::int64_t environment, const KernelMeasurement& kernel);
  Result<void> write_timings(std::int64_t id, const KernelMeasurement& kernel);
};

ProfileStore::ProfileStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProfileStore::ProfileStore(ProfileStore&&) noexcept = default;
ProfileStore& ProfileStore::operator=(ProfileStore&&) noexcept = default;
ProfileStore::~ProfileStore() = default;
const std::string& ProfileStore::path() const { return impl_->db.path(); }

Result<ProfileStore> ProfileStore::open(const std::string& path, Mode mode) {
  const bool create = mode == Mode::create;
  METE_TRY(auto db, SqlDatabase::open(path, create));
  METE_TRY_VOID(db.check_kind(kKind, create, "make one with `mete profile GRAPH -o STORE.db`"));
  return ProfileStore(std::unique_ptr<Impl>(new Impl{std::move(db)}));
}

Result<std::vector<ProfileEnvironment>> ProfileStore::environments() const {
  METE_TRY(auto select,
           impl_->db.prepare("SELECT machine, libraries, fast_tier, slow_tier, emulated, threads "
                             "FROM environment ORDER BY id"));
  std::vector<ProfileEnvironment> all;
  while (true) {
    METE_TRY(const bool more, select.step());
    if (!more) return all;
    all.push_back({select.text(0), select.text(1), select.text(2), select.text(3),
                   select.integer(4) != 0, static_cast<int>(select.integer(5))});
  }
}

Result<std::optional<std::int64_t>> ProfileStore::find(const ProfileEnvironment& wanted) const {
  METE_TRY(auto select, impl_->db.prepare("SELECT id FROM environment WHERE machine = ? AND "
                                          "libraries = ? AND fast_tier = ? AND slow_tier = ? AND "
                                          "emulated = ? AND threads = ?"));
  bind_environment(select, wanted);
  METE_TRY(const bool there, select.step());
  if (!there) return std::optional<std::int64_t>();
  return std::optional<std::int64_t>(select.integer(0));
}

Result<std::int64_t> ProfileStore::enter(const ProfileEnvironment& environment, bool any_machine) {
  METE_TRY(const auto known, find(environment));
  if (known) return *known;
  METE_TRY(const auto all, environments());
  const auto same_machine = [&environment](const ProfileEnvironment& other) {
    return other.machine == environment.machine;
  };
  if (!any_machine && !all.empty() && std::none_of(all.begin(), all.end(), same_machine)) {
    return fail(Errc::invalid,
                "{}: was measured on another machine ({}; this is {}); give another file, or "
                "--any-machine to keep both in this one, apart",
                path(), all.front().machine, environment.machine);
  }
  METE_TRY(auto insert,
           impl_->db.prepare("INSERT INTO environment (machine, libraries, fast_tier, slow_tier, "
                             "emulated, threads) VALUES (?, ?, ?, ?, ?, ?)"));
  bind_environment(insert, environment);
  METE_TRY_VOID(run(insert));
  return impl_->db.last_row();
}

Result<std::vector<KernelProfile>> ProfileStore::kernels(std::int64_t environment) const {
  METE_TRY(auto select,
           impl_->db.prepare("SELECT k.id, k.key, k.implementation, k.slots, k.additive, "
                             "k.held_out_error, t.slow_mask, t.repeats, t.median_s, t.spread_s, "
                             "t.joules FROM kernel k JOIN timing t ON t.kernel = k.id WHERE "
                             "k.environment = ? ORDER BY k.id, t.slow_mask"));
  select.bind(0, environment);
  std::vector<KernelProfile> all;
  std::int64_t last = -1;
  while (true) {
    METE_TRY(const bool more, select.step());
    if (!more) break;
    if (select.integer(0) != last) {
      last = select.integer(0);
      KernelProfile kernel;
      kernel.key = select.text(1);
      kernel.implementation = select.text(2);
      const std::int64_t slots = select.integer(3);
      if (slots < 0 || slots > static_cast<std::int64_t>(kMostSlots)) return impl_->damaged();
      kernel.slots = static_cast<std::size_t>(slots);
      kernel.additive = select.integer(4) != 0;
      kernel.held_out_error = select.number(5);
      all.push_back(std::move(kernel));
    }
    const std::int64_t mask = select.integer(6);
    const std::int64_t repeats = select.integer(7);
    if (mask < 0 || mask > all.back().all_slow() || repeats < 1) return impl_->damaged();
    all.back().timings.push_back({static_cast<std::uint32_t>(mask),
                                  static_cast<std::size_t>(repeats), select.number(8),
                                  select.number(9), select.number(10)});
  }
  if (!std::all_of(all.begin(), all.end(), is_sound)) return impl_->damaged();
  return all;
}

Result<void> ProfileStore::Impl::write_timings(std::int64_t id, const KernelMeasurement& kernel) {
  METE_TRY(auto timing, db.prepare("INSERT INTO timing VALUES (?, ?, ?, ?, ?, ?)"));
  METE_TRY(auto repeat, db.prepare("INSERT INTO repeat VALUES (?, ?, ?, ?)"));
  for (std::size_t i = 0; i < kernel.profile.timings.size(); ++i) {
    const PlacementTiming& one = kernel.profile.timings[i];
    const std::int64_t mask{one.slow_mask};
    timing.bind(0, id);
    timing.bind(1, mask);
    timing.bind(2, static_cast<std::int64_t>(one.repeats));
    timing.bind(3, one.median_seconds);
    timing.bind(4, one.spread_seconds);
    timing.bind(5, one.joules);
    METE_TRY_VOID(run(timing));
    std::int64_t position = 0;
    for (const double seconds : kernel.seconds[i]) {
      repeat.bind(0, id);
      repeat.bind(1, mask);
      repeat.bind(2, position++);
      repeat.bind(3, seconds);
      METE_TRY_VOID(run(repeat));
    }
  }
  return {};
}

Result<void> ProfileStore::Impl::write_kernel(std::int64_t environment,
                                              const KernelMeasurement& kernel) {
  for (const auto* sql :
       {"DELETE FROM repeat WHERE kernel IN (SELECT id FROM kernel WHERE environment = ? AND key = "
        "?)",
        "DELETE FROM timing WHERE kernel IN (SELECT id FROM kernel WHERE environment = ? AND key = "
        "?)",
        "DELETE FROM kernel WHERE environment = ? AND key = ?"}) {
    METE_TRY(auto forget, db.prepare(sql));
    forget.bind(0, environment);
    forget.bind(1, kernel.profile.key);
    METE_TRY_VOID(run(forget));
  }
  METE_TRY(auto insert, db.prepare("INSERT INTO kernel (environment, key, implementation, slots, "
                                   "additive, held_out_error) VALUES (?, ?, ?, ?, ?, ?)"));
  insert.bind(0, environment);
  insert.bind(1, kernel.profile.key);
  insert.bind(2, kernel.profile.implementation);
  insert.bind(3, static_cast<std::int64_t>(kernel.profile.slots));
  insert.bind(4, std::int64_t{kernel.profile.additive});
  insert.bind(5, kernel.profile.held_out_error);
  METE_TRY_VOID(run(insert));
  return write_timings(db.last_row(), kernel);
}

Result<void> ProfileStore::put(std::int64_t environment, const KernelMeasurement& kernel) {
  METE_TRY_VOID(impl_->db.execute("BEGIN IMMEDIATE"));
  auto written = impl_->write_kernel(environment, kernel);
  if (written) written = impl_->db.execute("COMMIT");
  if (!written) static_cast<void>(impl_->db.execute("ROLLBACK"));
  return written;
}

Result<std::vector<double>> ProfileStore::repeats(std::int64_t environment, const std::string& key,
                                                  std::uint32_t slow_mask) const {
  METE_TRY(auto select,
           impl_->db.prepare("SELECT r.seconds FROM repeat r JOIN kernel k ON k.id = r.kernel "
                             "WHERE k.environment = ? AND k.key = ? AND r.slow_mask = ? ORDER BY "
                             "r.position"));
  select.bind(0, environment);
  select.bind(1, key);
  select.bind(2, std::int64_t{slow_mask});
  std::vector<double> seconds;
  while (true) {
    METE_TRY(const bool more, select.step());
    if (!more) return seconds;
    seconds.push_back(select.number(0));
  }
}

Result<std::optional<CopyRates>> ProfileStore::copies(std::int64_t environment) const {
  METE_TRY(auto select, impl_->db.prepare("SELECT fast_to_slow, slow_to_fast FROM environment "
                                          "WHERE id = ?"));
  select.bind(0, environment);
  METE_TRY(const bool there, select.step());
  if (!there) return std::optional<CopyRates>();
  const CopyRates rates{select.number(0), select.number(1)};
  if (!(rates.fast_to_slow > 0 && rates.slow_to_fast > 0)) return std::optional<CopyRates>();
  return std::optional(rates);
}

Result<void> ProfileStore::put_copies(std::int64_t environment, const CopyRates& rates) {
  METE_TRY(auto update, impl_->db.prepare("UPDATE environment SET fast_to_slow = ?, slow_to_fast = "
                                          "? WHERE id = ?"));
  update.bind(0, rates.fast_to_slow);
  update.bind(1, rates.slow_to_fast);
  update.bind(2, environment);
  return run(update);
}

Result<std::optional<Bandwidth>> ProfileStore::dram(const std::string& machine, int threads) const {
  METE_TRY(auto select,
           impl_->db.prepare("SELECT dram_read, dram_write FROM machine WHERE name = ? "
                             "AND threads = ?"));
  select.bind(0, machine);
  select.bind(1, std::int64_t{threads});
  METE_TRY(const bool there, select.step());
  if (!there) return std::optional<Bandwidth>();
  return std::optional(Bandwidth{select.number(0), select.number(1)});
}

Result<void> ProfileStore::put_dram(const std::string& machine, int threads,
                                    const Bandwidth& dram) {
  METE_TRY(auto insert, impl_->db.prepare("INSERT OR REPLACE INTO machine VALUES (?, ?, ?, ?)"));
  insert.bind(0, machine);
  insert.bind(1, std::int64_t{threads});
  insert.bind(2, dram.read);
  insert.bind(3, dram.write);
  return run(insert);
}

Result<Bandwidth> known_dram(ProfileStore& store, const std::string& machine, int threads,
                             const Clock& clock) {
  METE_TRY(const auto known, store.dram(machine, threads));
  if (known) return *known;
  METE_TRY(const Bandwidth dram, measure_dram(threads, clock));
  METE_TRY_VOID(store.put_dram(machine, threads, dram));
  return dram;
}

}  // namespace mete
