// The options of a verb. CLI11 parses them; its header costs more to compile than all verbs
// together, so it stays in options.cc and commands.cc. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mete {

/// One option, to be refined: options.add_option("--out", path, "Folder")->required().
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option* required();
  /// Shows the value that the variable holds now as the default.
  Option* capture_default_str();
  /// The heading it is shown under.
  Option* group(const std::string& heading);
  /// For lists: one word may hold several values.
  Option* delimiter(char separator);
  /// For lists: false takes one word at each use of the option.
  Option* allow_extra_args(bool value);
  /// Not both.
  Option* excludes(Option* other);
  /// Only numbers from min to max, ends included; `why` is added to what a refusal says.
  Option* range(double min, double max);
  Option* range(int min, int max, std::string_view why = {});
  /// How often it was given.
  [[nodiscard]] std::size_t count() const;

 private:
  friend class OptionSet;
  /// Every number is read here and handed to CLI11 in plain digits: left alone it takes -1 for
  /// 2^64 - 1, 010 for eight, "" for 0, and the nearest it can hold for what is too large.
  void expect_whole(std::int64_t min, std::int64_t max);
  void expect_real();

  CLI::Option* option_;
  std::int64_t least_ = 0;
  std::int64_t most_ = 0;
  double low_ = std::numeric_limits<double>::lowest();
  double high_ = std::numeric_limits<double>::max();
  std::string why_;
};

class OptionSet {
 public:
  explicit OptionSet(CLI::App& app) : app_(app) {}
  OptionSet(const OptionSet&) = delete;
  OptionSet& operator=(const OptionSet&) = delete;

  /// `value` must outlive the parsing: keep it in the closure that the verb returns. Names:
  /// "-o,--output", or "NAME" for a positional word. T: string, a number, optional of these, or a
  /// vector of them (options.cc has the list). Numbers that T cannot hold are refused; give range()
  /// where fewer make sense.
  template <class T>
  Option* add_option(const std::string& names, T& value, const std::string& help);
  Option* add_flag(const std::string& names, bool& value, const std::string& help);
  /// The command that the verb runs: all words after `--`, exactly as they were typed (CLI11 would
  /// take "[a,b]" apart); plain words work without `--` too.
  void add_command(std::vector<std::string>& words, const std::string& help);
  /// Sets the words after `--` aside; how many of argv are left for CLI11.
  int split_command(int argc, char** argv);
  /// Once CLI11 has parsed the others.
  void join_command();
  /// Added to the verb's summary in its --help.
  void add_description(const std::string& text);

 private:
  Option* keep(CLI::Option* option);
  CLI::App& app_;
  std::deque<Option> options_;
  std::vector<std::string>* command_ = nullptr;
  std::vector<std::string> after_dashes_;
};

}  // namespace mete
