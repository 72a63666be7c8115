// Reads a training table back, in mete's layout or in the tutorial's eleven-fold one.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/training_table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/dataset/pandas_table.h"
#include "mete/dataset/trace_file.h"

namespace mete {
namespace {

constexpr std::string_view kSuffix = "_training_data";
constexpr std::uint64_t kMostRows = 200'000'000;

class Reader {
 public:
  Reader(const std::string& path, const TrainingReadOptions& options)
      : path_(path), options_(options) {}

  Result<TrainingData> read() {
    hdf5::be_quiet();
    if (!path_exists(path_)) return fail(Errc::invalid, "{}: no such file", path_);
    file_ = hdf5::Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (!file_.ok()) {
      return fail(Errc::invalid, "{}: no HDF5 file; expected one that mete process wrote", path_);
    }
    METE_TRY_VOID(choose_node());
    METE_TRY(PandasTableReader table,
             PandasTableReader::open(file_.id(), path_, data_.node + std::string(kSuffix)));
    data_.source = table.annotation(kSourceAttribute);
    METE_TRY_VOID(find_columns(table));
    METE_TRY_VOID(read_rows(table));
    METE_TRY_VOID(read_choices());
    return std::move(data_);
  }

 private:
  Result<void> choose_node() {
    std::vector<std::string> nodes;
    for (const auto& key : root_keys(file_.id())) {
      if (key.ends_with(kSuffix)) nodes.push_back(key.substr(0, key.size() - kSuffix.size()));
    }
    if (nodes.empty()) {
      return fail(Errc::invalid,
                  "{}: holds no table <node>{}; expected a file that mete process wrote", path_,
                  kSuffix);
    }
    if (!options_.node.empty()) {
      if (std::find(nodes.begin(), nodes.end(), options_.node) == nodes.end()) {
        return fail(Errc::invalid, "{}: holds no table of node {}; there are {}", path_,
                    options_.node, join(nodes, ", "));
      }
      data_.node = options_.node;
      return {};
    }
    if (nodes.size() > 1) {
      return fail(Errc::invalid, "{}: holds tables of {} nodes ({}); choose one with --node", path_,
                  nodes.size(), join(nodes, ", "));
    }
    data_.node = nodes.front();
    return {};
  }

  /// The column of a signal of the first part, by whichever name.
  [[nodiscard]] const TableColumn* feature(const PandasTableReader& table,
                                           std::string_view signal) const {
    const bool gpu = data_.kind->domain == Domain::gpu;
    for (const Domain domain :
         {data_.kind->domain, gpu ? Domain::gpu_chip : data_.kind->domain, Domain::board}) {
      for (const auto& column : table.columns()) {
        if (column.type == CellType::text) continue;
        const auto described = describe_column(column.name);
        if (described.signal == signal && described.domain == domain && described.index == 0) {
          return &column;
        }
      }
    }
    return nullptr;
  }

  Result<void> find_columns(const PandasTableReader& table) {
    const auto required = [&](std::string_view name) -> Result<const TableColumn*> {
      if (const auto* column = table.find(name)) return column;
      return fail(Errc::invalid, "{}: {}{}: no column {}; expected a table that mete process wrote",
                  path_, data_.node, kSuffix, name);
    };
    METE_TRY(app_, required(column::kAppConfig));
    METE_TRY(roi_, required(column::kIsRoi));
    METE_TRY(trial_, required(column::kTrial));
    for (const TrainingKind* kind : kTrainingKinds) {
      if (table.find(kind->frequency_column) == nullptr) continue;
      data_.kind = kind;
      break;
    }
    METE_TRY(frequency_, required(data_.kind->frequency_column));
    phi_ = table.find(column::kPhi);
    phi_frequency_ = table.find(column::kPhiFrequency);
    for (std::size_t step = 0; step < kPhiSteps; ++step) {
      weights_.push_back(table.find(column::energy_weight(step)));
    }
    for (std::size_t f = 0; f < kFeatureCount; ++f) {
      features_[f] = feature(table, data_.kind->features[f]);
      if (features_[f] == nullptr) {
        return fail(
            Errc::invalid,
            "{}: {}{}: no column {} of {} 0 under any of its names; record it with --signals "
            "and process again",
            path_, data_.node, kSuffix, data_.kind->features[f], data_.kind->noun);
      }
      data_.feature_columns[f] = features_[f]->name;
    }
    return {};
  }

  std::uint32_t app_index(const std::byte* row) {
    const std::string name(text_cell(row, *app_));
    if (name == last_app_ && !data_.app_configs.empty()) return last_index_;
    const auto [it, fresh] =
        app_indices_.try_emplace(name, static_cast<std::uint32_t>(data_.app_configs.size()));
    if (fresh) {
      data_.app_configs.push_back(name);
      data_.choices.emplace_back();
      row_choices_.emplace_back();
      remember_weights(row);
    }
    last_app_ = name;
    last_index_ = it->second;
    return last_index_;
  }

