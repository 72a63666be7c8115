// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/table_output.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <tuple>

#include "mete/base/files.h"
#include "mete/dataset/pandas_table.h"
#include "mete/dataset/row_pipeline.h"
#include "mete/dataset/row_stage.h"
#include "mete/dataset/trace_rows.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// What is read at a time stays, with the rows made of it, in a core's own cache.
constexpr std::size_t kReadBytes = std::size_t{1} << 16U;
constexpr std::size_t kRowsBetweenLooks = 8192;
constexpr std::size_t kRowsPerCopy = 1024;

TableColumn number(std::string_view name) { return {std::string(name), CellType::float64, 8, 0}; }
TableColumn integer(std::string_view name) { return {std::string(name), CellType::int64, 8, 0}; }
TableColumn flag(std::string_view name) { return {std::string(name), CellType::boolean, 1, 0}; }
TableColumn text(std::string_view name, std::size_t width) {
  return {std::string(name), CellType::text, width, 0};
}

std::size_t longest(const std::vector<std::string>& names) {
  std::size_t width = 1;
  for (const auto& name : names) width = std::max(width, name.size());
  return width;
}

class Output {
 public:
  Output(const TableInput& input, const TableWatch& watch, hdf5::OutputFile& file)
      : input_(input), watch_(watch), file_(file), union_(!input.options.compat) {}

  Result<TableCounts> write() {
    counts_.per_run.resize(input_.runs.size());
    gather_columns();
    METE_TRY_VOID(write_rows());
    return std::move(counts_);
  }

 private:
  [[nodiscard]] std::string key(std::string_view suffix) const {
    return input_.node + std::string(suffix);
  }
  [[nodiscard]] TraceOptions trace_options(const UsableRun& run) const {
    return {.absolute = !input_.options.compat,
            .block_bytes = kReadBytes,
            .known_columns = run.roi.columns};
  }

