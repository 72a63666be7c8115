// Each tensor is a path through a small graph: at each of its uses (a gadget) it is in state A
// (fast, never written), B (fast, with a copy in slow memory) or C (slow).
//
//   SOURCE → A_1, C_1;  A → next A (0), next C (write);  B → next B (0), next C (0);
//   C → next C (0), B of the same gadget (read);  the last A, B, C → SINK
//
// D says in fast memory during a use, P still there after it; each configuration of a kernel is a
// binary tied to the D of its tensors. Two things differ from the original: sizes are bytes, not
// megabytes rounded up, and the rates of moves are the problem's. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/placement/solvers/autotm/autotm.h"

#include <algorithm>
#include <cmath>

#include "mete/placement/use_index.h"

namespace mete {
namespace {

constexpr double kMicro = 1e6;
constexpr double kMega = 1e-6;
constexpr double kMinute = 60;
constexpr std::size_t kMostEntries = 3'000'000;

/// The edges of one gadget; -1 where there is none. "Next" is the gadget after it.
struct Gadget {
  int a_a = -1, a_c = -1, b_b = -1, b_c = -1, c_c = -1;  // to the next
  int c_b = -1;                                          // within
  int a_end = -1, b_end = -1, c_end = -1;                // to SINK
};

class AutotmModel {
 public:
  AutotmModel(const Problem& problem, const UseIndex& index, std::uint64_t limit)
      : problem_(problem),
        index_(index),
        limit_(limit),
        gadgets_(index.uses()),
        during_(index.uses()),
        after_(index.uses()) {}

  Result<void> build() {
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) add_tensor(t);
    for (std::size_t k = 0; k < problem_.kernels.size(); ++k) add_kernel(k);
    return add_capacity();
  }

  LpModel finish() { return lp_.finish(); }
  [[nodiscard]] const std::vector<bool>& integer() const { return integer_; }
  [[nodiscard]] double fixed_seconds() const { return fixed_seconds_; }

  [[nodiscard]] Placement decode(const std::vector<double>& x) const {
    const auto on = [&x](int column) {
      return column >= 0 && x[static_cast<std::size_t>(column)] > 0.5;
    };
    Placement out;
    out.tensors.resize(problem_.tensors.size());
    for (std::size_t t = 0; t < out.tensors.size(); ++t) {
      for (auto u = index_.first[t]; u < index_.first[t + 1]; ++u) {
        out.tensors[t].in_fast.push_back(on(during_[u]) ? 1 : 0);
        if (u + 1 == index_.first[t + 1]) break;
        out.tensors[t].kept_fast.push_back(on(gadgets_[u].a_a) || on(gadgets_[u].b_b) ? 1 : 0);
      }
    }
    return out;
  }

 private:
  int binary(double cost = 0) {
    integer_.push_back(true);
    return lp_.add_column(cost, 0, 1);
  }

  /// Σ in = Σ out.
  void flow(const std::vector<int>& in, const std::vector<int>& out, double source = 0) {
    const int row = lp_.add_row(-source, -source);
    for (const int e : in) lp_.add(row, e, e >= 0 ? 1 : 0);
    for (const int e : out) lp_.add(row, e, e >= 0 ? -1 : 0);
  }

  /// indicator = 1 exactly if one of the edges is taken.
  void indicate(int indicator, const std::vector<int>& edges) {
    const int sum = lp_.add_row(-kLpInfinity, 0);
    lp_.add(sum, indicator, 1);
    for (const int e : edges) {
      if (e < 0) continue;
      lp_.add(sum, e, -1);
      const int row = lp_.add_row(-kLpInfinity, 0);
      lp_.add(row, e, 1);
      lp_.add(row, indicator, -1);
    }
  }

  void add_edges(std::size_t t) {
    const auto first = index_.first[t];
    const auto last = index_.first[t + 1] - 1;
    for (auto u = first; u <= last; ++u) {
      Gadget& g = gadgets_[u];
      if (u > first) g.c_b = binary(index_.read_seconds[t] * kMicro);
      if (u < last) {
        g.a_a = binary();
        g.a_c = binary();
        g.c_c = binary();
        if (u > first) g.b_b = binary();
        if (u > first) g.b_c = binary();
      } else {
        g.a_end = binary();
        g.c_end = binary();
        if (u > first) g.b_end = binary();
      }
    }
  }

  void add_tensor(std::size_t t) {
    const auto first = index_.first[t];
    const auto last = index_.first[t + 1] - 1;
    add_edges(t);
    const int to_a = binary();
    const int to_c = binary();
    flow({}, {to_a, to_c}, 1);
    std::vector<int> writes;
    for (auto u = first; u <= last; ++u) {
      const Gadget& g = gadgets_[u];
      const Gadget before = u > first ? gadgets_[u - 1] : Gadget{};
      const std::vector<int> into_a{u == first ? to_a : before.a_a};
      flow(into_a, {g.a_a, g.a_c, g.a_end});
      flow({u == first ? to_c : -1, before.a_c, before.b_c, before.c_c}, {g.c_c, g.c_b, g.c_end});
      if (u > first) flow({before.b_b, g.c_b}, {g.b_b, g.b_c, g.b_end});
      integer_.push_back(true);
      during_[u] = lp_.add_column(0, index_.forced[u], 1);
      indicate(during_[u], {into_a.front(), before.b_b, g.c_b});
      after_[u] = binary();
      indicate(after_[u], {g.a_a, g.b_b, g.a_end, g.b_end});
      if (g.a_c >= 0) writes.push_back(g.a_c);
    }
    if (writes.empty()) return;
    const int written = binary(index_.write_seconds[t] * kMicro);
    indicate(written, writes);
  }

