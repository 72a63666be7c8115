// Shapes and element types, and counts that saturate instead of wrapping around: a batch of a
// thousand million times a filter is a number of operations that does not fit 64 bits.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mete {

inline constexpr std::uint64_t kTooMany = std::numeric_limits<std::uint64_t>::max();

/// Sum and product that stay at kTooMany once they reach it.
std::uint64_t plus(std::uint64_t a, std::uint64_t b);
std::uint64_t times(std::uint64_t a, std::uint64_t b);

enum class DataType : std::uint8_t { f32, i64 };
std::uint64_t bytes_of(DataType type);
std::string_view data_type_name(DataType type);

/// Sizes along each axis, outermost first; images are N, C, H, W. An empty shape is a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<std::int64_t> dims) : dims_(std::move(dims)) {}

  [[nodiscard]] std::size_t rank() const { return dims_.size(); }
  [[nodiscard]] std::int64_t operator[](std::size_t axis) const { return dims_[axis]; }
  [[nodiscard]] std::int64_t& operator[](std::size_t axis) { return dims_[axis]; }
  /// The i-th axis from the end: 0 is the innermost.
  [[nodiscard]] std::int64_t from_end(std::size_t i) const { return dims_[dims_.size() - 1 - i]; }
  [[nodiscard]] const std::vector<std::int64_t>& dims() const { return dims_; }
  /// Saturates; 0 if any size is 0 or less.
  [[nodiscard]] std::uint64_t elements() const;
  /// "16x64x224x224", "scalar".
  [[nodiscard]] std::string text() const;
  bool operator==(const Shape&) const = default;

 private:
  std::vector<std::int64_t> dims_;
};

struct TensorType {
  Shape shape;
  DataType type = DataType::f32;

  [[nodiscard]] std::uint64_t bytes() const { return times(shape.elements(), bytes_of(type)); }
  bool operator==(const TensorType&) const = default;
};

}  // namespace mete
