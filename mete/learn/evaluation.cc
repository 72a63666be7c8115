// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/evaluation.h"

#include <algorithm>
#include <cmath>

namespace mete {
namespace {

constexpr double kGiga = 1e9;
constexpr std::size_t kBlock = 1024;

std::size_t nearest_index(const std::vector<double>& clocks, double clock) {
  const auto above = std::lower_bound(clocks.begin(), clocks.end(), clock);
  if (above == clocks.begin()) return 0;
  const auto index = static_cast<std::size_t>(above - clocks.begin());
  if (above == clocks.end()) return index - 1;
  return *above - clock < clock - clocks[index - 1] ? index : index - 1;
}

}  // namespace

Json Evaluation::to_json() const {
  return Json::object({{"examples", examples},
                       {"mean_error_hz", mean_error},
                       {"share_within_a_clock_step", within_a_step},
                       {"share_equal_to_0.1_ghz", rounded_equal},
                       {"mean_error_of_a_constant_hz", guess_error}});
}

Result<Evaluation> evaluate(const Examples& examples, const Predictor& predict,
                            const std::vector<double>& clocks, double guess, const Tick& tick) {
  Evaluation result;
  result.examples = examples.size();
  std::vector<float> inputs(kBlock * kClockModelInputs);
  std::vector<float> targets(kBlock);
  std::vector<float> outputs(kBlock);
  for (std::size_t first = 0; first < examples.size(); first += kBlock) {
    const std::size_t n = std::min(kBlock, examples.size() - first);
    for (std::size_t i = 0; i < n; ++i) {
      targets[i] = examples.fill(
          first + i, std::span(inputs).subspan(i * kClockModelInputs, kClockModelInputs));
    }
    METE_TRY_VOID(
        predict(std::span(inputs).first(n * kClockModelInputs), std::span(outputs).first(n)));
    for (std::size_t i = 0; i < n; ++i) {
      const auto output = static_cast<double>(outputs[i]);
      const auto target = static_cast<double>(targets[i]);
      result.mean_error += std::abs(output - target) * kGiga;
      result.guess_error += std::abs(guess - target) * kGiga;
      const std::size_t chosen = nearest_index(clocks, output * kGiga);
      const std::size_t right = nearest_index(clocks, target * kGiga);
      if (std::max(chosen, right) - std::min(chosen, right) <= 1) result.within_a_step += 1;
      if (std::round(output * 10) == std::round(target * 10)) result.rounded_equal += 1;
    }
    if (tick && !tick(n)) return fail(Errc::failed, "interrupted");
  }
  const auto n = static_cast<double>(std::max<std::size_t>(examples.size(), 1));
  result.mean_error /= n;
  result.guess_error /= n;
  result.within_a_step /= n;
  result.rounded_equal /= n;
  return result;
}

}  // namespace mete
