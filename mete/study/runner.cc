// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/runner.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

PointJob job_for(const OpenStudy& study, std::size_t index) {
  const StudyPlan& plan = study.manifest.plan;
  const StudyPoint& point = study.manifest.points[index];
  PointJob job;
  job.index = index;
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    job.controls.emplace_back(plan.axes[a].control, point.plan.values[a]);
  }
  job.command = plan.command;
  job.agent = plan.agent;
  job.policy = plan.policy;
  job.model = plan.model;
  job.signals = plan.signals;
  job.period = plan.period;
  job.energy_signals = plan.energy_signals;
  job.node = plan.node;
  job.profile = base_name(point.plan.id);
  job.report_path = path_join(study.directory, point.report);
  job.trace_path = path_join(study.directory, point.trace);
  return job;
}

std::string describe(const StudyPlan& plan, const StudyPoint& point) {
  std::vector<std::string> values;
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    values.push_back(setting_text(point.plan.values[a], plan.axes[a].unit));
  }
  return fmt::format("{}, {} {}", join(values, ", "), point.plan.reference ? "reference" : "trial",
                     point.plan.trial);
}

/// Done points whose files somebody removed are no longer done.
void recheck(OpenStudy& study) {
  std::size_t lost = 0;
  for (StudyPoint& point : study.manifest.points) {
    if (point.status != PointStatus::done) continue;
    if (path_exists(path_join(study.directory, point.report)) &&
        path_exists(path_join(study.directory, point.trace))) {
      ++study.resumed;
    } else {
      point.status = PointStatus::pending;
      ++lost;
    }
  }
  if (lost > 0) {
    study.notices.push_back(
        fmt::format("{} finished points have lost their report or trace and are run again", lost));
  }
}

/// Whether the study in the folder is to be gone on with. One in which nothing was finished (a
/// mistyped command) is not worth defending.
Result<bool> goes_on(const std::string& directory, const Manifest& here, const StudyPlan& asked) {
  const auto changed = differences(here.plan, asked);
  if (changed.empty()) return true;
  if (here.count(PointStatus::done) == 0) return false;
  return fail(Errc::invalid,
              "{}: holds a sweep with another plan ({}); use another --out, or start over in it "
              "with --fresh --force",
              directory, join(changed, "; "));
}

Result<void> prepare_folder(const std::string& directory, const StudyPlan& plan) {
  METE_TRY_VOID(make_directories(directory));
  if (plan.reference_every > 0) METE_TRY_VOID(make_directories(path_join(directory, "reference")));
  return {};
}

/// With --fresh --force: what the earlier study made goes, and nothing else.
void remove_old_runs(const std::string& directory) {
  std::vector<std::string> ignored;
  const auto old = load_manifest(directory, ignored);
  if (!old) return;
  for (const StudyPoint& point : old->points) {
    ::unlink(path_join(directory, point.report).c_str());
    ::unlink(path_join(directory, point.trace).c_str());
  }
}

/// What a study leaves: everything else in a folder is somebody else's.
bool is_ours(const std::string& name) {
  return name == kManifestName || name == kManifestBackupName || name == "reference" ||
         name.ends_with(".report") || name.find(".trace-") != std::string::npos;
}

}  // namespace

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<FolderLock> FolderLock::take(const std::string& directory) {
  FolderLock lock;
  lock.fd_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock.fd_ < 0) {
    const int error = errno;
    return fail(errc_of_errno(error), "{}: {}", directory, errno_text(error));
  }
  // File systems without locks answer with other errors: then there is no protection, and no harm.
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return fail(Errc::failed,
                "{}: another mete is at work in this folder; wait for it, or use another "
                "--out",
                directory);
  }
  return lock;
}

Result<OpenStudy> open_study(const std::string& directory, const StudyPlan& plan,
                             const OpenOptions& options, double wall_seconds) {
  METE_TRY(Manifest asked, make_manifest(plan, format_wall_time(wall_seconds)));
  if (path_exists(directory) && !is_directory(directory)) {
    return fail(Errc::invalid, "{}: is a file; --out takes a folder", directory);
  }
  METE_TRY_VOID(make_directories(directory));
  OpenStudy study;
  study.directory = directory;
  METE_TRY(study.lock, FolderLock::take(directory));
  METE_TRY(const auto names, list_directory(directory));
  const bool has_manifest = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name == kManifestName || name == kManifestBackupName;
  });
  if (options.fresh && !names.empty() && !options.force) {
    return fail(Errc::invalid,
                "{}: is not empty, and --fresh was asked for; use another --out, add --force to "
                "start over in it, or leave --fresh out to resume",
                directory);
  }
  if (has_manifest && !options.fresh) {
    METE_TRY(study.manifest, load_manifest(directory, study.notices));
    METE_TRY(const bool same, goes_on(directory, study.manifest, plan));
    if (same) {
      recheck(study);
    } else {
      remove_old_runs(directory);
      study.manifest = std::move(asked);
    }
  } else {
    const auto foreign = std::find_if_not(names.begin(), names.end(),
                                          [](const auto& name) { return is_ours(name); });
    if (!options.force && foreign != names.end()) {
      return fail(Errc::invalid,
                  "{}: is not empty ({}) and holds no sweep; use another --out, or --fresh --force "
                  "to use it all the same",
                  directory, *foreign);
    }
    if (has_manifest) remove_old_runs(directory);
    study.manifest = std::move(asked);
  }
  METE_TRY_VOID(prepare_folder(directory, plan));
  METE_TRY_VOID(save_manifest(directory, study.manifest));
  return study;
}