  void remember_weights(const std::byte* row) {
    for (std::size_t step = 0; step < kPhiSteps; ++step) {
      if (weights_[step] == nullptr) continue;
      const double frequency = number_cell(row, *weights_[step]);
      if (frequency > 0) row_choices_.back()[static_cast<double>(step * 10) / 100.0] = frequency;
    }
  }

  Result<void> read_rows(PandasTableReader& table) {
    if (table.rows() > kMostRows) {
      return fail(Errc::invalid, "{}: {} rows are more than can be held in memory", path_,
                  table.rows());
    }
    std::optional<double> first_phi;
    while (true) {
      METE_TRY(const auto block, table.next());
      if (block.empty()) return {};
      for (std::size_t at = 0; at < block.size(); at += table.row_bytes()) {
        const std::byte* row = block.data() + at;
        const auto app = app_index(row);
        if (phi_ != nullptr && phi_frequency_ != nullptr) {
          const double phi = number_cell(row, *phi_);
          const double frequency = number_cell(row, *phi_frequency_);
          if (frequency > 0 && std::isfinite(phi)) row_choices_[app][phi] = frequency;
          if (!first_phi) first_phi = phi;
          if (phi != *first_phi) continue;  // a copy of a row already read
        }
        const bool roi = number_cell(row, *roi_) != 0;
        if (options_.roi_only && !roi) continue;
        add_row(row, app, roi);
      }
    }
  }

  void add_row(const std::byte* row, std::uint32_t app, bool roi) {
    data_.app_config.push_back(app);
    data_.is_roi.push_back(roi ? 1 : 0);
    data_.trial.push_back(static_cast<std::int64_t>(number_cell(row, *trial_)));
    data_.asked_clock.push_back(number_cell(row, *frequency_));
    for (std::size_t f = 0; f < kFeatureCount; ++f) {
      data_.features[f].push_back(number_cell(row, *features_[f]));
    }
  }

  /// From the small table if there is one, else from what the rows said.
  Result<void> read_choices() {
    const std::string key = data_.node + "_phi_frequency";
    if (H5Lexists(file_.id(), key.c_str(), H5P_DEFAULT) > 0) METE_TRY_VOID(read_choice_table(key));
    for (std::size_t app = 0; app < data_.choices.size(); ++app) {
      for (const auto& [phi, frequency] : row_choices_[app]) {
        data_.choices[app].push_back({phi, frequency});
      }
    }
    return {};
  }

  Result<void> read_choice_table(const std::string& key) {
    METE_TRY(PandasTableReader table, PandasTableReader::open(file_.id(), path_, key));
    const auto* app = table.find(column::kAppConfig);
    const auto* phi = table.find(column::kPhi);
    const auto* frequency = table.find(column::kPhiFrequency);
    if (app == nullptr || phi == nullptr || frequency == nullptr) {
      return fail(Errc::invalid, "{}: {}: expected columns {}, {} and {}", path_, key,
                  column::kAppConfig, column::kPhi, column::kPhiFrequency);
    }
    while (true) {
      METE_TRY(const auto block, table.next());
      if (block.empty()) return {};
      for (std::size_t at = 0; at < block.size(); at += table.row_bytes()) {
        const std::byte* row = block.data() + at;
        const auto found = app_indices_.find(std::string(text_cell(row, *app)));
        if (found != app_indices_.end()) {
          row_choices_[found->second][number_cell(row, *phi)] = number_cell(row, *frequency);
        }
      }
    }
  }

  const std::string& path_;
  const TrainingReadOptions& options_;
  hdf5::Handle file_;
  TrainingData data_;
  const TableColumn* app_ = nullptr;
  const TableColumn* roi_ = nullptr;
  const TableColumn* trial_ = nullptr;
  const TableColumn* frequency_ = nullptr;
  const TableColumn* phi_ = nullptr;
  const TableColumn* phi_frequency_ = nullptr;
  std::vector<const TableColumn*> weights_;
  std::array<const TableColumn*, kFeatureCount> features_{};
  std::unordered_map<std::string, std::uint32_t> app_indices_;
  std::vector<std::map<double, double>> row_choices_;  ///< per app-config: phi → clock
  std::string last_app_;
  std::uint32_t last_index_ = 0;
};

}  // namespace

Result<TrainingData> read_training_table(const std::string& path,
                                         const TrainingReadOptions& options) {
  return Reader(path, options).read();
}

}  // namespace mete
