// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/sqlite_db.h"

#include <cerrno>
#include <cmath>
#include <limits>

#include <sqlite3.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {

Error sql_error(sqlite3* db, const std::string& path) {
  const int code = sqlite3_errcode(db);
  Errc kind = Errc::failed;
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) kind = Errc::invalid;
  if (code == SQLITE_READONLY || code == SQLITE_PERM) kind = Errc::denied;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) kind = Errc::retry;
  return fail(kind, "{}: {}", path, sqlite3_errmsg(db));
}

Result<std::int64_t> first_integer(const SqlDatabase& db, const char* sql) {
  METE_TRY(auto statement, db.prepare(sql));
  METE_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

}  // namespace

void SqlStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}
void SqlDatabase::Close::operator()(sqlite3* db) const { sqlite3_close(db); }

void SqlStatement::bind(int at, std::string_view text) {
  sqlite3_bind_text(statement_.get(), at + 1, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}
void SqlStatement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), at + 1, value);
}
void SqlStatement::bind(int at, double value) {
  if (std::isnan(value)) {
    sqlite3_bind_null(statement_.get(), at + 1);
  } else {
    sqlite3_bind_double(statement_.get(), at + 1, value);
  }
}

Result<bool> SqlStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  const char* path = sqlite3_db_filename(db_, "main");
  const Error error = sql_error(db_, path == nullptr ? "" : path);
  sqlite3_reset(statement_.get());
  return error;
}

std::string SqlStatement::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {reinterpret_cast<const char*>(bytes), size};
}
std::int64_t SqlStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double SqlStatement::number(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL)
    return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_.get(), column);
}

Result<SqlDatabase> SqlDatabase::open(const std::string& path, bool create) {
  sqlite3* db = nullptr;
  const int flags = create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  SqlDatabase out(path, db);  // owns it even if the opening failed
  if (code != SQLITE_OK) {
    Error error = sql_error(db, path);
    if (!create && ::access(path.c_str(), R_OK) != 0) {
      error.what += fmt::format(": {}", errno_text(errno));
    }
    if (create && code == SQLITE_CANTOPEN) {
      error.what += is_directory(path) ? ": it is a folder, expected a file"
                                       : "; its folder must exist, and let you write in it";
    }
    return error;
  }
  sqlite3_busy_timeout(db, 2000);
  return out;
}

Result<void> SqlDatabase::check_kind(const SqlKind& kind, bool create, std::string_view next_step) {
  METE_TRY(const auto id, first_integer(*this, "PRAGMA application_id"));
  METE_TRY(const auto version, first_integer(*this, "PRAGMA user_version"));
  METE_TRY(const auto tables, first_integer(*this, "SELECT count(*) FROM sqlite_master"));
  if (tables == 0 && create) {
    METE_TRY_VOID(execute("BEGIN"));
    METE_TRY_VOID(execute(kind.tables));
    return execute("COMMIT");
  }
  if (id != kind.application_id) {
    return fail(Errc::invalid, "{}: a SQLite file, but no {}: {}", path_, kind.name, next_step);
  }
  if (version != kind.version) {
    return fail(Errc::invalid, "{}: a {} of version {}; this mete reads version {}", path_,
                kind.name, version, kind.version);
  }
  return {};
}

Result<void> SqlDatabase::execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return sql_error(db_.get(), path_);
  return {};
}

Result<SqlStatement> SqlDatabase::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK) {
    return sql_error(db_.get(), path_);
  }
  return SqlStatement(db_.get(), statement);
}

std::int64_t SqlDatabase::last_row() const { return sqlite3_last_insert_rowid(db_.get()); }

}  // namespace mete
