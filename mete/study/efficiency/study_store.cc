// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/study_store.h"

#include <bit>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "mete/base/json.h"
#include "mete/base/sqlite_db.h"
#include "mete/base/text.h"

namespace mete {
namespace {

// "mete" in ASCII: how SQLite files say whose they are.
constexpr std::int64_t kApplicationId = 0x6d657465;
constexpr std::int64_t kVersion = 1;

constexpr const char* kTables = R"sql(
CREATE TABLE session (id INTEGER PRIMARY KEY, source TEXT NOT NULL, started TEXT, host TEXT, environment TEXT,
                      binary_hash TEXT);
CREATE TABLE run (id INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session(id),
                  workload TEXT NOT NULL, device TEXT NOT NULL, dtype TEXT NOT NULL, tensor TEXT NOT NULL,
                  tensor_observed TEXT, rows INTEGER NOT NULL, depth INTEGER NOT NULL, frequency_hz REAL NOT NULL,
                  trial INTEGER NOT NULL, flops REAL, iterations REAL, seconds REAL, power_source TEXT, origin TEXT,
                  oddities TEXT, content_hash TEXT NOT NULL UNIQUE);
CREATE INDEX run_point ON run (device, dtype, tensor, rows, depth, frequency_hz);
CREATE TABLE sample (run INTEGER NOT NULL REFERENCES run(id), position INTEGER NOT NULL, time_s REAL NOT NULL,
                     watts REAL NOT NULL, PRIMARY KEY (run, position)) WITHOUT ROWID;
PRAGMA application_id = 1835365477;
PRAGMA user_version = 1;
)sql";

class Fnv1a {
 public:
  void add(std::string_view text) {
    for (const char c : text) step(static_cast<unsigned char>(c));
    step(0);
  }
  void add(double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8U) step(static_cast<unsigned char>(bits & 0xffU));
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  void step(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3ULL; }
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

std::string oddities_json(const GemmRun& run) {
  Json list = Json::array();
  for (const auto& oddity : run.oddities) {
    list.push(Json::object({{"kind", oddity.kind}, {"detail", oddity.detail}}));
  }
  return list.dump(-1);
}

std::vector<Oddity> oddities_of(const std::string& text) {
  std::vector<Oddity> out;
  const auto json = parse_json(text);
  if (!json) return out;
  for (const auto& item : json->items())
    out.push_back({item["kind"].as_string(), item["detail"].as_string()});
  return out;
}

}  // namespace

std::uint64_t content_hash(const GemmRun& run) {
  Fnv1a hash;
  hash.add(run.point.device);
  hash.add(run.point.dtype);
  hash.add(run.point.tensor);
  hash.add(run.point.size_text());
  hash.add(run.point.frequency);
  for (const auto& sample : run.power) {
    hash.add(sample.time);
    hash.add(sample.watts);
  }
  hash.add(run.flops);
  hash.add(run.iterations);
  hash.add(run.seconds);
  return hash.value();
}

struct StudyStore::Impl {
  SqlDatabase db;
  std::optional<SqlStatement> find_hash;
  std::optional<SqlStatement> count_trials;
  std::optional<SqlStatement> insert_run;
  std::optional<SqlStatement> insert_sample;