/// What run() carries from step to step.
struct StudyRunner::Session {
  OpenStudy& study;
  const RunnerOptions& options;
  const StudyProgress& progress;
  std::vector<std::size_t> queue;  ///< points still to be handed over, last first
  std::size_t in_hand = 0;
  std::size_t finished = 0;
  std::int64_t sequence = 0;
  StudyOutcome outcome;
};

void StudyRunner::pause(double seconds) {
  constexpr double kSlice = 0.1;  // s: how soon an interrupt is noticed
  const Nanoseconds end = clock_.now() + from_seconds(seconds);
  while (clock_.now() < end && interrupt_.signal() == 0) {
    clock_.sleep_until(std::min(end, clock_.now() + from_seconds(kSlice)));
  }
}

Result<void> StudyRunner::fill(Session& session) {
  while (!session.queue.empty() && session.in_hand < engine_.capacity()) {
    if (session.outcome.ran > 0 && session.options.pause > 0) pause(session.options.pause);
    if (interrupt_.signal() != 0) {
      session.outcome.interrupted = true;
      session.queue.clear();
      return {};
    }
    const std::size_t index = session.queue.back();
    session.queue.pop_back();
    const PointJob job = job_for(session.study, index);
    // A half-written run of an earlier session must not pass for this one's.
    ::unlink(job.report_path.c_str());
    ::unlink(job.trace_path.c_str());
    METE_TRY_VOID(engine_.submit(job));
    ++session.in_hand;
  }
  return {};
}

Result<void> StudyRunner::record(Session& session, const PointOutcome& outcome) {
  Manifest& manifest = session.study.manifest;
  StudyPoint& point = manifest.points[outcome.index];
  --session.in_hand;
  if (outcome.kind == PointOutcome::Kind::interrupted) {
    session.outcome.interrupted = true;
    return {};
  }
  point.sequence = ++session.sequence;
  point.started = format_wall_time(outcome.started);
  const bool done = outcome.kind == PointOutcome::Kind::done;
  point.status = done ? PointStatus::done : PointStatus::failed;
  point.error = done ? std::string() : outcome.error.what;
  point.runtime = outcome.runtime;
  point.energy = outcome.energy;
  if (done) {
    manifest.source = weakest(manifest.source, outcome.source);
    ++session.finished;
    ++session.outcome.ran;
  } else {
    if (!session.outcome.first_failure) {
      session.outcome.first_failure = outcome.error.within(describe(manifest.plan, point));
    }
    if (!session.options.keep_going) session.queue.clear();
  }
  for (const std::string& warning : outcome.warnings) {
    auto& all = session.outcome.warnings;
    if (std::find(all.begin(), all.end(), warning) == all.end()) all.push_back(warning);
  }
  METE_TRY_VOID(save_manifest(session.study.directory, manifest));
  if (session.progress) {
    session.progress(session.finished, manifest.points.size(), describe(manifest.plan, point));
  }
  return {};
}

Result<StudyOutcome> StudyRunner::run(OpenStudy& study, const RunnerOptions& options,
                                      const StudyProgress& progress) {
  Session session{study, options, progress, {}, 0, 0, 0, {}};
  const auto& points = study.manifest.points;
  for (std::size_t i = points.size(); i-- > 0;) {
    session.sequence = std::max(session.sequence, points[i].sequence);
    if (points[i].status == PointStatus::done) {
      ++session.finished;
    } else {
      session.queue.push_back(i);
    }
  }
  if (progress) progress(session.finished, points.size(), "");
  while (true) {
    METE_TRY_VOID(fill(session));
    if (session.in_hand == 0) break;
    METE_TRY(const auto outcomes, engine_.wait(interrupt_));
    for (const PointOutcome& outcome : outcomes) {
      if (outcome.index >= points.size()) {
        return fail(Errc::internal, "the {} engine names a point that was not asked for",
                    engine_.name());
      }
      METE_TRY_VOID(record(session, outcome));
    }
    if (session.outcome.interrupted) session.queue.clear();
  }
  return session.outcome;
}

}  // namespace mete
