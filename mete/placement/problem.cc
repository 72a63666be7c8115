// Placement problems: building, checking, and the figures that every plan is compared with.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/problem.h"

#include <algorithm>
#include <cmath>

#include "mete/placement/slow_tables.h"

namespace mete {
namespace {

constexpr double kMostSeconds = 1e9;

std::string kernel_name(const Problem& problem, std::size_t k) {
  const auto& op = problem.kernels[k].op;
  return op.empty() ? fmt::format("kernel {}", k) : fmt::format("kernel {} ({})", k, op);
}

Result<void> check_table(const Problem& problem, std::size_t k) {
  const auto& kernel = problem.kernels[k];
  const std::size_t slots = kernel.tensors.size();
  if (slots > kMostTableSlots) {
    return fail(Errc::invalid,
                "{}: a table for {} tensors is too large (at most {}); give fast_seconds and "
                "slow_seconds instead",
                kernel_name(problem, k), slots, kMostTableSlots);
  }
  if (kernel.seconds.size() != std::size_t{1} << slots) {
    return fail(Errc::invalid, "{}: expected {} times for its {} tensors, got {}",
                kernel_name(problem, k), std::size_t{1} << slots, slots, kernel.seconds.size());
  }
  for (const double s : kernel.seconds) {
    if (!(s >= 0) || (s > kMostSeconds && s != kCannotRun)) {
      return fail(Errc::invalid, "{}: a time of {} s; expected 0 to {:g}", kernel_name(problem, k),
                  s, kMostSeconds);
    }
  }
  const auto forced = forced_slots(kernel);
  for (std::size_t mask = 0; mask < kernel.seconds.size(); ++mask) {
    if ((kernel.seconds[mask] == kCannotRun) == ((mask & forced) != 0)) continue;
    return fail(Errc::invalid,
                "{}: placement {} cannot run although each of its tensors can be slow in another; "
                "give it a time",
                kernel_name(problem, k), mask);
  }
  return {};
}

Result<void> check_additive(const Problem& problem, std::size_t k) {
  const auto& kernel = problem.kernels[k];
  if (kernel.slow_seconds.size() != kernel.tensors.size()) {
    return fail(Errc::invalid, "{}: expected {} slow_seconds, one per tensor, got {}",
                kernel_name(problem, k), kernel.tensors.size(), kernel.slow_seconds.size());
  }
  double least = kernel.fast_seconds;
  for (const double s : kernel.slow_seconds) {
    if (std::isnan(s) || s < -kMostSeconds || (s > kMostSeconds && s != kCannotRun)) {
      return fail(Errc::invalid, "{}: slow_seconds of {}; expected a time or null",
                  kernel_name(problem, k), s);
    }
    least += std::min(0.0, s);
  }
  if (!(kernel.fast_seconds >= 0) || kernel.fast_seconds > kMostSeconds || least < 0) {
    return fail(Errc::invalid, "{}: its time would be below 0 or above {:g} s",
                kernel_name(problem, k), kMostSeconds);
  }
  return {};
}

Result<void> check_tensors(const Problem& problem) {
  std::uint64_t sum = 0;
  for (const auto& tensor : problem.tensors) {
    if (tensor.bytes > kMostTensorBytes) {
      return fail(Errc::invalid, "tensor {}: {} bytes; expected at most {}", tensor.id,
                  tensor.bytes, kMostTensorBytes);
    }
    sum += tensor.bytes;
    if (sum > kMostProblemBytes) {
      return fail(Errc::invalid, "the tensors hold more than {} bytes together", kMostProblemBytes);
    }
    if (tensor.uses.empty()) {
      return fail(Errc::invalid, "tensor {}: is used by no kernel; leave it out", tensor.id);
    }
    for (std::size_t j = 0; j < tensor.uses.size(); ++j) {
      if (tensor.uses[j] >= problem.kernels.size()) {
        return fail(Errc::invalid, "tensor {}: is used by kernel {}, but there are only {}",
                    tensor.id, tensor.uses[j], problem.kernels.size());
      }
      if (j > 0 && tensor.uses[j] <= tensor.uses[j - 1]) {
        return fail(Errc::invalid, "tensor {}: its uses are not in ascending order", tensor.id);
      }
    }
  }
  return {};
}

/// Each kernel names exactly the tensors that say they are used there.
Result<void> check_uses(const Problem& problem) {
  std::vector<std::size_t> seen(problem.tensors.size(), 0);
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
    for (const auto t : problem.kernels[k].tensors) {
      if (t >= problem.tensors.size()) {
        return fail(Errc::invalid, "{}: names a tensor that does not exist",
                    kernel_name(problem, k));
      }
      const auto& tensor = problem.tensors[t];
      if (seen[t] >= tensor.uses.size() || tensor.uses[seen[t]] != k) {
        return fail(Errc::invalid,
                    "{}: names tensor {} where the tensor's uses do not (or names it twice)",
                    kernel_name(problem, k), tensor.id);
      }
      ++seen[t];
    }
  }
  for (std::size_t t = 0; t < seen.size(); ++t) {
    const auto& tensor = problem.tensors[t];
    if (seen[t] != tensor.uses.size()) {
      return fail(Errc::invalid, "tensor {}: says that kernel {} uses it, which does not name it",
                  tensor.id, tensor.uses[seen[t]]);
    }
  }
  return {};
}

}  // namespace