  /// Prepared when the first run is added: readers need none of them.
  Result<void> prepare_writes() {
    if (insert_sample) return {};
    METE_TRY(find_hash, db.prepare("SELECT 1 FROM run WHERE content_hash = ?"));
    METE_TRY(
        count_trials,
        db.prepare("SELECT count(*) FROM run WHERE device = ? AND dtype = ? AND tensor = ? AND "
                   "rows = ? AND depth = ? AND frequency_hz = ?"));
    METE_TRY(insert_run,
             db.prepare("INSERT INTO run (session, workload, device, dtype, tensor, rows, depth, "
                        "frequency_hz, trial, "
                        "flops, iterations, seconds, tensor_observed, power_source, origin, "
                        "oddities, content_hash) "
                        "VALUES (?, 'gemm', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    METE_TRY(insert_sample, db.prepare("INSERT INTO sample VALUES (?, ?, ?, ?)"));
    return {};
  }
  Result<void> add_samples(const GemmRun& run) {
    const auto id = db.last_row();
    std::int64_t position = 0;
    for (const auto& sample : run.power) {
      insert_sample->bind(0, id);
      insert_sample->bind(1, position++);
      insert_sample->bind(2, sample.time);
      insert_sample->bind(3, sample.watts);
      METE_TRY(const bool row, insert_sample->step());
      static_cast<void>(row);
    }
    return {};
  }
  Result<void> read_samples(std::vector<std::pair<std::int64_t, GemmRun>>& runs) const {
    METE_TRY(auto samples,
             db.prepare("SELECT run, time_s, watts FROM sample ORDER BY run, position"));
    std::size_t at = 0;
    while (true) {
      METE_TRY(const bool more, samples.step());
      if (!more) return {};
      while (at < runs.size() && runs[at].first < samples.integer(0)) ++at;
      if (at == runs.size() || runs[at].first != samples.integer(0)) {
        return fail(Errc::invalid, "{}: damaged: samples of a run that is not there", db.path());
      }
      runs[at].second.power.push_back({samples.number(1), samples.number(2)});
    }
  }
};

StudyStore::StudyStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StudyStore::StudyStore(StudyStore&&) noexcept = default;
StudyStore& StudyStore::operator=(StudyStore&&) noexcept = default;
StudyStore::~StudyStore() = default;

Result<StudyStore> StudyStore::open(const std::string& path, Mode mode) {
  METE_TRY(auto db, SqlDatabase::open(path, mode == Mode::create));
  METE_TRY_VOID(db.check_kind({kApplicationId, kVersion, kTables, "study"}, mode == Mode::create,
                              fmt::format("make one with `mete study import DIR -o {}`", path)));
  return StudyStore(std::unique_ptr<Impl>(new Impl{std::move(db), {}, {}, {}, {}}));
}

Result<void> StudyStore::begin() { return impl_->db.execute("BEGIN IMMEDIATE"); }
Result<void> StudyStore::commit() { return impl_->db.execute("COMMIT"); }

Result<std::int64_t> StudyStore::add_session(const StudySession& session) {
  METE_TRY(auto insert, impl_->db.prepare(
                            "INSERT INTO session (source, started, host, environment, binary_hash) "
                            "VALUES (?, ?, ?, ?, ?)"));
  insert.bind(0, session.source);
  insert.bind(1, session.started);
  insert.bind(2, session.host);
  insert.bind(3, session.environment);
  insert.bind(4, session.binary_hash);
  METE_TRY(const bool row, insert.step());
  static_cast<void>(row);
  return impl_->db.last_row();
}

Result<StudyStore::Added> StudyStore::add_run(std::int64_t session, const GemmRun& run) {
  METE_TRY_VOID(impl_->prepare_writes());
  const auto hash = fmt::format("{:016x}", content_hash(run));
  impl_->find_hash->bind(0, hash);
  METE_TRY(const bool known, impl_->find_hash->step());
  if (known) {
    METE_TRY(const bool more, impl_->find_hash->step());
    static_cast<void>(more);
    return Added::same;
  }
  const auto& point = run.point;
  const auto bind_point = [&](SqlStatement& statement, int first) {
    statement.bind(first, point.device);
    statement.bind(first + 1, point.dtype);
    statement.bind(first + 2, point.tensor);
    statement.bind(first + 3, static_cast<std::int64_t>(point.rows));
    statement.bind(first + 4, static_cast<std::int64_t>(point.depth));
    statement.bind(first + 5, point.frequency);
  };
  bind_point(*impl_->count_trials, 0);
  METE_TRY(const bool counted, impl_->count_trials->step());
  const std::int64_t trials = counted ? impl_->count_trials->integer(0) : 0;
  METE_TRY(const bool rest, impl_->count_trials->step());
  static_cast<void>(rest);

  auto& insert = *impl_->insert_run;
  insert.bind(0, session);
  bind_point(insert, 1);
  insert.bind(7, trials);
  insert.bind(8, run.flops);
  insert.bind(9, run.iterations);
  insert.bind(10, run.seconds);
  insert.bind(11, run.tensor_observed);
  insert.bind(12, run.power_source);
  insert.bind(13, run.origin);
  insert.bind(14, oddities_json(run));
  insert.bind(15, hash);
  METE_TRY(const bool row, insert.step());
  static_cast<void>(row);
  METE_TRY_VOID(impl_->add_samples(run));
  return trials == 0 ? Added::run : Added::more_trial;
}

Result<std::vector<GemmRun>> StudyStore::runs() const {
  METE_TRY(
      auto select,
      impl_->db.prepare("SELECT id, device, dtype, tensor, rows, depth, frequency_hz, flops, "
                        "iterations, seconds, "
                        "tensor_observed, power_source, origin, oddities FROM run ORDER BY id"));
  std::vector<std::pair<std::int64_t, GemmRun>> numbered;
  while (true) {
    METE_TRY(const bool more, select.step());
    if (!more) break;
    GemmRun run;
    run.point = {select.text(1),
                 select.text(2),
                 select.text(3),
                 static_cast<std::uint64_t>(select.integer(4)),
                 static_cast<std::uint64_t>(select.integer(5)),
                 select.number(6)};
    run.flops = select.number(7);
    run.iterations = select.number(8);
    run.seconds = select.number(9);
    run.tensor_observed = select.text(10);
    run.power_source = select.text(11);
    run.origin = select.text(12);
    run.oddities = oddities_of(select.text(13));
    numbered.emplace_back(select.integer(0), std::move(run));
  }
  METE_TRY_VOID(impl_->read_samples(numbered));
  std::vector<GemmRun> out;
  out.reserve(numbered.size());
  for (auto& [id, run] : numbered) out.push_back(std::move(run));
  return out;
}

Result<std::vector<StudySession>> StudyStore::sessions() const {
  METE_TRY(auto select,
           impl_->db.prepare(
               "SELECT source, started, host, environment, binary_hash FROM session ORDER BY id"));
  std::vector<StudySession> out;
  while (true) {
    METE_TRY(const bool more, select.step());
    if (!more) return out;
    out.push_back({select.text(0), select.text(1), select.text(2), select.text(3), select.text(4)});
  }
}

}  // namespace mete
