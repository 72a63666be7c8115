// Models of linear programs, and the bound that any prices prove.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/lp.h"

#include <cmath>

namespace mete {

int LpBuilder::add_column(double cost, double lower, double upper) {
  model_.cost.push_back(cost);
  model_.lower.push_back(lower);
  model_.upper.push_back(upper);
  return static_cast<int>(model_.columns()) - 1;
}

int LpBuilder::add_row(double lower, double upper) {
  model_.row_lower.push_back(lower);
  model_.row_upper.push_back(upper);
  return static_cast<int>(model_.rows()) - 1;
}

void LpBuilder::add(int row, int column, double value) {
  if (value != 0) entries_.push_back({row, column, value});
}

void LpBuilder::add_cost(int column, double cost) {
  model_.cost[static_cast<std::size_t>(column)] += cost;
}

void LpBuilder::set_row_lower(int row, double lower) {
  model_.row_lower[static_cast<std::size_t>(row)] = lower;
}

LpModel LpBuilder::finish() {
  const std::size_t columns = model_.columns();
  std::vector<std::size_t> next(columns + 1, 0);
  for (const auto& entry : entries_) ++next[static_cast<std::size_t>(entry.column) + 1];
  for (std::size_t c = 0; c < columns; ++c) next[c + 1] += next[c];
  std::vector<Entry> sorted(entries_.size());
  for (const auto& entry : entries_) sorted[next[static_cast<std::size_t>(entry.column)]++] = entry;
  // Entries given twice are added up: the library wants each once.
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> at(model_.rows(), kNone);
  model_.start.assign(1, 0);
  std::size_t e = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t begin = model_.row.size();
    for (; e < sorted.size() && static_cast<std::size_t>(sorted[e].column) == c; ++e) {
      auto& place = at[static_cast<std::size_t>(sorted[e].row)];
      if (place != kNone && place >= begin) {
        model_.value[place] += sorted[e].value;
        continue;
      }
      place = model_.row.size();
      model_.row.push_back(sorted[e].row);
      model_.value.push_back(sorted[e].value);
    }
    model_.start.push_back(static_cast<int>(model_.row.size()));
  }
  entries_.clear();
  return std::move(model_);
}

double proven_bound(const LpModel& model, std::span<const double> row_price) {
  // min c·x ≥ Σ_i min over the row's range of y_i r_i + Σ_j min over the column's of (c - yA)_j x_j
  std::vector<double> price(row_price.begin(), row_price.end());
  double bound = 0;
  for (std::size_t i = 0; i < model.rows(); ++i) {
    const double side = price[i] > 0 ? model.row_lower[i] : model.row_upper[i];
    if (std::abs(side) == kLpInfinity || !std::isfinite(price[i])) {
      price[i] = 0;  // a price of the wrong sign, by rounding: it proves nothing
    } else {
      bound += price[i] * side;
    }
  }
  for (std::size_t j = 0; j < model.columns(); ++j) {
    double reduced = model.cost[j];
    for (auto e = static_cast<std::size_t>(model.start[j]);
         e < static_cast<std::size_t>(model.start[j + 1]); ++e) {
      reduced -= model.value[e] * price[static_cast<std::size_t>(model.row[e])];
    }
    bound += reduced * (reduced > 0 ? model.lower[j] : model.upper[j]);
  }
  return bound;
}

}  // namespace mete
