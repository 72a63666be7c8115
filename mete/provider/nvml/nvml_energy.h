// Energy as the integral of power samples, and the check of a GPU's energy counter against it.
//
// Both stand beside each other because either may be wrong: counters have been seen at half of the
// truth (Zeus, issue 181), and sensors that look only a part of the time miss what happens in
// between (Yang et al., SC24). Units: seconds, watts, joules. No thread of its own, no memory.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mete {

/// The trapezoid under samples of power.
class SampleIntegral {
 public:
  /// Samples that are not after the one before, or are not numbers, are left out.
  void add(double seconds, double watts) noexcept;
  [[nodiscard]] double joules() const noexcept { return joules_; }
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  [[nodiscard]] double last_watts() const noexcept { return watts_; }
  /// How many times samples were further apart than a second: there the trapezoid is a guess.
  [[nodiscard]] int gaps() const noexcept { return gaps_; }

 private:
  bool begun_ = false;
  double seconds_ = 0;
  double watts_ = 0;
  double joules_ = 0;
  int gaps_ = 0;
};

/// The values of GPU_ENERGY_CHECK.
enum class EnergyVerdict { too_early = 0, agree = 1, disagree = 2 };

/// Compares the growth of a counter with that of an integral since the first look, or since the
/// last gap or step back. They agree if they differ by no more than 5 % of the larger and half a
/// second of the present power: counter and samples are updated at different times. Below 5 s it
/// is too early to tell.
class EnergyCheck {
 public:
  EnergyVerdict look(double seconds, double counter_joules,
                     const SampleIntegral& integral) noexcept;

 private:
  bool begun_ = false;
  double from_ = 0;
  double counter_from_ = 0;
  double integral_from_ = 0;
  double counter_last_ = 0;
  int gaps_ = 0;
};

}  // namespace mete
