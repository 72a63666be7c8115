// A thin RAII layer over SQLite, for the stores of studies and profiles: a connection and prepared
// statements, errors as Result. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mete/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mete {

/// A prepared statement. Parameters and columns count from 0.
class SqlStatement {
 public:
  SqlStatement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  void bind(int at, std::string_view text);
  void bind(int at, std::int64_t value);
  /// NaN is stored as NULL.
  void bind(int at, double value);
  /// True: a row is there. False: done, and ready to be bound again.
  Result<bool> step();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  /// NULL is NaN.
  [[nodiscard]] double number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Whose a file is: SQLite files carry an id and a version for this.
struct SqlKind {
  std::int64_t application_id = 0;
  std::int64_t version = 0;
  const char* tables = "";     ///< what makes an empty file one of ours; sets both pragmas
  std::string_view name = {};  ///< "study", for errors
};

class SqlDatabase {
 public:
  static Result<SqlDatabase> open(const std::string& path, bool create);
  /// `invalid` if the file is of another kind, then saying the next step, or of another version.
  /// With `create` an empty file becomes one of that kind.
  Result<void> check_kind(const SqlKind& kind, bool create, std::string_view next_step);
  Result<void> execute(const char* sql);
  Result<SqlStatement> prepare(std::string_view sql) const;
  [[nodiscard]] std::int64_t last_row() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  SqlDatabase(std::string path, sqlite3* db) : path_(std::move(path)), db_(db) {}
  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace mete
