// Builds and solves the compact linear program. Seconds are counted in microseconds and bytes in
// megabytes, so that the library's absolute tolerances mean little.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/compact_lp.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mete {
namespace {

constexpr double kWhole = 1e-6;  // the library's own tolerance is 1e-7
constexpr double kMicro = 1e6;
constexpr double kMega = 1e-6;
// A table is taken for a sum of its parts if no entry differs by more than this share of a step.
constexpr double kAdditive = 1e-12;

/// The slow seconds of each slot, if the table is their sum.
bool split_table(const ProblemKernel& kernel, std::vector<double>& slow) {
  const std::size_t slots = kernel.tensors.size();
  slow.resize(slots);
  for (std::size_t b = 0; b < slots; ++b) {
    slow[b] = kernel.seconds[std::size_t{1} << b] - kernel.seconds[0];
    if (!std::isfinite(slow[b])) return false;
  }
  for (std::size_t mask = 0; mask < kernel.seconds.size(); ++mask) {
    double sum = kernel.seconds[0];
    for (std::size_t b = 0; b < slots; ++b) sum += ((mask >> b) & 1U) != 0 ? slow[b] : 0;
    if (!(std::abs(sum - kernel.seconds[mask]) <= kAdditive)) return false;
  }
  return true;
}

}  // namespace

class CompactLpBuilder {
 public:
  CompactLpBuilder(const Problem& problem, const UseIndex& index, MoveKind moves,
                   std::uint64_t limit, CompactLp& out)
      : problem_(problem), index_(index), moves_(moves), limit_(limit), out_(out) {}

