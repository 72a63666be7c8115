// Thin ownership over HDF5's handles, and errors in words. Only sources of this room include it: it
// brings hdf5.h. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hdf5.h>

#include "mete/base/result.h"

namespace mete::hdf5 {

/// A handle of any kind, closed by the function that its kind needs.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      close_ = other.close_;
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  [[nodiscard]] bool ok() const { return id_ >= 0; }
  [[nodiscard]] hid_t id() const { return id_; }
  /// True if closing went well (data still in memory could be written).
  bool reset() {
    const hid_t id = std::exchange(id_, -1);
    return id < 0 || close_(id) >= 0;
  }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// Keeps HDF5 from printing its own stack of errors; call before the first use.
void be_quiet();
/// The reason for the last failed call: the operating system's words if it was a write or read,
/// else HDF5's.
std::string last_error();

/// Text as PyTables writes it (fixed length, UTF-8), and a pickle (ASCII bytes).
bool put_text(hid_t object, const std::string& name, std::string_view value);
bool put_pickle(hid_t object, const std::string& name, std::string_view pickle);
bool put_integer(hid_t object, const std::string& name, std::int64_t value);
/// The text of a string attribute; empty if there is none.
std::string get_text(hid_t object, const std::string& name);

/// An HDF5 file that becomes visible under its name only once it is complete.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Not committed: leaves nothing behind.
  ~OutputFile();

  [[nodiscard]] hid_t id() const { return file_.id(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The error for a failed call on this file: names it and says why. The file is given up: what is
  /// written to it from now on goes nowhere.
  [[nodiscard]] Error failed();
  /// Writes past HDF5, into room that it has given away for raw data. Pieces that follow one
  /// another are joined where the system's own pages end, for which its copying is up to a fifth
  /// quicker; what is left of them is written by commit() at the latest.
  Result<void> write_at(std::uint64_t address, const std::byte* bytes, std::size_t count);
  /// Closes and renames.
  Result<void> commit();

 private:
  OutputFile(std::string path, std::string part, Handle file)
      : path_(std::move(path)), part_(std::move(part)), file_(std::move(file)) {}
  [[nodiscard]] int* descriptor() const;
  Result<void> write_tail_and(const std::byte* bytes, std::size_t count);
  void turn_away() const;
  void abandon();

  std::string path_;
  std::string part_;
  Handle file_;
  std::unique_ptr<std::byte[]> tail_;  ///< what write_at() has not written yet
  std::size_t tail_bytes_ = 0;
  std::uint64_t tail_address_ = 0;
};

}  // namespace mete::hdf5
