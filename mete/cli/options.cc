// Options on CLI11.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/options.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace mete {

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
  option_->check(CLI::Range(min, max));
  return this;
}
Option* Option::range(int min, int max) {
  option_->check(CLI::Range(min, max));
  return this;
}
std::size_t Option::count() const { return option_->count(); }

Option* OptionSet::keep(CLI::Option* option) {
  options_.emplace_back(option);
  return &options_.back();
}

template <class T>
Option* OptionSet::add_option(const std::string& names, T& value, const std::string& help) {
  return keep(app_.add_option(names, value, help));
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