  void build() {
    out_.kernels_ = problem_.kernels.size();
    out_.in_column_.assign(index_.uses(), -1);
    out_.kept_column_.assign(index_.uses(), -1);
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      moves_ == MoveKind::none ? add_still(t) : add_path(t);
    }
    for (std::size_t k = 0; k < problem_.kernels.size(); ++k) add_kernel(k);
    add_capacity();
    out_.model_ = lp_.finish();
  }

 private:
  void add_still(std::size_t t) {
    std::uint8_t forced = 0;
    for (auto u = index_.first[t]; u < index_.first[t + 1]; ++u) forced |= index_.forced[u];
    const int column = lp_.add_column(0, forced, 1);
    for (auto u = index_.first[t]; u < index_.first[t + 1]; ++u) {
      out_.in_column_[u] = column;
      if (u + 1 < index_.first[t + 1]) out_.kept_column_[u] = column;
    }
  }

  void add_path(std::size_t t) {
    const auto first = index_.first[t];
    const auto last = index_.first[t + 1];
    const auto read = [this, t](std::size_t gap) {
      const bool adjacent = index_.kernel[gap] + 1 == index_.kernel[gap + 1];
      const bool paid = moves_ == MoveKind::synchronous || adjacent;
      return paid ? index_.read_seconds[t] * kMicro : 0;
    };
    for (auto u = first; u < last; ++u) {
      out_.in_column_[u] = lp_.add_column(u > first ? read(u - 1) : 0, index_.forced[u], 1);
    }
    if (problem_.tensors[t].returns) add_return(t);
    if (last - first < 2) return;
    const double write_cost =
        moves_ == MoveKind::synchronous ? index_.write_seconds[t] * kMicro : 0;
    const int write = lp_.add_column(write_cost, 0, 1);
    for (auto u = first; u + 1 < last; ++u) {
      const int kept = lp_.add_column(-read(u), 0, 1);
      out_.kept_column_[u] = kept;
      for (const auto end : {u, u + 1}) {
        const int row = lp_.add_row(-kLpInfinity, 0);
        lp_.add(row, kept, 1);
        lp_.add(row, out_.in_column_[end], -1);
      }
      const int row = lp_.add_row(-kLpInfinity, 0);
      lp_.add(row, out_.in_column_[first], 1);
      lp_.add(row, kept, -1);
      lp_.add(row, write, -1);
    }
  }

  void add_return(std::size_t t) {
    const int begins = out_.in_column_[index_.first[t]];
    const int ends = out_.in_column_[index_.first[t + 1] - 1];
    if (begins != ends) {
      const int tie = lp_.add_row(0, 0);
      lp_.add(tie, begins, 1);
      lp_.add(tie, ends, -1);
    }
    for (const auto use : problem_.tensors[t].changes) {
      const int changed = out_.in_column_[index_.first[t] + use];
      const int there = lp_.add_row(-kLpInfinity, 0);
      lp_.add(there, ends, 1);
      lp_.add(there, changed, -1);
      const int back = lp_.add_column(index_.write_seconds[t] * kMicro, 0, 1);
      const int written = lp_.add_row(-kLpInfinity, 0);
      lp_.add(written, changed, 1);
      lp_.add(written, ends, -1);
      lp_.add(written, back, -1);
    }
  }

  void add_sum(std::size_t k, double fast, const std::vector<double>& slow) {
    out_.fixed_seconds_ += fast;
    for (std::size_t b = 0; b < slow.size(); ++b) {
      if (!std::isfinite(slow[b])) continue;  // its column's lower bound is 1
      out_.fixed_seconds_ += slow[b];
      lp_.add_cost(column_at(k, b), -slow[b] * kMicro);
    }
  }

  [[nodiscard]] int column_at(std::size_t k, std::size_t b) const {
    return out_.in_column_[index_.use_at[index_.kernel_first[k] + b]];
  }

  /// The bytes of the kernel's tensors that are fast under a slow mask.
  [[nodiscard]] std::uint64_t fast_bytes(const ProblemKernel& kernel, std::size_t mask) const {
    std::uint64_t sum = 0;
    for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
      if (((mask >> b) & 1U) == 0) sum += problem_.tensors[kernel.tensors[b]].bytes;
    }
    return sum;
  }

  void add_kernel(std::size_t k) {
    const auto& kernel = problem_.kernels[k];
    if (kernel.additive()) {
      add_sum(k, kernel.fast_seconds, kernel.slow_seconds);
      return;
    }
    std::vector<double> slow;
    const std::uint64_t room = limit_ - std::min(limit_, kernel.reserved_bytes);
    if (fast_bytes(kernel, 0) <= room && split_table(kernel, slow)) {
      add_sum(k, kernel.seconds[0], slow);
      return;
    }
    const int one = lp_.add_row(1, 1);
    std::vector<int> rows;
    for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
      rows.push_back(lp_.add_row(0, 0));
      lp_.add(rows.back(), column_at(k, b), -1);
    }
    for (std::size_t mask = 0; mask < kernel.seconds.size(); ++mask) {
      if (!std::isfinite(kernel.seconds[mask]) || fast_bytes(kernel, mask) > room) continue;
      const int z = lp_.add_column(kernel.seconds[mask] * kMicro, 0, 1);
      lp_.add(one, z, 1);
      for (std::size_t b = 0; b < rows.size(); ++b) {
        if (((mask >> b) & 1U) == 0) lp_.add(rows[b], z, 1);
      }
    }
  }

  /// Kernels at which all living tensors together exceed the limit.
  [[nodiscard]] std::vector<bool> crowded() const {
    std::vector<std::int64_t> change(problem_.kernels.size() + 1, 0);
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      change[index_.kernel[index_.first[t]]] += index_.bytes[t];
      change[index_.kernel[index_.first[t + 1] - 1] + std::size_t{1}] -= index_.bytes[t];
    }
    std::vector<bool> out(problem_.kernels.size());
    std::int64_t now = 0;
    for (std::size_t k = 0; k < out.size(); ++k) {
      now += change[k];
      out[k] = static_cast<std::uint64_t>(now) + problem_.kernels[k].reserved_bytes > limit_;
    }
    return out;
  }

  struct Change {
    int column;
    double megabytes;
  };

  /// At each kernel: the gaps that begin before it (the tensor is kept, not used) and that end.
  [[nodiscard]] std::vector<std::vector<Change>> gap_changes() const {
    std::vector<std::vector<Change>> out(problem_.kernels.size() + 1);
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      const double size = static_cast<double>(index_.bytes[t]) * kMega;
      if (size <= 0) continue;
      for (auto u = index_.first[t]; u + 1 < index_.first[t + 1]; ++u) {
        const auto from = index_.kernel[u] + std::size_t{1};
        const std::size_t to = index_.kernel[u + 1];
        if (from >= to) continue;
        out[from].push_back({out_.kept_column_[u], size});
        out[to].push_back({out_.kept_column_[u], -size});
      }
    }
    return out;
  }

  void add_capacity() {
    const auto full = crowded();
    const auto changes = gap_changes();
    const double limit = static_cast<double>(limit_) * kMega;
    std::vector<Change> pending;  // since the last crowded kernel
    int before = -1;
    for (std::size_t k = 0; k < problem_.kernels.size(); ++k) {
      pending.insert(pending.end(), changes[k].begin(), changes[k].end());
      if (!full[k]) continue;
      const int kept = lp_.add_column(0, 0, limit);
      const int balance = lp_.add_row(0, 0);
      for (const auto& change : pending) lp_.add(balance, change.column, change.megabytes);
      pending.clear();
      lp_.add(balance, kept, -1);
      if (before >= 0) lp_.add(balance, before, 1);
      before = kept;
      const int row = lp_.add_row(-kLpInfinity, limit);
      lp_.add(row, kept, 1);
      for (std::size_t b = 0; b < problem_.kernels[k].tensors.size(); ++b) {
        const auto t = problem_.kernels[k].tensors[b];
        lp_.add(row, column_at(k, b), static_cast<double>(index_.bytes[t]) * kMega);
      }
      out_.capacity_.push_back(
          {row, static_cast<std::uint32_t>(k), problem_.kernels[k].reserved_bytes});
    }
  }

  const Problem& problem_;
  const UseIndex& index_;
  MoveKind moves_;
  std::uint64_t limit_;
  CompactLp& out_;
  LpBuilder lp_;
};

