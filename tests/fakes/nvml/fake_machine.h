// The fake libnvidia-ml from a test's side: the library that the provider opens, opened once more.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/fakes/nvml/fake_nvml.h"

#include "mete/base/library.h"

namespace mete::fake {

class FakeNvml {
 public:
  explicit FakeNvml(const std::string& path) : library_(Library::open(path).value()) {}

  void script(const std::string& text) const {
    const int wrong = find<ScriptFunction>("fake_nvml_script")(text.c_str());
    if (wrong != 0) throw std::invalid_argument(text);
  }
  void advance(std::chrono::microseconds time) const {
    find<AdvanceFunction>("fake_nvml_advance")(time.count());
  }
  [[nodiscard]] unsigned long calls(const char* function) const {
    return find<CallsFunction>("fake_nvml_calls")(function);
  }
  void release() const { find<ReleaseFunction>("fake_nvml_release")(); }
  /// MHz; nothing if the clocks are not locked.
  [[nodiscard]] std::optional<std::pair<unsigned, unsigned>> locked(unsigned gpu) const {
    std::pair<unsigned, unsigned> range;
    const bool is = find<LockedFunction>("fake_nvml_locked")(gpu, &range.first, &range.second) != 0;
    return is ? std::optional(range) : std::nullopt;
  }
  [[nodiscard]] unsigned limit(unsigned gpu) const {
    return find<LimitFunction>("fake_nvml_limit")(gpu);
  }

 private:
  template <class Function>
  [[nodiscard]] Function& find(const char* name) const {
    return **library_.function<Function>(name);
  }
  Library library_;
};

}  // namespace mete::fake
