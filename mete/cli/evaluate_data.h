// What evaluate trains and tests on: rows of boards, chosen by words like "set=micro". The trainer
// is handed a board that holds the training rows and nothing else.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/learn/response_model.h"
#include "mete/provider/board/board.h"
#include "mete/study/evaluation.h"

namespace mete {

/// "all", "set=micro", "kernel=gemm-float-*,set=gemm", "v100:set=micro": `*` stands for any text;
/// several conditions must all hold; BOARD: names another board than the one under test.
struct RowChoice {
  std::string text;   ///< as it was written, for errors and reports
  std::string board;  ///< "" for the board under test
  std::vector<std::pair<std::string, std::string>> conditions;  ///< key ("set", "kernel"), pattern

  [[nodiscard]] bool takes(const BoardKernel& kernel) const;
};

/// `option` names the option in errors.
Result<RowChoice> parse_rows(std::string_view text, std::string_view option);
/// The board with the chosen kernels only; invalid if there are none (the error lists the sets).
Result<Board> rows_of(const Board& board, const RowChoice& choice, std::string_view option);
/// `*` in the pattern stands for any text, also for none.
bool matches(std::string_view pattern, std::string_view text);

std::vector<MeasuredKernel> measured_kernels(const Board& board);

/// For the trainer of response models. `words` says where the rows are from.
ResponseData response_data(const Board& board, const std::string& words);

struct EvaluationData {
  Board train;
  Board test;
};
/// Loads and splits. Refuses rows that would be in both.
Result<EvaluationData> load_evaluation_data(const std::string& board, std::string_view train,
                                            std::string_view test);

}  // namespace mete
