// From folders of reports and traces to one training table. Three passes: reports (which clock each
// goal would have chosen), the two ends of every trace (region of interest, columns, the clock it
// really ran at), then all rows. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include <sys/stat.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/dataset/clock_choice.h"
#include "mete/dataset/row_pipeline.h"
#include "mete/dataset/run_figures.h"
#include "mete/dataset/table_output.h"
#include "mete/dataset/training_table.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class Process {
 public:
  Process(const ProcessOptions& options, const ProcessProgress& progress,
          const Interrupt* interrupt)
      : options_(options), progress_(progress), interrupt_(interrupt) {}

  Result<ProcessSummary> run() {
    METE_TRY(SweepIndex index, index_sweeps(options_));
    summary_.kind = index.kind;
    summary_.node = index.node;
    summary_.problems = std::move(index.problems);
    summary_.notes = std::move(index.notes);
    app_configs_ = std::move(index.app_configs);
    METE_TRY_VOID(look_at(std::move(index.runs)));
    if (runs_.empty()) {
      return fail(Errc::invalid, "no run can be used: {}{}", summary_.problems.front(),
                  summary_.problems.size() > 1
                      ? fmt::format(" (and {} more)", summary_.problems.size() - 1)
                      : std::string());
    }
    if (summary_.node.empty()) summary_.node = "node";
    choose();
    METE_TRY_VOID(write());
    summarise();
    return std::move(summary_);
  }

 private:
  [[nodiscard]] Result<void> stop_if_asked() const {
    if (interrupt_ != nullptr && interrupt_->signal() != 0) {
      return fail(Errc::failed, "interrupted; {} is as it was before", options_.output);
    }
    return {};
  }

  /// What the files of one run said.
  struct Look {
    std::optional<Result<TimeAndEnergy>> figures;
    std::optional<Result<RoiScan>> roi;
    double trace_bytes = 0;
  };

  /// Reads every report and the ends of every trace, several runs at once; what cannot be used is
  /// told, in the order of the runs, and left out.
  Result<void> look_at(std::vector<SweepRun> found) {
    std::vector<Look> looks(found.size());
    std::atomic<std::size_t> done{0};
    std::atomic<const RoiScan*> seen{nullptr};  // some trace's, for those that are like it
    METE_TRY_VOID(for_each_item(
        found.size(), thread_count(options_.jobs, found.size()),
        [&](std::size_t i) {
          const RoiScan* like = seen.load(std::memory_order_acquire);
          looks[i] = look_at_files(found[i], like);
          if (like == nullptr && looks[i].roi && *looks[i].roi) {
            seen.store(&**looks[i].roi, std::memory_order_release);
          }
          ++done;
        },
        [&] {
          if (progress_ && done < found.size()) {
            progress_(0, 1, fmt::format("looking at run {} of {}", done + 1, found.size()));
          }
          return stop_if_asked();
        }));
    for (std::size_t i = 0; i < found.size(); ++i) take(std::move(found[i]), std::move(looks[i]));
    return {};
  }

  /// Called on several threads at once.
  [[nodiscard]] Look look_at_files(const SweepRun& run, const RoiScan* like) const {
    Look look;
    if (!run.report.empty())
      look.figures = read_time_and_energy(run.report, summary_.node, *summary_.kind);
    if (!run.trace.empty()) {
      look.roi = scan_roi(run.trace, *summary_.kind,
                          like == nullptr ? std::span<const TraceColumn>() : like->columns);
      struct stat status{};
      if (::stat(run.trace.c_str(), &status) == 0) {
        look.trace_bytes = static_cast<double>(status.st_size);
      }
    }
    return look;
  }

  void take(SweepRun sweep_run, Look look) {
    UsableRun run;
    run.run = std::move(sweep_run);
    const auto app = std::find(app_configs_.begin(), app_configs_.end(), run.run.app_config);
    run.app_config = static_cast<std::size_t>(app - app_configs_.begin());
    if (look.figures) {
      if (*look.figures) {
        run.figures = std::move(**look.figures);
      } else {
        summary_.problems.push_back(look.figures->error().what);
        run.run.report.clear();
      }
    }
    if (look.roi) take_roi(run, std::move(*look.roi), look.trace_bytes);
    const bool usable = !run.run.report.empty() || !run.run.trace.empty();
    if (usable && clock_is_true(run)) runs_.push_back(std::move(run));
  }

  void take_roi(UsableRun& run, Result<RoiScan> roi, double trace_bytes) {
    if (!roi) {
      summary_.problems.push_back(roi.error().what);
      run.run.trace.clear();
      return;
    }
    run.roi = std::move(*roi);
    if (!run.roi.found) {
      summary_.problems.push_back(
          fmt::format("{}: {} 0 was never active above {}: no row is in the region of interest",
                      run.run.trace, summary_.kind->noun, summary_.kind->active_above));
    }
    bytes_ += trace_bytes;
  }

  /// Names have lied about units: the clock they tell must be near the one that was measured while
  /// the GPU was active.
  bool clock_is_true(const UsableRun& run) {
    double measured = run.roi.found ? run.roi.clock : kNaN;
    // A report's mean includes idle time at low clocks: it can only show that the clock was higher
    // than named.
    const bool only_mean = !(measured > 0);
    if (only_mean) measured = run.figures ? run.figures->clock : kNaN;
    if (!(measured > 0)) return true;
    const double asked = run.run.frequency;
    if (measured <= 2 * asked && (only_mean || asked <= 2 * measured)) return true;
    const std::string& file = run.run.trace.empty() ? run.run.report : run.run.trace;
    summary_.problems.push_back(fmt::format("{}: is named for a {} clock of {}, but ran at {}; {}",
                                            file, summary_.kind->noun, format_quantity(asked, "Hz"),
                                            format_quantity(measured, "Hz"),
                                            options_.compat ? "used as named, as the tutorial does"
                                                            : "left out: correct the name's unit"));
    return options_.compat;
  }

  void choose() {
    std::vector<RunFigures> figures;
    std::vector<UsableRun*> owners;
    for (auto& run : runs_) {
      if (run.figures) owners.push_back(&run);
    }
    std::sort(owners.begin(), owners.end(), [](const UsableRun* a, const UsableRun* b) {
      return std::tie(a->run.directory, a->run.report) < std::tie(b->run.directory, b->run.report);
    });
    for (const auto* run : owners) {
      figures.push_back({run->app_config, run->run.directory, run->run.frequency,
                         run->figures->runtime, run->figures->energy, kNaN, kNaN});
    }
    choices_ = options_.compat ? choose_clocks_as_tutorial(figures, app_configs_.size())
                               : choose_clocks(figures, app_configs_.size());
    for (std::size_t i = 0; i < owners.size(); ++i) owners[i]->relative = figures[i];
    check_energy_sources();
  }

  /// Energies of one GPU and of all of them must not be weighed against each other.
  void check_energy_sources() {
    for (std::size_t app = 0; app < app_configs_.size(); ++app) {
      const UsableRun* first = nullptr;
      for (const auto& run : runs_) {
        if (run.app_config != app || !run.figures) continue;
        if (first == nullptr) first = &run;
        if (run.figures->energy_source != first->figures->energy_source) {
          summary_.problems.push_back(fmt::format(
              "{}: its energy is {}, but that of {} is {}: the choice for {} mixes them",
              run.run.report, run.figures->energy_source, first->run.report,
              first->figures->energy_source, app_configs_[app]));
          break;
        }
      }
    }
  }

  Result<void> write() {
    TableInput input{*summary_.kind, options_, summary_.node, app_configs_, runs_, choices_};
    TableWatch watch;
    watch.bytes = bytes_;
    watch.progress = progress_;
    watch.stop_if_asked = [this] { return stop_if_asked(); };
    METE_TRY(counts_, write_training_file(input, watch));
    for (auto& problem : counts_.problems) summary_.problems.push_back(std::move(problem));
    return {};
  }

  void summarise() {
    summary_.runs = runs_.size();
    summary_.replayed = std::any_of(runs_.begin(), runs_.end(),
                                    [](const UsableRun& run) { return run.roi.replayed; });
    if (summary_.replayed) {
      summary_.notes.emplace_back(
          "replayed from a board: what is learned from it is about that board");
    }
    summary_.trace_rows = counts_.trace_rows;
    summary_.rows = counts_.rows;
    summary_.bytes_read = counts_.bytes_read;
    struct stat status{};
    if (::stat(options_.output.c_str(), &status) == 0) {
      summary_.bytes_written = static_cast<std::uint64_t>(status.st_size);
    }
    for (std::size_t app = 0; app < app_configs_.size(); ++app) {
      AppConfigSummary s;
      s.name = app_configs_[app];
      for (std::size_t i = 0; i < runs_.size(); ++i) {
        if (runs_[i].app_config != app) continue;
        ++s.runs;
        s.rows += counts_.per_run[i].rows;
        s.roi_rows += counts_.per_run[i].roi_rows;
        if (runs_[i].figures) s.frequencies.push_back(runs_[i].run.frequency);
      }
      std::sort(s.frequencies.begin(), s.frequencies.end());
      s.frequencies.erase(std::unique(s.frequencies.begin(), s.frequencies.end()),
                          s.frequencies.end());
      s.choices = choices_[app].choices;
      if (s.frequencies.size() < 2) {
        summary_.notes.push_back(fmt::format(
            "{}: {}; no choice of clock can be learned from it; sweep more clocks", s.name,
            s.frequencies.empty()
                ? "no report that can be used"
                : fmt::format("only one clock ({})", format_quantity(s.frequencies[0], "Hz"))));
      }
      summary_.app_configs.push_back(std::move(s));
    }
  }

  const ProcessOptions& options_;
  const ProcessProgress& progress_;
  const Interrupt* interrupt_;
  ProcessSummary summary_;
  std::vector<std::string> app_configs_;
  std::vector<UsableRun> runs_;
  std::vector<GoalClocks> choices_;
  TableCounts counts_;
  double bytes_ = 0;
};

}  // namespace

std::string column::energy_weight(std::size_t step) {
  return "energy_weight" + std::to_string(step * 10);
}

Result<ProcessSummary> process_sweeps(const ProcessOptions& options,
                                      const ProcessProgress& progress, const Interrupt* interrupt) {
  if (options.output.empty()) return fail(Errc::invalid, "no output file given; -o FILE.h5");
  return Process(options, progress, interrupt).run();
}

}  // namespace mete
