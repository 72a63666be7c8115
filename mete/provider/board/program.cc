// Reading programs: line by line, with repeats unrolled under a limit.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/program.h"

#include <cmath>
#include <utility>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/base/utf8.h"

namespace mete {
namespace {

constexpr std::size_t kFileLimit = std::size_t{1} << 20U;
constexpr std::size_t kMaxPhases = 100'000;
constexpr std::size_t kMaxDepth = 16;
/// Eleven days of virtual time at the top clock: far beyond any study, far below the clock's range.
constexpr double kMaxSeconds = 1e6;

Result<double> parse_seconds(std::string_view text) {
  METE_TRY(const double seconds, parse_quantity(text, "s"));
  if (!(seconds > 0) || seconds > kMaxSeconds) {
    return fail(Errc::invalid, "'{}': expected seconds, more than 0 and at most {}", text,
                kMaxSeconds);
  }
  return seconds;
}

Result<Phase> kernel_phase(std::string_view name, double seconds, const Board& board) {
  METE_TRY(const std::size_t kernel, board.find_kernel(name));
  return Phase{Phase::Kind::kernel, kernel, seconds / board.kernels[kernel].points.back().seconds,
               seconds};
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (const auto word : split(line.substr(0, line.find('#')), ' ')) {
    for (const auto part : split(word, '\t')) {
      if (!trim(part).empty()) words.push_back(trim(part));
    }
  }
  return words;
}

/// Reads lines into phases; an open repeat remembers where its phases begin.
class Reader {
 public:
  explicit Reader(const Board& board) : board_(board) {}

  Result<void> line(std::size_t number, std::string_view text) {
    const auto words = words_of(text);
    if (words.empty()) return {};
    if (words[0] == "kernel" && words.size() == 3) {
      METE_TRY(const double seconds, parse_seconds(words[2]));
      METE_TRY(const Phase phase, kernel_phase(words[1], seconds, board_));
      return add(phase);
    }
    if (words[0] == "idle" && words.size() == 2) {
      METE_TRY(const double seconds, parse_seconds(words[1]));
      return add(Phase{Phase::Kind::idle, 0, 0, seconds});
    }
    if (words[0] == "repeat" && words.size() == 2) return open(number, words[1]);
    if (words[0] == "end" && words.size() == 1) return close();
    return fail(Errc::invalid,
                "'{}': expected 'kernel NAME SECONDS', 'idle SECONDS', 'repeat N' or 'end'",
                trim(text).substr(0, 80));
  }

  Result<std::vector<Phase>> finish() {
    if (!repeats_.empty()) {
      return fail(Errc::invalid, "the repeat of line {} has no 'end'", repeats_.back().line);
    }
    if (phases_.empty())
      return fail(Errc::invalid, "has no phases: expected a line such as 'kernel NAME SECONDS'");
    return std::move(phases_);
  }

 private:
  struct Repeat {
    std::size_t line;
    std::size_t first;
    double seconds_before;
    std::size_t times;
  };

  Result<void> add(const Phase& phase) {
    METE_TRY_VOID(check_size(phases_.size() + 1, seconds_ + phase.seconds));
    phases_.push_back(phase);
    seconds_ += phase.seconds;
    return {};
  }

  Result<void> open(std::size_t number, std::string_view times) {
    const auto n = parse_int(times);
    if (!n || *n < 1 || *n > static_cast<std::int64_t>(kMaxPhases)) {
      return fail(Errc::invalid, "repeat '{}': expected a whole number, 1 to {}", times,
                  kMaxPhases);
    }
    if (repeats_.size() == kMaxDepth)
      return fail(Errc::invalid, "more than {} repeats inside each other", kMaxDepth);
    repeats_.push_back({number, phases_.size(), seconds_, static_cast<std::size_t>(*n)});
    return {};
  }

  Result<void> close() {
    if (repeats_.empty()) return fail(Errc::invalid, "'end' without a 'repeat' before it");
    const Repeat repeat = repeats_.back();
    repeats_.pop_back();
    const std::size_t length = phases_.size() - repeat.first;
    if (length == 0)
      return fail(Errc::invalid, "the repeat of line {} holds no phases", repeat.line);
    const double seconds = seconds_ - repeat.seconds_before;
    METE_TRY_VOID(check_size(repeat.first + length * repeat.times,
                             repeat.seconds_before + seconds * static_cast<double>(repeat.times)));
    phases_.reserve(repeat.first + length * repeat.times);
    for (std::size_t i = 0; i < length * (repeat.times - 1); ++i)
      phases_.push_back(phases_[repeat.first + i]);
    seconds_ = repeat.seconds_before + seconds * static_cast<double>(repeat.times);
    return {};
  }

  static Result<void> check_size(std::size_t phases, double seconds) {
    if (phases > kMaxPhases) {
      return fail(Errc::invalid,
                  "the program grows beyond {} phases: use longer phases or fewer repeats",
                  kMaxPhases);
    }
    if (seconds > kMaxSeconds) {
      return fail(Errc::invalid,
                  "the program grows beyond {} s: use shorter phases or fewer repeats",
                  kMaxSeconds);
    }
    return {};
  }

  const Board& board_;
  std::vector<Phase> phases_;
  std::vector<Repeat> repeats_;
  double seconds_ = 0;
};

}  // namespace

double Program::seconds_at_top_clock() const {
  double sum = 0;
  for (const auto& phase : phases) sum += phase.seconds;
  return sum;
}

Result<Program> parse_program(std::string_view text, const std::string& file, const Board& board) {
  Reader reader(board);
  std::size_t number = 0;
  for (const auto line : split(without_mark(text), '\n')) {
    ++number;
    if (auto done = reader.line(number, line); !done) {
      return done.error().within(fmt::format("{}:{}", file, number));
    }
  }
  auto phases = reader.finish();
  if (!phases) return phases.error().within(file);
  return Program{file, std::move(*phases)};
}

Result<Program> load_program(const std::string& name_or_path, const Board& board) {
  const auto single = [&](std::string_view kernel, double seconds) -> Result<Program> {
    METE_TRY(const Phase phase, kernel_phase(kernel, seconds, board));
    return Program{name_or_path, {phase}};
  };
  if (board.find_kernel(name_or_path)) return single(name_or_path, kDefaultProgramSeconds);
  // The name of a kernel may hold '/', as a path does: kernels come first.
  const auto colon = name_or_path.rfind(':');
  const std::string before = name_or_path.substr(0, colon);
  if (colon != std::string::npos && (board.find_kernel(before) || !path_exists(name_or_path))) {
    METE_TRY_VOID(board.find_kernel(before));
    auto seconds = parse_seconds(std::string_view(name_or_path).substr(colon + 1));
    if (!seconds) return seconds.error().within(name_or_path);
    return single(before, *seconds);
  }
  if (!path_exists(name_or_path)) {
    return fail(Errc::invalid, "no such program file, and {}",
                board.find_kernel(name_or_path).error().what);
  }
  if (is_directory(name_or_path))
    return fail(Errc::invalid, "{}: is a folder; a program is one text file", name_or_path);
  auto text = read_file(name_or_path, kFileLimit);
  if (!text) return Error{Errc::invalid, text.error().what};
  return parse_program(*text, name_or_path, board);
}

}  // namespace mete