  void add_kernel(std::size_t k) {
    const auto& kernel = problem_.kernels[k];
    const auto* uses = index_.use_at.data() + index_.kernel_first[k];
    if (kernel.additive()) {  // not in the original, which has tables only
      fixed_seconds_ += kernel.fast_seconds;
      for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
        if (!std::isfinite(kernel.slow_seconds[b])) continue;
        fixed_seconds_ += kernel.slow_seconds[b];
        lp_.add_cost(during_[uses[b]], -kernel.slow_seconds[b] * kMicro);
      }
      return;
    }
    const int one = lp_.add_row(1, 1);
    const auto slots = kernel.tensors.size();
    for (std::size_t mask = 0; mask < kernel.seconds.size(); ++mask) {
      if (!std::isfinite(kernel.seconds[mask])) continue;
      const int z = binary(kernel.seconds[mask] * kMicro);
      lp_.add(one, z, 1);
      double slow = 0;
      // z + n ≥ 1 + Σ matches, where a match is D or 1 - D.
      const int all = lp_.add_row(0, kLpInfinity);
      lp_.add(all, z, 1);
      for (std::size_t b = 0; b < slots; ++b) {
        const bool is_slow = ((mask >> b) & 1U) != 0;
        const int row = lp_.add_row(-kLpInfinity, is_slow ? 1 : 0);
        lp_.add(row, z, 1);
        lp_.add(row, during_[uses[b]], is_slow ? 1 : -1);
        lp_.add(all, during_[uses[b]], is_slow ? 1 : -1);
        slow += is_slow ? 1 : 0;
      }
      lp_.set_row_lower(all, 1 - static_cast<double>(slots) + slow);
    }
  }

  Result<void> add_capacity() {
    std::vector<std::vector<std::uint32_t>> alive(problem_.kernels.size());
    std::size_t entries = 0;
    for (std::uint32_t t = 0; t < problem_.tensors.size(); ++t) {
      const auto& uses = problem_.tensors[t].uses;
      entries += std::size_t{uses.back()} - uses.front() + 1;
      if (entries > kMostEntries) {
        return fail(Errc::unsupported,
                    "autotm writes a number for every tensor alive at every kernel, which is too "
                    "much for {} kernels; choose --optimizer synchronous, which solves the same "
                    "problem",
                    problem_.kernels.size());
      }
      for (auto k = uses.front(); k <= uses.back(); ++k) alive[k].push_back(t);
    }
    std::vector<std::uint32_t> at(problem_.tensors.size(), 0);  // uses begun, per tensor
    for (std::size_t k = 0; k < alive.size(); ++k) {
      for (const auto t : problem_.kernels[k].tensors) ++at[t];
      const int row = lp_.add_row(-kLpInfinity, static_cast<double>(limit_) * kMega);
      for (const auto t : alive[k]) {
        const auto u = index_.first[t] + at[t] - 1;
        const int column = index_.kernel[u] == k ? during_[u] : after_[u];
        lp_.add(row, column, static_cast<double>(index_.bytes[t]) * kMega);
      }
    }
    return {};
  }

  const Problem& problem_;
  const UseIndex& index_;
  std::uint64_t limit_;
  LpBuilder lp_;
  std::vector<bool> integer_;
  std::vector<Gadget> gadgets_;
  std::vector<int> during_;  ///< per use: D
  std::vector<int> after_;   ///< per use: P
  double fixed_seconds_ = 0;
};

}  // namespace

Result<Outcome> solve_autotm(const Problem& problem, const SolveRequest& request) {
  const UseIndex index(problem);
  AutotmModel model(problem, index, std::min(request.limit_bytes, all_fast_peak(problem)));
  METE_TRY_VOID(model.build());
  const auto lp = model.finish();
  const NoInterrupt never;
  METE_TRY(const auto solved, request.lp->solve_integer(
                                  lp, model.integer(), request.target_gap, kMinute * request.effort,
                                  request.interrupt != nullptr ? *request.interrupt : never));
  if (solved.x.empty()) {
    return fail(Errc::failed,
                "CBC found no placement in {:g} s; give --effort more, or choose --optimizer "
                "synchronous, which solves the same problem",
                kMinute * request.effort);
  }
  return Outcome{.placement = model.decode(solved.x),
                 .lower_bound_seconds = model.fixed_seconds() + solved.bound / kMicro};
}

}  // namespace mete
