// The YAML reader of json.h, on yaml-cpp's event stream.
// SPDX-License-Identifier: BSD-3-Clause
#include <cctype>
#include <limits>
#include <sstream>

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
    // yaml-cpp tags quoted scalars "!", plain ones "?".
    if (!stack_.empty() && stack_.back().is_object() && !have_key_) {
      key_.back() = value;
      have_key_ = true;
      return;
    }
    add(tag == "!" ? Json(value) : typed_scalar(value));
  }
  void OnSequenceStart(const YAML::Mark& m, const std::string& /*t*/, YAML::anchor_t /*a*/,
                       YAML::EmitterStyle::value /*s*/) override {
    open(m, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& m, const std::string& /*t*/, YAML::anchor_t /*a*/,
                  YAML::EmitterStyle::value /*s*/) override {
    open(m, Json::object());
  }
  void OnMapEnd() override { close(); }

  Json root;

 private:
  void open(const YAML::Mark& m, Json v) {
    if (stack_.size() >= kMaxDepth)
      throw Refused(fmt::format("line {}: nested too deep", m.line + 1));
    if (!stack_.empty() && stack_.back().is_object() && !have_key_) {
      throw Refused(fmt::format("line {}: a key must be a plain word", m.line + 1));
    }
    stack_.push_back(std::move(v));
    key_.emplace_back();
    have_key_ = false;
  }
  void close() {
    Json done = std::move(stack_.back());
    stack_.pop_back();
    key_.pop_back();
    have_key_ = !stack_.empty() && stack_.back().is_object();
    add(std::move(done));
  }
  void add(Json v) {
    if (stack_.empty()) {
      root = std::move(v);
    } else if (stack_.back().is_object()) {
      stack_.back().set(key_.back(), std::move(v));
      have_key_ = false;
    } else {
      stack_.back().push(std::move(v));
    }
  }

  std::vector<Json> stack_;
  std::vector<std::string> key_;
  bool have_key_ = false;
};

}  // namespace

Result<Json> parse_yaml(std::string_view text) {
  Handler handler;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(handler);
  } catch (const YAML::Exception& e) {
    return fail(Errc::invalid, "not YAML: line {}, column {}: {}", e.mark.line + 1,
                e.mark.column + 1, e.msg);
  } catch (const std::exception& e) {
    return fail(Errc::invalid, "not YAML: {}", e.what());
  }
  return std::move(handler.root);
}

}  // namespace mete
