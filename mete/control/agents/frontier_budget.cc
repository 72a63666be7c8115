// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_budget.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "mete/control/agents/frontier_search.h"

namespace mete {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// The allowed time is cut into so many pieces; what a clock costs is rounded up to whole ones.
constexpr std::size_t kPieces = 256;

using Energies = std::array<double, kPieces + 1>;
using Places = std::array<std::size_t, kPieces + 1>;

struct Cost {
  double seconds = 0;
  double joules = 0;
};

Cost cost_at(const BudgetShare& share, std::size_t clock) noexcept {
  const ResponseAnswer& answer = share.estimate->at(clock);
  const bool highest = clock + 1 == share.estimate->clocks();
  const double caution = highest ? 0 : kBoundCaution * answer.doubt;
  return {share.work * std::exp(answer.log_time + caution),
          share.work * share.watts * std::exp(answer.log_time + answer.log_power)};
}

/// One more share: the least energy for every number of pieces that all so far may use, and the
/// clock of this share that gives it.
void add_share(const BudgetShare& share, double piece, double bound, Energies& energies,
               Places& places) noexcept {
  const Energies before = energies;
  energies.fill(kInfinity);
  const std::size_t top = share.estimate->clocks() - 1;
  for (std::size_t c = top + 1; c-- > 0;) {
    if (!share.estimate->at(c).seen) continue;
    const Cost cost = cost_at(share, c);
    const double lost = std::max(0.0, cost.seconds - share.work);
    if (c != top && !(lost <= kMostOfBound * bound * share.work)) continue;
    // A hair of rounding must not cost a whole piece.
    const double need = lost > 0 ? std::ceil(lost / piece - 1e-6) : 0;
    if (!(need <= static_cast<double>(kPieces))) continue;
    const auto pieces = static_cast<std::size_t>(need);
    for (std::size_t p = pieces; p <= kPieces; ++p) {
      const double sum = before[p - pieces] + cost.joules;
      if (sum < energies[p]) {
        energies[p] = sum;
        places[p] = c;
      }
    }
  }
}

std::size_t pieces_of(const BudgetShare& share, std::size_t clock, double piece) noexcept {
  const double lost = std::max(0.0, cost_at(share, clock).seconds - share.work);
  return lost > 0 ? static_cast<std::size_t>(std::ceil(lost / piece - 1e-6)) : 0;
}

}  // namespace

void spend_budget(std::span<BudgetShare> shares, double bound) noexcept {
  double seconds = 0;
  for (BudgetShare& share : shares) {
    share.clock = share.estimate->clocks() - 1;
    seconds += bound * share.work;
  }
  if (shares.size() > kMostShares) return;
  const double piece = std::max(seconds, 1e-300) / static_cast<double>(kPieces);
  std::array<Places, kMostShares> places{};
  Energies energies{};
  for (std::size_t s = 0; s < shares.size(); ++s) {
    places[s].fill(shares[s].clock);
    add_share(shares[s], piece, bound, energies, places[s]);
  }
  std::size_t left = kPieces;
  for (std::size_t s = shares.size(); s-- > 0;) {
    shares[s].clock = places[s][left];
    left -= std::min(left, pieces_of(shares[s], shares[s].clock, piece));
  }
}

}  // namespace mete
