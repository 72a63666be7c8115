// StudyRunner: works through a manifest with an engine, and keeps the manifest up to date, so that
// at any moment, SIGKILL included, the next start knows what is finished.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/study/engine.h"
#include "mete/study/manifest.h"

namespace mete {

/// Holds a study's folder for one process; given back when destroyed or when the process ends,
/// however it ends.
class FolderLock {
 public:
  FolderLock() = default;
  FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();
  /// Failed, with words for the user, if another process holds it.
  static Result<FolderLock> take(const std::string& directory);

 private:
  int fd_ = -1;
};

struct OpenOptions {
  bool fresh = false;  ///< refuse to resume
  bool force = false;  ///< with fresh: forget what an earlier study in the folder has done
};

/// A study in its folder, new or resumed.
struct OpenStudy {
  std::string directory;
  FolderLock lock;
  Manifest manifest;
  std::size_t resumed = 0;           ///< points that an earlier session finished
  std::vector<std::string> notices;  ///< one line each
};

/// Makes the folder, or resumes the study in it. Invalid: the folder holds another plan (the error
/// says what differs), or is not empty and holds no study, or --fresh was asked for and it is not
/// empty. Points that are said to be done but whose report or trace is gone are to be run again.
Result<OpenStudy> open_study(const std::string& directory, const StudyPlan& plan,
                             const OpenOptions& options, double wall_seconds);

struct RunnerOptions {
  bool keep_going = false;  ///< go on after a point that failed
  double pause = 0;         ///< s to wait between points, for a device to cool
};

struct StudyOutcome {
  bool interrupted = false;
  std::size_t ran = 0;                 ///< points finished in this session
  std::optional<Error> first_failure;  ///< says which point
  std::vector<std::string> warnings;   ///< of points, each kind once
};

/// Called after every point, and before the first, with how many of all points are finished.
using StudyProgress =
    std::function<void(std::size_t finished, std::size_t total, const std::string& note)>;

class StudyRunner {
 public:
  /// `clock` is for pauses.
  StudyRunner(Engine& engine, Clock& clock, const Interrupt& interrupt)
      : engine_(engine), clock_(clock), interrupt_(interrupt) {}
  /// Runs every point that is not done. A point that fails is an outcome; an error means that the
  /// manifest could not be written or that the engine cannot run anything.
  Result<StudyOutcome> run(OpenStudy& study, const RunnerOptions& options,
                           const StudyProgress& progress);

 private:
  struct Session;
  Result<void> record(Session& session, const PointOutcome& outcome);
  Result<void> fill(Session& session);
  void pause(double seconds);

  Engine& engine_;
  Clock& clock_;
  const Interrupt& interrupt_;
};

}  // namespace mete