Result<CompactLp> CompactLp::start(const Problem& problem, const UseIndex& index, MoveKind moves,
                                   std::uint64_t largest_limit, LpRuntime& runtime) {
  CompactLp out;
  CompactLpBuilder(problem, index, moves, largest_limit, out).build();
  METE_TRY(out.session_, runtime.start(out.model_));
  out.first_lower_ = out.model_.lower;
  return out;
}

std::vector<CompactLp::Decision> CompactLp::open_decisions(const Relaxation& relaxation) {
  std::vector<Decision> out;
  for (std::uint32_t u = 0; u < relaxation.in_fast.size(); ++u) {
    const auto open = [](double x) { return x > kWhole && x < 1 - kWhole; };
    if (open(relaxation.in_fast[u])) out.push_back({u, false});
    if (open(relaxation.kept_fast[u])) out.push_back({u, true});
  }
  return out;
}

int CompactLp::column_of(Decision decision) const {
  return decision.gap ? kept_column_[decision.use] : in_column_[decision.use];
}

void CompactLp::set_bounds(Decision decision, double lower, double upper) {
  const int column = column_of(decision);
  model_.lower[static_cast<std::size_t>(column)] = lower;
  model_.upper[static_cast<std::size_t>(column)] = upper;
  session_->set_column_bounds(column, lower, upper);
}

void CompactLp::decide(Decision decision, bool fast) {
  set_bounds(decision, fast ? 1 : 0, fast ? 1 : 0);
}

void CompactLp::undecide(Decision decision) {
  set_bounds(decision, first_lower_[static_cast<std::size_t>(column_of(decision))], 1);
}

Result<Relaxation> CompactLp::solve(std::uint64_t limit, const Interrupt& interrupt) {
  for (const auto& capacity : capacity_) {
    const double upper =
        static_cast<double>(limit - std::min(limit, capacity.reserved_bytes)) * kMega;
    model_.row_upper[static_cast<std::size_t>(capacity.row)] = upper;
    session_->set_row_upper(capacity.row, upper);
  }
  METE_TRY(const auto solution, session_->solve(interrupt));
  Relaxation out;
  out.iterations = solution.iterations;
  out.bound_seconds = fixed_seconds_ + proven_bound(model_, solution.row_price) / kMicro;
  out.in_fast.reserve(in_column_.size());
  for (std::size_t u = 0; u < in_column_.size(); ++u) {
    out.in_fast.push_back(solution.x[static_cast<std::size_t>(in_column_[u])]);
    out.kept_fast.push_back(
        kept_column_[u] < 0 ? 0 : solution.x[static_cast<std::size_t>(kept_column_[u])]);
  }
  out.memory_price.assign(kernels_, 0);
  for (const auto& capacity : capacity_) {
    const double price = solution.row_price[static_cast<std::size_t>(capacity.row)];
    out.memory_price[capacity.kernel] = std::max(0.0, -price) * kMega / kMicro;
  }
  return out;
}

}  // namespace mete
