// What any bytes must do in the reader of traces: be refused in one line, or give rows; and the
// same rows however the file falls into blocks. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include <sys/mman.h>
#include <unistd.h>

#include "mete/dataset/trace_file.h"

namespace mete::fuzz {

/// A file in memory: traces are read from files only.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(fd_ >= 0, "memfd_create");
    while (!bytes.empty()) {
      const auto wrote = ::write(fd_, bytes.data(), bytes.size());
      require(wrote > 0, "write to memory");
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

struct TraceSeen {
  bool opened = false;
  std::vector<bool> is_text;
  std::vector<double> numbers;
  std::string texts;
  std::string problem;
};

inline TraceSeen read_all(const std::string& path, const TraceOptions& options) {
  TraceSeen seen;
  auto trace = TraceFile::open(path, options);
  if (!trace) {
    require_fair(trace.error(), path);
    return seen;
  }
  seen.opened = true;
  const auto& columns = trace->columns();
  require(columns.size() >= 2, "a trace has two columns or more");
  for (const auto& column : columns) seen.is_text.push_back(column.is_text);
  std::uint64_t offset = 0;
  std::uint64_t line = 0;
  while (trace->next()) {
    require(trace->numbers().size() == columns.size(), "one number per column");
    require(trace->row_offset() >= offset && trace->line() > line, "rows come in order");
    require(trace->row_offset() < trace->size(), "a row lies in the file");
    offset = trace->row_offset();
    line = trace->line();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].is_text) {
        seen.texts.append(trace->text(c)).append("|");
      } else {
        seen.numbers.push_back(trace->numbers()[c]);
      }
    }
  }
  require(trace->find("TIME", Domain::board, 0) == TraceFile::npos ||
              trace->find("TIME", Domain::board, 0) < columns.size(),
          "a column that is found exists");
  seen.problem = trace->problem();
  require(seen.problem.find('\n') == std::string::npos, seen.problem);
  return seen;
}

inline void trace_target(std::string_view bytes) {
  const MemoryFile file(bytes);
  const std::string path = file.path();
  const TraceSeen whole = read_all(path, {});
  TraceOptions in_blocks;
  in_blocks.block_bytes = 64;
  const TraceSeen cut = read_all(path, in_blocks);
  require(whole.opened == cut.opened, "blocks decide whether it is a trace");
  // Which columns are words is judged by the first block, so that blocks may differ there.
  if (whole.is_text == cut.is_text) {
    require(whole.numbers.size() == cut.numbers.size(), "blocks lose rows");
    for (std::size_t i = 0; i < whole.numbers.size(); ++i) {
      const double a = whole.numbers[i];
      const double b = cut.numbers[i];
      require(a == b || (std::isnan(a) && std::isnan(b)), "blocks change numbers");
    }
    require(whole.texts == cut.texts, "blocks change words");
    require(whole.problem == cut.problem, whole.problem + " / " + cut.problem);
  }
  static_cast<void>(read_all(path, {.absolute = false}));
  const auto table = read_trace_table(path, {}, 1000);
  if (table) {
    for (const auto& column : table->columns()) {
      require(column.size() == table->rows(), "columns are equally long");
    }
  } else {
    require_fair(table.error(), path);
  }
}

}  // namespace mete::fuzz
