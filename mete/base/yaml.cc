// The YAML reader of json.h, on yaml-cpp's event stream.
// SPDX-License-Identifier: BSD-3-Clause
#include <cctype>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "mete/base/json.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::size_t kMaxDepth = 64;

struct Refused : std::exception {
  explicit Refused(std::string w) : why(std::move(w)) {}
  const char* what() const noexcept override { return why.c_str(); }
  std::string why;
};

Json typed_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null") return {};
  if (text == "true" || text == "True") return {true};
  if (text == "false" || text == "False") return {false};
  if (text.size() > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return {text};
  // YAML's own spelling, besides the "nan" that GEOPM writes.
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return {std::numeric_limits<double>::quiet_NaN()};
  }
  if (text == ".inf" || text == "-.inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return {text[0] == '-' ? -infinity : infinity};
  }
  if (const auto integer = parse_int(text)) return {*integer};
  if (const auto number = parse_double(text)) return {*number};
  return {text};
}

/// yaml-cpp quotes what it did not like as it stands, a line's end too; an error is one line.
std::string on_one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
  }
  return text;
}

class Handler final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*m*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*m*/, YAML::anchor_t /*a*/) override { add(Json()); }
  void OnAlias(const YAML::Mark& m, YAML::anchor_t /*a*/) override {
    throw Refused(fmt::format("line {}: YAML aliases are not read", m.line + 1));
  }
  void OnScalar(const YAML::Mark& /*m*/, const std::string& tag, YAML::anchor_t /*a*/,
                const std::string& value) override {
    if (wants_key()) {
      stack_.back().key = value;
      stack_.back().have_key = true;
      return;
    }
    // yaml-cpp tags quoted scalars "!", plain ones "?".
    add(tag == "!" ? Json(value) : typed_scalar(value));
  }
  void OnSequenceStart(const YAML::Mark& m, const std::string& /*t*/, YAML::anchor_t /*a*/,
                       YAML::EmitterStyle::value /*s*/) override {
    open(m, false);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& m, const std::string& /*t*/, YAML::anchor_t /*a*/,
                  YAML::EmitterStyle::value /*s*/) override {
    open(m, true);
  }
  void OnMapEnd() override { close(); }

  Json root;

 private:
  /// A map or sequence that is still open.
  struct Frame {
    bool is_map = false;
    bool have_key = false;
    std::string key;
    Json::Object members;
    Json::Array items;
  };

  [[nodiscard]] bool wants_key() const {
    return !stack_.empty() && stack_.back().is_map && !stack_.back().have_key;
  }
  void open(const YAML::Mark& m, bool is_map) {
    if (stack_.size() >= kMaxDepth)
      throw Refused(fmt::format("line {}: nested too deep", m.line + 1));
    if (wants_key()) throw Refused(fmt::format("line {}: a key must be a plain word", m.line + 1));
    stack_.push_back({is_map, false, {}, {}, {}});
  }
  void close() {
    Frame done = std::move(stack_.back());
    stack_.pop_back();
    add(done.is_map ? Json::from_members(std::move(done.members)) : Json(std::move(done.items)));
  }
  void add(Json v) {
    if (stack_.empty()) {
      root = std::move(v);
    } else if (Frame& frame = stack_.back(); frame.is_map) {
      frame.members.emplace_back(std::move(frame.key), std::move(v));
      frame.have_key = false;
    } else {
      frame.items.push_back(std::move(v));
    }
  }

  std::vector<Frame> stack_;
};

/// Nested maps of plain words and numbers, one "key: value" a line: what reports are made of, at a
/// fiftieth of what the whole of YAML costs. Anything else, however little, is refused, and read by
/// yaml-cpp.
class PlainMaps {
 public:
  std::optional<Json> parse(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      const auto line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      const auto indent = line.find_first_not_of(' ');
      if (indent == std::string_view::npos) continue;
      if (!step_to(indent) || !take(line.substr(indent))) return std::nullopt;
    }
    if (stack_.empty()) return std::nullopt;
    while (stack_.size() > 1) close();
    return closed();
  }

 private:
  struct Frame {
    std::size_t indent = 0;
    bool pending = false;  ///< the last key has no value yet
    std::string key;
    Json::Object members;
  };

  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  bool step_to(std::size_t indent) {
    if (stack_.empty() || (indent > stack_.back().indent && stack_.back().pending)) {
      if (stack_.size() >= kMaxDepth) return false;
      stack_.push_back({indent, false, {}, {}});
      return true;
    }
    while (indent < stack_.back().indent && stack_.size() > 1) close();
    if (stack_.back().pending) add({});
    return stack_.back().indent == indent;
  }

  bool take(std::string_view line) {
    if (!is_word(line[0])) return false;
    std::size_t colon = 0;
    for (; colon < line.size(); ++colon) {
      const char c = line[colon];
      if (c == ':' && (colon + 1 == line.size() || line[colon + 1] == ' ')) break;
      if (!is_word(c) && std::string_view(" @.()/+-:").find(c) == std::string_view::npos) {
        return false;
      }
    }
    if (colon == line.size() || line[colon - 1] == ' ') return false;
    Frame& frame = stack_.back();
    frame.key = line.substr(0, colon);
    frame.pending = true;
    auto value = line.substr(colon + 1);
    if (value.empty()) return true;
    value.remove_prefix(1);
    if (value.empty() || !(is_word(value[0]) || value[0] == '-' || value[0] == '.')) return false;
    for (const char c : value) {
      if (!is_word(c) && c != '.' && c != '+' && c != '-') return false;
    }
    if (!is_word(value.back())) return false;  // "-", "..."
    add(typed_scalar(std::string(value)));
    return true;
  }

  void add(Json value) {
    Frame& frame = stack_.back();
    frame.members.emplace_back(std::move(frame.key), std::move(value));
    frame.pending = false;
  }
  Json closed() {
    if (stack_.back().pending) add({});
    return Json::from_members(std::move(stack_.back().members));
  }
  void close() {
    Json map = closed();
    stack_.pop_back();
    add(std::move(map));
  }

  std::vector<Frame> stack_;
};

}  // namespace

Result<Json> parse_yaml(std::string_view text) {
  if (auto plain = PlainMaps().parse(text)) return std::move(*plain);
  Handler handler;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(handler);
  } catch (const YAML::Exception& e) {
    return fail(Errc::invalid, "not YAML: line {}, column {}: {}", e.mark.line + 1,
                e.mark.column + 1, on_one_line(e.msg));
  } catch (const std::exception& e) {
    return fail(Errc::invalid, "not YAML: {}", e.what());
  }
  return std::move(handler.root);
}

}  // namespace mete
