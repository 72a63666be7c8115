// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/kernel_timer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mete/base/stats.h"

namespace mete {
namespace {

constexpr int kWarmUpRuns = 2;
constexpr std::size_t kHeldOut = 3;
// A counter that moves every millisecond tells 50 of them to two per cent.
constexpr double kCounterSteps = 50;
// Of a normal distribution: its deviation over its median absolute deviation, and the error of a
// median over that of a mean.
constexpr double kDeviationOfMad = 1.4826;
constexpr double kErrorOfMedian = 1.2533;

double spread_of(std::vector<double> values, double median) {
  for (auto& value : values) value = std::abs(value - median);
  return kDeviationOfMad * median_of(values);
}

std::vector<std::uint32_t> model_masks(std::size_t slots) {
  std::vector<std::uint32_t> masks = {0};
  for (std::size_t slot = 0; slot < slots; ++slot) masks.push_back(std::uint32_t{1} << slot);
  return masks;
}

/// All slow, and a few at random.
std::vector<std::uint32_t> held_out_masks(std::size_t slots, Rng& rng) {
  if (slots < 2) return {};
  const std::uint32_t all = (std::uint32_t{1} << slots) - 1;
  const std::size_t others = slots > 4 ? kHeldOut : (std::size_t{1} << slots) - 1 - slots;
  std::vector<std::uint32_t> masks = {all};
  while (masks.size() < std::min(kHeldOut, others)) {
    const auto mask = static_cast<std::uint32_t>(rng.next()) & all;
    const bool is_model = (mask & (mask - 1)) == 0;
    if (is_model || std::find(masks.begin(), masks.end(), mask) != masks.end()) continue;
    masks.push_back(mask);
  }
  return masks;
}

const PlacementTiming* timing_of(const KernelProfile& profile, std::uint32_t mask) {
  for (const auto& timing : profile.timings) {
    if (timing.slow_mask == mask) return &timing;
  }
  return nullptr;
}

/// The standard error of what the additive model says minus what was measured.
double doubt_of(const KernelProfile& model, const PlacementTiming& measured) {
  double variance = measured.spread_seconds * measured.spread_seconds;
  double count = 0;
  for (std::size_t slot = 0; slot < model.slots; ++slot) {
    if ((measured.slow_mask >> slot & 1U) == 0) continue;
    ++count;
    if (const auto* single = timing_of(model, std::uint32_t{1} << slot)) {
      variance += single->spread_seconds * single->spread_seconds;
    }
  }
  const double fast = (count - 1) * model.timings.front().spread_seconds;
  variance += fast * fast;
  return kErrorOfMedian * std::sqrt(variance / static_cast<double>(measured.repeats));
}

/// Holds the model against the masks that it was not made of.
void judge(KernelProfile& profile, const KernelProfile& model) {
  for (const auto& timing : profile.timings) {
    if (timing_of(model, timing.slow_mask) != nullptr) continue;
    const double missed = std::abs(model.seconds(timing.slow_mask) - timing.median_seconds);
    const double error = missed / std::max(timing.median_seconds, kShortKernel);
    profile.held_out_error = std::max(profile.held_out_error, error);
    if (error > kAdditiveError && missed > kDoubts * doubt_of(model, timing)) {
      profile.additive = false;
    }
  }
}

}  // namespace

void KernelTimer::take_timings(std::vector<Sample>& samples, KernelMeasurement& measured) {
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.mask < b.mask; });
  measured.profile.timings.clear();
  measured.seconds.clear();
  for (const auto& sample : samples) {
    const double median = median_of(sample.seconds);
    measured.profile.timings.push_back({sample.mask, sample.seconds.size(), median,
                                        spread_of(sample.seconds, median), sample.joules});
    measured.seconds.push_back(sample.seconds);
  }
}

bool KernelTimer::interrupted() const {
  return request_.interrupt != nullptr && request_.interrupt->signal() != 0;
}

