// StudyStore: efficiency studies in one SQLite file: every run with its raw samples, where it came
// from, and the environment it was measured in. docs/formats/study-store.md has the tables. One
// writer at a time. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/study/efficiency/gemm_run.h"

namespace mete {

/// A sitting in which runs were measured, or a folder they were imported from.
struct StudySession {
  std::string source;       ///< "imported from DIR", "measured by mete bench"
  std::string started;      ///< ISO 8601, UTC; "" if unknown
  std::string host;         ///< "" if unknown
  std::string environment;  ///< JSON: clocks, library versions, seed, ..
  std::string binary_hash;  ///< of the program that measured; "" if unknown
};

class StudyStore {
 public:
  enum class Mode { read, create };
  /// `read`: the file must exist and be ours (invalid if it is not). `create`: made if absent.
  static Result<StudyStore> open(const std::string& path, Mode mode);
  StudyStore(StudyStore&&) noexcept;
  StudyStore& operator=(StudyStore&&) noexcept;
  ~StudyStore();

  /// Everything until commit() is kept whole or not at all.
  Result<void> begin();
  Result<void> commit();

  Result<std::int64_t> add_session(const StudySession& session);
  enum class Added {
    run,         ///< the first of its point
    same,        ///< the same content is there already: nothing was added
    more_trial,  ///< its point is there with other content: kept beside it as one more trial
  };
  Result<Added> add_run(std::int64_t session, const GemmRun& run);
  /// In the order they were added.
  [[nodiscard]] Result<std::vector<GemmRun>> runs() const;
  [[nodiscard]] Result<std::vector<StudySession>> sessions() const;

 private:
  struct Impl;
  explicit StudyStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// FNV-1a, 64 bits, of a run's point, samples and figures: equal for equal content.
std::uint64_t content_hash(const GemmRun& run);

}  // namespace mete
