// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/residence.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace mete {
namespace {

using MoveKey = std::tuple<std::uint32_t, std::uint32_t, bool>;  // tensor, gap, to_fast

class ResidenceMaker {
 public:
  ResidenceMaker(const Problem& problem, const Placement& placement)
      : problem_(problem), placement_(placement) {
    for (const auto& chunk : placement.chunks) {
      if (chunk.bytes > 0) chunks_[{chunk.tensor, chunk.gap, chunk.to_fast}].push_back(chunk);
    }
    for (auto& [key, list] : chunks_) {
      std::stable_sort(list.begin(), list.end(),
                       [](const MoveChunk& a, const MoveChunk& b) { return a.kernel < b.kernel; });
    }
  }

  Residence make() {
    for (std::uint32_t t = 0; t < problem_.tensors.size(); ++t) follow(t);
    return std::move(out_);
  }

 private:
  TensorMove move_of(std::uint32_t t, std::uint32_t gap, bool to_fast) {
    TensorMove move{.tensor = t, .gap = gap, .to_fast = to_fast, .chunks = {}};
    const auto found = chunks_.find({t, gap, to_fast});
    if (found != chunks_.end()) move.chunks = found->second;
    move.rest_bytes = problem_.tensors[t].bytes;
    for (const auto& chunk : move.chunks) move.rest_bytes -= chunk.bytes;
    return move;
  }

  void follow(std::uint32_t t) {
    const auto& uses = problem_.tensors[t].uses;
    const auto& place = placement_.tensors[t];
    const auto last = static_cast<std::uint32_t>(uses.size() - 1);
    bool has_slow = place.in_fast[0] == 0;
    LifeSpan slow{run_time(uses[0]), 0};
    Stay stay{.tensor = t, .fast = true};
    stay.span.begin = run_time(uses[0]);
    for (std::uint32_t j = 0; j <= last; ++j) {
      const bool fast = place.in_fast[j] == 1;
      std::uint64_t fast_end = run_time(uses[j]) + 1;
      if (!fast) slow.end = run_time(uses[j]) + 1;
      const bool kept = j < last && place.kept_fast[j] == 1;
      if (!kept && j < last && !has_slow) {  // the first gap over which it is not kept
        auto move = move_of(t, j, false);
        const std::uint64_t from = std::uint64_t{uses[j]} + 1;
        const std::uint64_t carried =
            move.chunks.empty() ? from : std::uint64_t{move.chunks.back().kernel} + 1;
        move.rest_time = write_time(std::max(from, carried));
        slow.begin = move.chunks.empty() ? move.rest_time : run_time(move.chunks.front().kernel);
        fast_end = move.rest_time + (move.rest_bytes > 0 ? 1 : 0);
        has_slow = true;
        out_.moves.push_back(std::move(move));
      }
      if (fast && !kept) {
        stay.last_use = j;
        stay.span.end = fast_end;
        out_.stays.push_back(stay);
      }
      if (kept || j == last || place.in_fast[j + 1] == 0) continue;
      auto move = move_of(t, j, true);
      move.rest_time = read_time(uses[j + 1]);
      stay.first_use = j + 1;
      stay.span.begin = move.chunks.empty() ? move.rest_time : run_time(move.chunks.front().kernel);
      const std::uint64_t done =
          move.rest_bytes > 0 ? move.rest_time : run_time(move.chunks.back().kernel);
      slow.end = std::max(slow.end, done + 1);
      out_.moves.push_back(std::move(move));
    }
    if (has_slow) {
      out_.stays.push_back(
          {.tensor = t, .fast = false, .first_use = 0, .last_use = last, .span = slow});
    }
  }

  const Problem& problem_;
  const Placement& placement_;
  std::map<MoveKey, std::vector<MoveChunk>> chunks_;
  Residence out_;
};

}  // namespace

Residence residence_of(const Problem& problem, const Placement& placement) {
  return ResidenceMaker(problem, placement).make();
}

std::vector<PackItem> items_of(const Problem& problem, std::span<const Stay> stays, bool fast,
                               std::vector<std::uint32_t>* index) {
  std::vector<PackItem> items;
  for (std::uint32_t s = 0; s < stays.size(); ++s) {
    if (stays[s].fast != fast) continue;
    items.push_back({.bytes = problem.tensors[stays[s].tensor].bytes, .spans = {stays[s].span}});
    if (index != nullptr) index->push_back(s);
  }
  return items;
}

}  // namespace mete
