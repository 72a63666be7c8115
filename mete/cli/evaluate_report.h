// What evaluate tells: for people, and as JSON. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/cli/evaluate_work.h"

namespace mete {

struct EvaluateHeading {
  std::string board;
  std::string agent;
  std::string train;
  std::string test;
  std::string sensor;
  std::vector<std::string> hidden;
  std::size_t repeats = 1;
  std::vector<EvaluationGoal> goals;
  std::size_t train_kernels = 0;
  std::size_t test_kernels = 0;
};

Json evaluation_json(const EvaluateHeading& heading, const EvaluationResult& result);
std::string evaluation_text(const EvaluateHeading& heading, const EvaluationResult& result);

Json program_json(const EvaluateHeading& heading, const std::string& program,
                  const std::vector<ProgramArm>& arms);
std::string program_text(const EvaluateHeading& heading, const std::string& program,
                         const std::vector<ProgramArm>& arms);

}  // namespace mete
