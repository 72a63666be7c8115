// Reads GEOPM's network and frequency-map JSON. Every refusal names the file, the part of it that
// is wrong, and what was expected there.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/learn/ffnet.h"

namespace mete {
namespace {

constexpr std::array<std::string_view, 5> kKeys{"layers", "signal_inputs", "delta_inputs",
                                                "trace_outputs", "description"};
/// No processor's clock is lower; maps in GHz or MHz are.
constexpr double kLeastFrequency = 1e6;
constexpr std::size_t kShownText = 40;
/// No file of this kind names so many things, and keys are compared with each other.
constexpr std::ptrdiff_t kMostNames = 10'000;

/// A value as an error shows it: what kind, and a number or short text itself.
std::string shown(const Json& value) {
  if (value.is_array()) return fmt::format("a list of {}", value.items().size());
  if (value.is_object()) return "an object";
  auto text = value.dump(-1);
  if (text.size() > kShownText) return "a long text";
  return text;
}

Result<Json> parse_object(std::string_view text, std::string_view where, std::string_view what) {
  if (text.size() > kFfnetReadLimit) {
    return fail(Errc::invalid, "{}: {} bytes, more than the {} that {} may have", where,
                text.size(), kFfnetReadLimit, what);
  }
  if (std::count(text.begin(), text.end(), '"') > 2 * kMostNames) {
    return fail(Errc::invalid, "{}: more than {} names, expected {}", where, +kMostNames, what);
  }
  auto json = parse_json(text);
  if (!json) return json.error().within(where);
  if (!json->is_object()) {
    return fail(Errc::invalid, "{}: expected {}, a JSON object, got {}", where, what, shown(*json));
  }
  return json;
}

/// A path that cannot be read is the user's slip, as a wrong file is.
Result<std::string> read_named_file(const std::string& path) {
  auto text = read_file(path, kFfnetReadLimit);
  if (!text) return Error{Errc::invalid, text.error().what};
  return text;
}

/// A signal's or region's name: such as a trace's header can carry.
Result<std::string> read_name(const Json& value, std::string_view where) {
  if (!value.is_string()) {
    return fail(Errc::invalid, "{}: expected a name, got {}", where, shown(value));
  }
  auto name = value.as_string();
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return c == '|' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (name.empty() || !plain) {
    return fail(Errc::invalid, "{}: expected a name without '|' and line breaks, got {}", where,
                shown(value));
  }
  return name;
}

Result<std::vector<double>> read_numbers(const Json& value, std::string_view where) {
  if (!value.is_array() || value.items().empty()) {
    return fail(Errc::invalid, "{}: expected a list of numbers, got {}", where,
                value.is_array() ? "an empty one" : shown(value));
  }
  std::vector<double> numbers;
  numbers.reserve(value.items().size());
  for (const Json& item : value.items()) {
    if (!item.is_number() || !std::isfinite(item.as_number())) {
      return fail(Errc::invalid, "{}: value {} is {}, expected a number", where, numbers.size() + 1,
                  shown(item));
    }
    numbers.push_back(item.as_number());
  }
  return numbers;
}

Result<DenseLayer> read_layer(const Json& value, const std::string& where) {
  if (!value.is_array() || value.items().size() != 2) {
    return fail(Errc::invalid, "{}: expected [weights, bias], got {}", where, shown(value));
  }
  const Json& rows = value.items()[0];
  if (!rows.is_array() || rows.items().empty()) {
    return fail(Errc::invalid, "{}: expected rows of weights, got {}", where,
                rows.is_array() ? "an empty list" : shown(rows));
  }
  DenseLayer layer;
  for (const Json& row : rows.items()) {
    ++layer.rows;
    METE_TRY(const auto numbers, read_numbers(row, fmt::format("{}, row {}", where, layer.rows)));
    if (layer.rows == 1) layer.cols = numbers.size();
    if (numbers.size() != layer.cols) {
      return fail(Errc::invalid, "{}, row {}: {} weights, expected {} as in row 1", where,
                  layer.rows, numbers.size(), layer.cols);
    }
    layer.weights.insert(layer.weights.end(), numbers.begin(), numbers.end());
  }
  METE_TRY(layer.bias, read_numbers(value.items()[1], where + ", bias"));
  if (layer.bias.size() != layer.rows) {
    return fail(Errc::invalid, "{}, bias: {} values, expected {}, one for each row of weights",
                where, layer.bias.size(), layer.rows);
  }
  return layer;
}

/// The list of that name; an empty one if there is no such key.
Result<const Json::Array*> list_of(const Json& json, std::string_view key, std::string_view where) {
  static const Json::Array kNone;
  const Json* found = json.find(key);
  if (found == nullptr) return &kNone;
  if (!found->is_array()) {
    return fail(Errc::invalid, "{}: {}: expected a list, got {}", where, key, shown(*found));
  }
  return &found->items();
}

Result<std::vector<std::string>> read_names(const Json& json, std::string_view key,
                                            std::string_view where) {
  METE_TRY(const auto* const items, list_of(json, key, where));
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const Json& item : *items) {
    const auto place = fmt::format("{}: {} {}", where, key, names.size() + 1);
    METE_TRY(auto name, read_name(item, place));
    if (!seen.insert(name).second) {
      return fail(Errc::invalid, "{}: {} is there twice", place, name);
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::vector<DeltaInput>> read_deltas(const Json& json, std::string_view where) {
  METE_TRY(const auto* const items, list_of(json, "delta_inputs", where));
  std::vector<DeltaInput> deltas;
  for (const Json& item : *items) {
    const auto place = fmt::format("{}: delta_inputs {}", where, deltas.size() + 1);
    if (!item.is_array() || item.items().size() != 2) {
      return fail(Errc::invalid, "{}: expected [\"NUMERATOR\", \"DENOMINATOR\"], got {}", place,
                  shown(item));
    }
    DeltaInput delta;
    METE_TRY(delta.numerator, read_name(item.items()[0], place));
    METE_TRY(delta.denominator, read_name(item.items()[1], place));
    deltas.push_back(std::move(delta));
  }
  return deltas;
}

Result<std::vector<DenseLayer>> read_layers(const Json& json, std::size_t inputs,
                                            std::string_view where) {
  METE_TRY(const auto* const items, list_of(json, "layers", where));
  if (items->empty()) {
    return fail(Errc::invalid, "{}: layers: expected at least one [weights, bias], there is none",
                where);
  }
  std::vector<DenseLayer> layers;
  std::size_t width = inputs;
  for (const Json& item : *items) {
    const auto place = fmt::format("{}: layer {}", where, layers.size() + 1);
    METE_TRY(auto layer, read_layer(item, place));
    if (layer.cols != width) {
      return fail(
          Errc::invalid, "{}: {} weights in a row, expected {}, {}", place, layer.cols, width,
          layers.empty() ? "one for each signal and delta input" : "the rows of the layer before");
    }
    width = layer.rows;
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace

Result<FeedForwardNet> FeedForwardNet::parse(std::string_view text, std::string_view where) {
  METE_TRY(const Json json, parse_object(text, where, "a network"));
  for (const auto& [key, value] : json.members()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) continue;
    const std::vector<std::string> known(kKeys.begin(), kKeys.end());
    return fail(Errc::invalid, "{}: {} is no key of a network{}; there are {}", where,
                shown(Json(key)), did_you_mean(key, known), join(known, ", "));
  }
  FeedForwardNet net;
  METE_TRY(net.signals_, read_names(json, "signal_inputs", where));
  METE_TRY(net.deltas_, read_deltas(json, where));
  if (net.inputs() == 0) {
    return fail(Errc::invalid,
                "{}: no inputs: expected names in signal_inputs, or pairs in delta_inputs", where);
  }
  METE_TRY(net.layers_, read_layers(json, net.inputs(), where));
  if (json.find("trace_outputs") == nullptr) {
    return fail(Errc::invalid, "{}: expected trace_outputs, a name for each of the {} outputs",
                where, net.layers_.back().rows);
  }
  METE_TRY(net.outputs_, read_names(json, "trace_outputs", where));
  if (net.outputs_.size() != net.layers_.back().rows) {
    return fail(Errc::invalid, "{}: trace_outputs: {} names, expected {}, the rows of layer {}",
                where, net.outputs_.size(), net.layers_.back().rows, net.layers_.size());
  }
  std::size_t widest = net.inputs();
  for (const auto& layer : net.layers_) widest = std::max(widest, layer.rows);
  net.from_.assign(widest, 0.0);
  net.to_.assign(widest, 0.0);
  return net;
}

Result<FeedForwardNet> FeedForwardNet::load(const std::string& path) {
  METE_TRY(const auto text, read_named_file(path));
  return parse(text, path);
}

Result<FrequencyMap> FrequencyMap::parse(std::string_view text, std::string_view where) {
  METE_TRY(const Json json, parse_object(text, where, "a frequency map"));
  if (json.members().empty()) {
    return fail(Errc::invalid, "{}: expected regions, as in {{\"region\": [1.2e9, 1.0e9]}}", where);
  }
  FrequencyMap map;
  for (const auto& [region, value] : json.members()) {
    const auto place = fmt::format("{}: region {}", where, shown(Json(region)));
    METE_TRY(auto frequencies, read_numbers(value, place));
    for (const double frequency : frequencies) {
      if (frequency >= kLeastFrequency) continue;
      return fail(Errc::invalid, "{}: {} is no clock: expected Hz, 1e6 or more", place, frequency);
    }
    map.regions_.emplace_back(region, std::move(frequencies));
  }
  return map;
}

Result<FrequencyMap> FrequencyMap::load(const std::string& path) {
  METE_TRY(const auto text, read_named_file(path));
  return parse(text, path);
}

}  // namespace mete
