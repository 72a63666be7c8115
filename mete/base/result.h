// What may be refused by the world is returned, not thrown: Result<T> carries a value or an Error
// whose code names the caller's next step. Exceptions never cross a room. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <tl/expected.hpp>

namespace mete {

/// What the caller should do next.
enum class Errc {
  unavailable,  ///< no such hardware, library or file here: go on without it
  unsupported,  ///< this device or build cannot do it
  denied,       ///< a privilege is missing
  gone,         ///< the expected end: a process exited, a device was removed
  retry,        ///< may succeed if tried again
  invalid,      ///< the input is wrong: tell the user, exit code 2
  failed,       ///< the work itself failed: exit code 1
  internal,     ///< a defect of mete
};

/// The name of a code, as printed in --json output.
std::string_view errc_name(Errc code);

/// One line that says what happened, where, and what to do next.
struct Error {
  Errc code = Errc::internal;
  std::string what;

  /// The same error with "where: " put before it, as it rises through the rooms.
  [[nodiscard]] Error within(std::string_view where) const {
    return Error{code, fmt::format("{}: {}", where, what)};
  }
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  // NOLINTNEXTLINE(google-explicit-constructor): an Error is a Result, as with std::expected
  Result(Error error) : tl::expected<T, Error>(tl::unexpect, std::move(error)) {}
  Result(tl::expected<T, Error> other) : tl::expected<T, Error>(std::move(other)) {}
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  using tl::expected<void, Error>::expected;
  // NOLINTNEXTLINE(google-explicit-constructor): an Error is a Result, as with std::expected
  Result(Error error) : tl::expected<void, Error>(tl::unexpect, std::move(error)) {}
  Result(tl::expected<void, Error> other) : tl::expected<void, Error>(std::move(other)) {}
};

/// fail(Errc::invalid, "{}: expected a number, got '{}'", file, text)
template <class... Args>
[[nodiscard]] Error fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace mete

#define METE_CONCAT_(a, b) a##b
#define METE_CONCAT(a, b) METE_CONCAT_(a, b)
#define METE_TRY_(tmp, decl, expr) \
  auto tmp = (expr);               \
  if (!tmp) return tmp.error();    \
  decl = std::move(*tmp)

/// METE_TRY(auto text, read_text(path)); METE_TRY_VOID(save()): the only macros that hide a return.
#define METE_TRY(decl, expr) METE_TRY_(METE_CONCAT(mete_try_, __LINE__), decl, expr)
#define METE_TRY_VOID(expr) \
  if (auto mete_try_void = (expr); !mete_try_void) return mete_try_void.error()