  /// Runs whose traces are read, in the order of their rows.
  void gather_columns() {
    for (std::size_t i = 0; i < input_.runs.size(); ++i) {
      if (!input_.runs[i].run.trace.empty()) order_.push_back(i);
    }
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      const auto& x = input_.runs[a].run;
      const auto& y = input_.runs[b].run;
      return std::tie(x.directory, x.trace) < std::tie(y.directory, y.trace);
    });
    for (const auto i : order_) union_.add(input_.runs[i].roi.columns);
  }

  [[nodiscard]] std::vector<TableColumn> row_columns() const {
    auto columns = union_.table_columns();
    columns.push_back(text(column::kNode, input_.node.size()));
    columns.push_back(integer(column::kAppIndex));
    columns.push_back(number(input_.kind.frequency_column));
    columns.push_back(integer(column::kTrial));
    columns.push_back(text(column::kAppConfig, longest(input_.app_configs)));
    columns.push_back(flag(column::kIsRoi));
    columns.push_back(number(input_.kind.min_energy_column));
    for (std::size_t step = 0; step < kPhiSteps; ++step)
      columns.push_back(number(column::energy_weight(step)));
    if (input_.options.compat) {
      columns.push_back(number(column::kPhi));
      columns.push_back(number(column::kPhiFrequency));
    }
    return columns;
  }

  Result<void> write_rows() {
    METE_TRY(PandasTableWriter table,
             PandasTableWriter::create(file_, key("_training_data"), row_columns(),
                                       input_.options.compression));
    if (input_.options.compat) {
      METE_TRY_VOID(write_replicated(table));
    } else {
      const auto meanwhile = [this] { return write_small_tables(); };
      METE_TRY_VOID(read_traces(order_, table.columns(), table.row_bytes(), table, meanwhile));
    }
    counts_.rows = table.rows();
    const bool replayed = std::any_of(input_.runs.begin(), input_.runs.end(),
                                      [](const UsableRun& run) { return run.roi.replayed; });
    METE_TRY_VOID(table.annotate(kSourceAttribute, replayed ? "replayed" : "measured"));
    return table.finish();
  }

  /// The tutorial's rows: folder by folder, eleven copies of each one's, one per phi.
  Result<void> write_replicated(PandasTableWriter& table) {
    const std::span<const std::size_t> all(order_);
    for (std::size_t from = 0; from < all.size();) {
      const auto folder = input_.runs[all[from]].run.directory;
      std::size_t to = from;
      while (to < all.size() && input_.runs[all[to]].run.directory == folder) ++to;
      RowStage stage(file_.path(), table.row_bytes());
      METE_TRY_VOID(read_traces(all.subspan(from, to - from), table.columns(), table.row_bytes(),
                                stage, [] { return Result<void>(); }));
      METE_TRY_VOID(write_copies(stage, table));
      from = to;
    }
    return {};
  }

  Result<void> write_copies(RowStage& stage, PandasTableWriter& table) const {
    const auto& phi = table.column(column::kPhi);
    const auto& phi_frequency = table.column(column::kPhiFrequency);
    for (std::size_t step = 0; step < kPhiSteps; ++step) {
      const auto& chosen = table.column(column::energy_weight(step));
      if (watch_.progress) {
        watch_.progress(watch_.bytes, watch_.bytes,
                        fmt::format("copy {} of {}", step + 1, kPhiSteps));
      }
      for (std::uint64_t at = 0; at < stage.rows();) {
        METE_TRY_VOID(watch_.stop_if_asked());
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(kRowsPerCopy, stage.rows() - at));
        METE_TRY(std::byte* const rows, stage.rows(at, count));
        for (std::size_t i = 0; i < count; ++i) {
          std::byte* row = rows + i * table.row_bytes();
          put_cell(row, phi, static_cast<double>(step * 10) / 100.0);
          std::memcpy(row + phi_frequency.offset, row + chosen.offset, sizeof(double));
        }
        METE_TRY_VOID(table.add_rows(rows, count));
        at += count;
      }
    }
    return {};
  }

  /// The rows of the traces of `runs`, in that order, into `to`; `meanwhile` is called once, while
  /// other threads read their first rows.
  template <class Sink, class Meanwhile>
  Result<void> read_traces(std::span<const std::size_t> runs,
                           const std::vector<TableColumn>& columns, std::size_t row_bytes, Sink& to,
                           const Meanwhile& meanwhile) {
    std::vector<TraceOutcome> outcomes(runs.size());
    const std::size_t threads = thread_count(input_.options.jobs, runs.size());
    RowPipeline pipeline(runs.size(), row_bytes, [&](std::size_t k, RowPipeline::Sink& sink) {
      return write_trace(columns, runs[k], sink, outcomes[k],
                         [](const TraceFile&) { return Result<void>(); });
    });
    const bool threaded = threads > 1 && pipeline.start(threads);
    METE_TRY_VOID(meanwhile());
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const auto& run = input_.runs[runs[k]];
      if (threaded) {
        METE_TRY_VOID(look_up(0, run));
        METE_TRY_VOID(drain(pipeline, k, row_bytes, to));
      } else {
        METE_TRY_VOID(write_trace(columns, runs[k], to, outcomes[k], [&](const TraceFile& trace) {
          return look_up(trace.bytes_read(), run);
        }));
      }
      take(runs[k], outcomes[k]);
    }
    return {};
  }

  template <class Sink>
  Result<void> drain(RowPipeline& pipeline, std::size_t k, std::size_t row_bytes, Sink& to) const {
    while (true) {
      METE_TRY(std::optional<RowPipeline::Block> block, pipeline.next(k));
      if (!block) return {};
      METE_TRY_VOID(watch_.stop_if_asked());
      METE_TRY_VOID(to.add_rows(block->bytes.get(), block->used / row_bytes));
      pipeline.recycle(std::move(*block));
    }
  }

  /// The cells that all rows of a run have in common.
  std::vector<std::byte> common_cells(const std::vector<TableColumn>& columns,
                                      const UsableRun& run) const {
    std::vector<std::byte> row(columns.back().offset + columns.back().width);
    const std::size_t traced = union_.table_columns().size();
    RowCopier::clear(row.data(), columns, traced);
    const auto& choice = input_.choices[run.app_config];
    const auto index = input_.options.compat ? run.run.directory : run.app_config;
    std::size_t c = traced;
    put_cell(row.data(), columns[c++], std::string_view(input_.node));
    put_cell(row.data(), columns[c++], static_cast<std::int64_t>(index));
    put_cell(row.data(), columns[c++], run.run.frequency);
    put_cell(row.data(), columns[c++], run.run.trial);
    put_cell(row.data(), columns[c++], std::string_view(run.run.app_config));
    put_cell(row.data(), columns[c++], std::int64_t{0});
    put_cell(row.data(), columns[c++], choice.min_energy_frequency);
    for (std::size_t step = 0; step < kPhiSteps; ++step) {
      put_cell(row.data(), columns[c++],
               choice.choices.empty() ? kNaN : choice.choices[step].frequency);
    }
    return row;
  }

  /// What reading one trace gave besides its rows.
  struct TraceOutcome {
    TableCounts::PerRun count;
    std::uint64_t bytes_read = 0;
    std::vector<std::string> problems;
  };

  /// Reads one trace's rows into the sink; called on several threads at once.
  template <class Sink, class Look>
  Result<void> write_trace(const std::vector<TableColumn>& columns, std::size_t run_index,
                           Sink& sink, TraceOutcome& outcome, const Look& look) const {
    const auto& run = input_.runs[run_index];
    METE_TRY(TraceFile trace, TraceFile::open(run.run.trace, trace_options(run)));
    RowCopier copier(trace, union_, columns);
    const auto common = common_cells(columns, run);
    const auto& roi_column =
        *std::find_if(columns.begin(), columns.end(),
                      [](const TableColumn& c) { return c.name == column::kIsRoi; });
    // Cells that the trace itself fills need not be filled before.
    const std::size_t from = copier.fills_all() ? columns[union_.size()].offset : 0;
    auto& count = outcome.count;
    while (trace.next()) {
      if (count.rows % kRowsBetweenLooks == 0) METE_TRY_VOID(look(trace));
      std::byte* row = sink.row();
      std::memcpy(row + from, common.data() + from, common.size() - from);
      copier.copy(row);
      const auto at = trace.row_offset();
      if (run.roi.found && at >= run.roi.first_row && at <= run.roi.last_row) {
        row[roi_column.offset] = std::byte{1};
        ++count.roi_rows;
      }
      ++count.rows;
      METE_TRY_VOID(sink.add_row());
    }
    outcome.bytes_read = trace.bytes_read();
    if (auto problem = trace.problem(); !problem.empty())
      outcome.problems.push_back(std::move(problem));
    if (!copier.problem().empty()) outcome.problems.push_back(copier.problem());
    if (count.rows == 0) outcome.problems.push_back(run.run.trace + ": has no complete row");
    return {};
  }

  void take(std::size_t run_index, TraceOutcome& outcome) {
    counts_.per_run[run_index] = outcome.count;
    counts_.trace_rows += outcome.count.rows;
    counts_.bytes_read += outcome.bytes_read;
    for (auto& problem : outcome.problems) counts_.problems.push_back(std::move(problem));
  }

  [[nodiscard]] Result<void> look_up(std::uint64_t bytes, const UsableRun& run) const {
    METE_TRY_VOID(watch_.stop_if_asked());
    if (watch_.progress) {
      watch_.progress(static_cast<double>(counts_.bytes_read + bytes), watch_.bytes,
                      base_name(run.run.trace));
    }
    return {};
  }

  Result<void> write_small_tables() {
    METE_TRY_VOID(write_choices());
    return write_runs();
  }

  Result<void> write_choices() {
    METE_TRY(PandasTableWriter table,
             PandasTableWriter::create(file_, key("_phi_frequency"),
                                       {text(column::kAppConfig, longest(input_.app_configs)),
                                        number(column::kPhi), number(column::kPhiFrequency)}));
    const auto& columns = table.columns();
    for (std::size_t app = 0; app < input_.app_configs.size(); ++app) {
      for (const auto& choice : input_.choices[app].choices) {
        put_cell(table.row(), columns[0], std::string_view(input_.app_configs[app]));
        put_cell(table.row(), columns[1], choice.phi);
        put_cell(table.row(), columns[2], choice.frequency);
        METE_TRY_VOID(table.add_row());
      }
    }
    return table.finish();
  }

  Result<void> write_runs() {
    std::size_t report = 1;
    std::size_t trace = 1;
    for (const auto& run : input_.runs) {
      report = std::max(report, run.run.report.size());
      trace = std::max(trace, run.run.trace.size());
    }
    METE_TRY(PandasTableWriter table,
             PandasTableWriter::create(
                 file_, key("_runs"),
                 {text(column::kAppConfig, longest(input_.app_configs)),
                  number(input_.kind.frequency_column), integer(column::kTrial), number("runtime"),
                  number("energy"), number("runtime-vs-maxfreq"), number("energy-vs-max"),
                  text("report", report), text("trace", trace)}));
    const auto& c = table.columns();
    for (const auto& run : input_.runs) {
      std::byte* row = table.row();
      const bool told = run.figures.has_value();
      put_cell(row, c[0], std::string_view(run.run.app_config));
      put_cell(row, c[1], run.run.frequency);
      put_cell(row, c[2], run.run.trial);
      put_cell(row, c[3], told ? run.figures->runtime : kNaN);
      put_cell(row, c[4], told ? run.figures->energy : kNaN);
      put_cell(row, c[5], told ? run.relative.runtime_vs_best : kNaN);
      put_cell(row, c[6], told ? run.relative.energy_vs_top : kNaN);
      put_cell(row, c[7], std::string_view(run.run.report));
      put_cell(row, c[8], std::string_view(run.run.trace));
      METE_TRY_VOID(table.add_row());
    }
    return table.finish();
  }

  const TableInput& input_;
  const TableWatch& watch_;
  hdf5::OutputFile& file_;
  ColumnUnion union_;
  std::vector<std::size_t> order_;
  TableCounts counts_;
};

}  // namespace

Result<TableCounts> write_training_file(const TableInput& input, const TableWatch& watch) {
  METE_TRY(hdf5::OutputFile file, hdf5::OutputFile::create(input.options.output));
  METE_TRY(TableCounts counts, Output(input, watch, file).write());
  METE_TRY_VOID(file.commit());
  return counts;
}

}  // namespace mete
