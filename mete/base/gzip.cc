// Expands gzipped files.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/gzip.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include <zlib.h>

#include "mete/base/files.h"

namespace mete {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's largest window, and a gzip header instead of zlib's
constexpr std::size_t kChunk = std::size_t{256} << 10U;

/// zlib's state, ended on every way out.
class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream, kGzipWindow) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream);
  }
  [[nodiscard]] bool ready() const { return ready_; }
  z_stream stream{};

 private:
  bool ready_ = false;
};

Error truncated(const std::string& where, std::size_t out) {
  return fail(Errc::invalid,
              "{}: truncated: the compressed data ends after {} bytes of text; copy the file again",
              where, out);
}

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

Result<std::string> gunzip(std::string_view bytes, std::size_t limit, const std::string& where) {
  if (!is_gzip(bytes)) return fail(Errc::invalid, "{}: not a gzip file", where);
  if (bytes.size() > UINT_MAX) return fail(Errc::invalid, "{}: too large to expand", where);
  Inflater inflater;
  if (!inflater.ready()) return fail(Errc::failed, "{}: zlib cannot start", where);
  z_stream& stream = inflater.stream;
  std::string input(bytes);  // zlib's interface wants bytes that it might write to
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::string out;
  std::string chunk(kChunk, '\0');
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    const int state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = chunk.size() - stream.avail_out;
    if (out.size() + got > limit) {
      return fail(Errc::invalid, "{}: expands to more than {} bytes, the most that is read", where,
                  limit);
    }
    out.append(chunk, 0, got);
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return fail(Errc::failed, "{}: zlib failed", where);
      continue;  // gzip files may be joined end to end
    }
    if (state == Z_BUF_ERROR || (state == Z_OK && stream.avail_in == 0 && got == 0)) {
      return truncated(where, out.size());
    }
    if (state != Z_OK) {
      return fail(Errc::invalid, "{}: damaged after {} bytes of text ({}); copy the file again",
                  where, out.size(), stream.msg != nullptr ? stream.msg : "zlib refuses it");
    }
  }
}

Result<std::string> read_file_or_gzip(const std::string& path, std::size_t limit) {
  METE_TRY(auto bytes, read_file(path, limit));
  if (!is_gzip(bytes)) return bytes;
  return gunzip(bytes, limit, path);
}

}  // namespace mete