std::uint32_t Problem::add_tensor(std::uint64_t bytes) {
  const auto index = static_cast<std::uint32_t>(tensors.size());
  tensors.push_back({.id = index, .bytes = bytes, .uses = {}});
  return index;
}

void Problem::add_kernel(std::string op, std::vector<std::uint32_t> touched,
                         std::vector<double> table) {
  const auto k = static_cast<std::uint32_t>(kernels.size());
  for (const auto t : touched) {
    if (t < tensors.size()) tensors[t].uses.push_back(k);
  }
  kernels.push_back({.op = std::move(op),
                     .tensors = std::move(touched),
                     .seconds = std::move(table),
                     .fast_seconds = 0,
                     .slow_seconds = {}});
}

void Problem::add_additive_kernel(std::string op, std::vector<std::uint32_t> touched,
                                  double fast_seconds, std::vector<double> slow_seconds) {
  add_kernel(std::move(op), std::move(touched), {});
  kernels.back().fast_seconds = fast_seconds;
  kernels.back().slow_seconds = std::move(slow_seconds);
}

Result<void> check(const Problem& problem) {
  if (problem.kernels.empty()) return fail(Errc::invalid, "there are no kernels");
  if (problem.kernels.size() > kMostProblemKernels ||
      problem.tensors.size() > kMostProblemTensors) {
    return fail(Errc::invalid, "{} kernels and {} tensors; expected at most {} and {}",
                problem.kernels.size(), problem.tensors.size(), kMostProblemKernels,
                kMostProblemTensors);
  }
  for (const double rate : {problem.rates.fast_to_slow, problem.rates.slow_to_fast}) {
    if (!(rate > 0) || !std::isfinite(rate)) {
      return fail(Errc::invalid, "a move of {} bytes/s; expected more than 0", rate);
    }
  }
  METE_TRY_VOID(check_tensors(problem));
  METE_TRY_VOID(check_uses(problem));
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
    METE_TRY_VOID(problem.kernels[k].additive() ? check_additive(problem, k)
                                                : check_table(problem, k));
  }
  return {};
}

std::vector<std::vector<bool>> forced_fast(const Problem& problem) {
  std::vector<std::vector<bool>> forced(problem.tensors.size());
  for (const auto& kernel : problem.kernels) {
    const auto slots = kernel.additive() ? 0 : forced_slots(kernel);
    for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
      const bool must =
          kernel.additive() ? kernel.slow_seconds[b] == kCannotRun : ((slots >> b) & 1U) != 0;
      forced[kernel.tensors[b]].push_back(must);
    }
  }
  return forced;
}

std::uint64_t all_fast_peak(const Problem& problem) {
  std::vector<std::int64_t> change(problem.kernels.size() + 1, 0);
  for (const auto& tensor : problem.tensors) {
    change[tensor.uses.front()] += static_cast<std::int64_t>(tensor.bytes);
    change[tensor.uses.back() + 1] -= static_cast<std::int64_t>(tensor.bytes);
  }
  std::int64_t now = 0;
  std::int64_t peak = 0;
  for (const auto c : change) peak = std::max(peak, now += c);
  return static_cast<std::uint64_t>(peak);
}

LeastMemory least_memory(const Problem& problem) {
  LeastMemory least;
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
    const auto& kernel = problem.kernels[k];
    const auto slots = kernel.additive() ? 0 : forced_slots(kernel);
    std::uint64_t bytes = kernel.reserved_bytes;
    for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
      const bool must =
          kernel.additive() ? kernel.slow_seconds[b] == kCannotRun : ((slots >> b) & 1U) != 0;
      if (must) bytes += problem.tensors[kernel.tensors[b]].bytes;
    }
    if (bytes > least.bytes) least = {.bytes = bytes, .kernel = k};
  }
  return least;
}

double all_fast_seconds(const Problem& problem) {
  double sum = 0;
  for (const auto& kernel : problem.kernels) {
    sum += kernel.additive() ? kernel.fast_seconds : kernel.seconds.front();
  }
  return sum;
}

double all_slow_seconds(const Problem& problem) {
  double sum = 0;
  for (const auto& kernel : problem.kernels) {
    if (!kernel.additive()) {
      sum += kernel.seconds.back();
      continue;
    }
    sum += kernel.fast_seconds;
    for (const double s : kernel.slow_seconds) sum += s;
  }
  return sum;
}

}  // namespace mete
