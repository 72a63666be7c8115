// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/evaluate_data.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kForm =
    "expected all, set=NAME or kernel=NAME (* stands for any text), with BOARD: before it for "
    "another board";

/// The board's activity column (kActivityColumns) of each of kResponseActivityNames.
constexpr std::array<std::string_view, kResponseActivities> kColumnOfActivity{
    "sm_active", "dram_active", "fp16_active", "fp32_active", "fp64_active", "tensor_active"};

std::vector<std::string> sets_of(const Board& board) {
  std::set<std::string> sets;
  for (const auto& kernel : board.kernels) sets.insert(kernel.set);
  return {sets.begin(), sets.end()};
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.substr(p).find_first_not_of('*') == std::string_view::npos;
}

bool RowChoice::takes(const BoardKernel& kernel) const {
  return std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
    return matches(condition.second, condition.first == "set" ? kernel.set : kernel.name);
  });
}

Result<RowChoice> parse_rows(std::string_view text, std::string_view option) {
  RowChoice choice;
  choice.text = std::string(text);
  const auto equals = text.find('=');
  const auto colon = text.substr(0, equals).rfind(':');
  if (colon != std::string_view::npos) {
    choice.board = std::string(trim(text.substr(0, colon)));
    text = text.substr(colon + 1);
  }
  if (trim(text) == "all") return choice;
  for (const auto part : split(text, ',')) {
    const auto at = part.find('=');
    const auto key = trim(part.substr(0, at));
    if (at == std::string_view::npos || (key != "set" && key != "kernel")) {
      return fail(Errc::invalid, "{} {}: {}", option, choice.text, kForm);
    }
    choice.conditions.emplace_back(key, trim(part.substr(at + 1)));
  }
  return choice;
}

Result<Board> rows_of(const Board& board, const RowChoice& choice, std::string_view option) {
  Board out = board;
  std::erase_if(out.kernels, [&](const BoardKernel& kernel) { return !choice.takes(kernel); });
  if (out.kernels.empty()) {
    return fail(Errc::invalid, "{} {}: no such rows on board {}; its sets are {}", option,
                choice.text, board.name, join(sets_of(board), ", "));
  }
  return out;
}

std::vector<MeasuredKernel> measured_kernels(const Board& board) {
  std::vector<MeasuredKernel> out;
  for (const auto& kernel : board.kernels) {
    MeasuredKernel one{kernel.name, board.clocks, {}, {}};
    for (const auto& point : kernel.points) {
      one.seconds.push_back(point.seconds);
      one.watts.push_back(point.watts);
    }
    out.push_back(std::move(one));
  }
  return out;
}

ResponseData response_data(const Board& board, const std::string& words) {
  ResponseData data;
  data.source = fmt::format("board {}, {}", board.name, words);
  data.clocks = board.clocks;
  std::array<std::size_t, kResponseActivities> column{};
  for (std::size_t a = 0; a < kResponseActivities; ++a) {
    const auto at =
        std::find(kActivityColumns.begin(), kActivityColumns.end(), kColumnOfActivity[a]);
    column[a] = static_cast<std::size_t>(at - kActivityColumns.begin());
  }
  for (const auto& kernel : board.kernels) {
    ResponseCase one{kernel.name, {}};
    for (const auto& point : kernel.points) {
      ResponsePoint seen{point.seconds, point.watts, {}};
      for (std::size_t a = 0; a < kResponseActivities; ++a) {
        const std::size_t c = column[a];
        const bool has = c < kActivityCount && board.has_activity[c];
        seen.activity[a] = has ? point.activities[c] : std::numeric_limits<double>::quiet_NaN();
      }
      one.points.push_back(seen);
    }
    data.cases.push_back(std::move(one));
  }
  return data;
}

Result<EvaluationData> load_evaluation_data(const std::string& board, std::string_view train,
                                            std::string_view test) {
  METE_TRY(const RowChoice train_rows, parse_rows(train, "--train"));
  METE_TRY(const RowChoice test_rows, parse_rows(test, "--test"));
  if (!test_rows.board.empty() && test_rows.board != board) {
    return fail(Errc::invalid,
                "--test {}: the board under test is {}; only --train may name another", test,
                board);
  }
  METE_TRY(const Board tested, load_board(board));
  EvaluationData data;
  METE_TRY(data.test, rows_of(tested, test_rows, "--test"));
  if (train_rows.board.empty() || train_rows.board == board) {
    METE_TRY(data.train, rows_of(tested, train_rows, "--train"));
  } else {
    METE_TRY(const Board other, load_board(train_rows.board));
    METE_TRY(data.train, rows_of(other, train_rows, "--train"));
  }
  // The same file under another name is the same board.
  if (data.train.name != data.test.name) return data;
  for (const auto& kernel : data.test.kernels) {
    const auto same = [&](const BoardKernel& other) { return other.name == kernel.name; };
    if (std::any_of(data.train.kernels.begin(), data.train.kernels.end(), same)) {
      return fail(Errc::invalid,
                  "{} of board {} is in --train {} and in --test {}: what is tested must not be "
                  "trained on",
                  kernel.name, data.test.name, train, test);
    }
  }
  return data;
}

}  // namespace mete
