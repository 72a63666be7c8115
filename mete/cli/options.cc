// Options on CLI11.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/options.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

/// What one word of an option's value is: T, or what an optional or a vector holds.
template <class T>
struct Word {
  using Type = T;
};
template <class T>
struct Word<std::optional<T>> {
  using Type = T;
};
template <class T>
struct Word<std::vector<T>> {
  using Type = T;
};

/// Thrown, and not as a ValidationError, because CLI11 puts words of its own before what it takes
/// for a validator's.
[[noreturn]] void refuse(const CLI::Option& option, const std::string& word,
                         const std::string& expected, const std::string& why) {
  throw CLI::ConversionError(
      fmt::format("{} {}: expected {}{}{}", option.get_name(), word.empty() ? "''" : word, expected,
                  why.empty() ? "" : "; ", why),
      CLI::ExitCodes::ConversionError);
}

}  // namespace

Option* Option::required() {
  option_->required();
  return this;
}
Option* Option::capture_default_str() {
  option_->capture_default_str();
  return this;
}
Option* Option::group(const std::string& heading) {
  option_->group(heading);
  return this;
}
Option* Option::delimiter(char separator) {
  option_->delimiter(separator);
  return this;
}
Option* Option::allow_extra_args(bool value) {
  option_->allow_extra_args(value);
  return this;
}
Option* Option::excludes(Option* other) {
  option_->excludes(other->option_);
  return this;
}
Option* Option::range(double min, double max) {
  low_ = min;
  high_ = max;
  option_->type_name(fmt::format("{:g}..{:g}", min, max));
  return this;
}
Option* Option::range(int min, int max, std::string_view why) {
  least_ = min;
  most_ = max;
  why_ = why;
  option_->type_name(fmt::format("{}..{}", min, max));
  return this;
}

void Option::expect_whole(std::int64_t min, std::int64_t max) {
  least_ = min;
  most_ = max;
  option_->transform(CLI::Validator(
      [this](std::string& word) {
        const auto value = parse_int(trim(word));
        if (!value || *value < least_ || *value > most_) {
          refuse(*option_, word, fmt::format("a whole number from {} to {}", least_, most_), why_);
        }
        word = fmt::format("{}", *value);
        return std::string();
      },
      ""));
}

void Option::expect_real() {
  option_->transform(CLI::Validator(
      [this](std::string& word) {
        const auto value = parse_double(trim(word));
        const bool bounded = low_ > std::numeric_limits<double>::lowest();
        if (!value || !std::isfinite(*value) || *value < low_ || *value > high_) {
          refuse(*option_, word,
                 bounded ? fmt::format("a number from {:g} to {:g}", low_, high_) : "a number",
                 why_);
        }
        word = fmt::format("{}", *value);
        return std::string();
      },
      ""));
}

std::size_t Option::count() const { return option_->count(); }

Option* OptionSet::keep(CLI::Option* option) {
  options_.emplace_back(option);
  return &options_.back();
}

template <class T>
Option* OptionSet::add_option(const std::string& names, T& value, const std::string& help) {
  Option* option = keep(app_.add_option(names, value, help));
  using Value = typename Word<T>::Type;
  if constexpr (std::is_integral_v<Value>) {
    // Seeds and counts are kept in JSON and SQLite, whose whole numbers end where int64's do.
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<Value>::max());
    constexpr auto kHeld = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    option->expect_whole(std::is_signed_v<Value> ? std::numeric_limits<Value>::min() : 0,
                         static_cast<std::int64_t>(std::min(kMost, kHeld)));
  } else if constexpr (std::is_floating_point_v<Value>) {
    option->expect_real();
  }
  return option;
}

Option* OptionSet::add_flag(const std::string& names, bool& value, const std::string& help) {
  return keep(app_.add_flag(names, value, help));
}

void OptionSet::add_command(std::vector<std::string>& words, const std::string& help) {
  command_ = &words;
  app_.add_option("COMMAND", words, help);
}

int OptionSet::split_command(int argc, char** argv) {
  if (command_ == nullptr) return argc;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) != "--") continue;
    after_dashes_.assign(argv + i + 1, argv + argc);
    return i;
  }
  return argc;
}

void OptionSet::join_command() {
  if (command_ == nullptr) return;
  command_->insert(command_->end(), after_dashes_.begin(), after_dashes_.end());
}

void OptionSet::add_description(const std::string& text) {
  app_.description(app_.get_description() + text);
}

#define METE_OPTION_TYPE(T) \
  template Option* OptionSet::add_option<T>(const std::string&, T&, const std::string&)
METE_OPTION_TYPE(std::string);
METE_OPTION_TYPE(int);
METE_OPTION_TYPE(double);
METE_OPTION_TYPE(std::int64_t);
METE_OPTION_TYPE(std::size_t);  // and std::uint64_t
METE_OPTION_TYPE(std::optional<double>);
METE_OPTION_TYPE(std::optional<int>);
METE_OPTION_TYPE(std::optional<std::int64_t>);
METE_OPTION_TYPE(std::optional<std::size_t>);
METE_OPTION_TYPE(std::optional<std::string>);
METE_OPTION_TYPE(std::vector<std::string>);
METE_OPTION_TYPE(std::vector<std::size_t>);
METE_OPTION_TYPE(std::vector<double>);
#undef METE_OPTION_TYPE

}  // namespace mete