Result<double> KernelTimer::run_once(std::uint32_t mask, bool warm) {
  if (interrupted()) return fail(Errc::gone, "interrupted");
  copy_ = (copy_ + 1) % plan_->copies();
  const auto place = [&](std::uint32_t slot) {
    return pools_[mask >> slot & 1U] + plan_->offset(copy_, slot);
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i] = place(timed_->slots.of_input[i]);
  for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i] = place(timed_->slots.of_output[i]);
  for (std::uint32_t slot = 0; warm && slot < timed_->warm.size(); ++slot) {
    if (timed_->warm[slot]) {
      warm_up(place(slot), plan_->slot_bytes(slot));
    }
  }
  return run_charged(*kernel_, inputs_, outputs_, charge_of(timed_->traffic, mask, *request_.slow),
                     *request_.clock);
}

Result<void> KernelTimer::run_all(std::vector<Sample>& samples, std::size_t repeats, Rng& rng) {
  std::vector<Sample*> order;
  while (true) {
    order.clear();
    for (auto& sample : samples) {
      if (sample.seconds.size() < repeats) order.push_back(&sample);
    }
    if (order.empty()) return {};
    // Interleaved, so that what drifts (clocks, neighbours) meets all placements alike.
    rng.shuffle(order);
    for (auto* sample : order) {
      METE_TRY(const double seconds, run_once(sample->mask, true));
      sample->seconds.push_back(seconds);
      effort_.kernel_seconds += seconds;
      ++effort_.runs;
    }
  }
}

Result<void> KernelTimer::add_joules(std::vector<Sample>& samples) {
  if (!request_.joules) return {};
  const double least = kCounterSteps * request_.joule_seconds;
  for (auto& sample : samples) {
    if (!std::isnan(sample.joules) || sample.seconds.size() < request_.repeats) continue;
    const double before = request_.joules();
    double seconds = 0;
    double runs = 0;
    while (runs == 0 || seconds < least) {
      METE_TRY(const double once, run_once(sample.mask, false));
      seconds += once;
      ++runs;
    }
    sample.joules = (request_.joules() - before) / runs;
  }
  return {};
}

Result<void> KernelTimer::prepare(const TimedKernel& timed, Kernel& kernel, const OperandPlan& plan,
                                  std::uint64_t seed) {
  timed_ = &timed;
  kernel_ = &kernel;
  plan_ = &plan;
  inputs_.resize(timed.job.inputs.size());
  outputs_.resize(timed.job.outputs.size());
  for (auto* pool : pools_) fill_operands(timed.job, timed.slots, plan, pool, seed);
  for (int i = 0; i < kWarmUpRuns; ++i) METE_TRY_VOID(run_once(0, false));
  return {};
}

Result<KernelMeasurement> KernelTimer::measure(const TimedKernel& timed, Kernel& kernel,
                                               const OperandPlan& plan, Rng rng,
                                               std::size_t repeats,
                                               const KernelMeasurement& earlier) {
  METE_TRY_VOID(prepare(timed, kernel, plan, rng.next()));
  KernelMeasurement measured;
  KernelProfile& profile = measured.profile;
  profile.key = timed.key;
  profile.implementation = kernel.implementation();
  profile.slots = timed.slots.groups.size();

  std::vector<Sample> samples;
  for (std::size_t i = 0; i < earlier.profile.timings.size(); ++i) {
    const PlacementTiming& timing = earlier.profile.timings[i];
    samples.push_back({timing.slow_mask, earlier.seconds[i], timing.joules});
  }
  if (samples.empty()) {
    for (const auto mask : model_masks(profile.slots)) samples.push_back({mask, {}});
    for (const auto mask : held_out_masks(profile.slots, rng)) samples.push_back({mask, {}});
  }
  METE_TRY_VOID(run_all(samples, repeats, rng));
  METE_TRY_VOID(add_joules(samples));
  take_timings(samples, measured);
  // Few repeats tell little of whether a kernel is additive, and a whole table is long.
  if (2 * repeats < request_.repeats) return measured;
  KernelProfile model = profile;
  std::erase_if(model.timings, [](const PlacementTiming& timing) {
    return (timing.slow_mask & (timing.slow_mask - 1)) != 0;
  });
  judge(profile, model);
  if (profile.additive || profile.slots > kMostTableSlots) return measured;

  for (std::uint32_t mask = 0; mask <= profile.all_slow(); ++mask) {
    if (timing_of(profile, mask) == nullptr) samples.push_back({mask, {}});
  }
  METE_TRY_VOID(run_all(samples, repeats, rng));
  METE_TRY_VOID(add_joules(samples));
  take_timings(samples, measured);
  return measured;
}

}  // namespace mete
