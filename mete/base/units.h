// Quantities at the seams between rooms: SI units in the type, so that a power cannot be passed for
// an energy. Columns of a Table hold plain doubles with the unit in the column's metadata.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>

namespace mete {

template <class Tag>
struct Quantity {
  double value = 0;

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(Quantity a, double k) { return {a.value * k}; }
  friend constexpr Quantity operator*(double k, Quantity a) { return {a.value * k}; }
  friend constexpr Quantity operator/(Quantity a, double k) { return {a.value / k}; }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value / b.value; }
};

using Seconds = Quantity<struct SecondsTag>;
using Joules = Quantity<struct JoulesTag>;
using Watts = Quantity<struct WattsTag>;
using Hertz = Quantity<struct HertzTag>;
using Bytes = Quantity<struct BytesTag>;

constexpr Watts operator/(Joules e, Seconds t) { return {e.value / t.value}; }
constexpr Joules operator*(Watts p, Seconds t) { return {p.value * t.value}; }
constexpr Joules operator*(Seconds t, Watts p) { return p * t; }

}  // namespace mete
