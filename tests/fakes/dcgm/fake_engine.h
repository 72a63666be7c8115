// The fake libdcgm from a test's side; fake_dcgm.cc tells its script.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

#include "mete/base/library.h"

namespace mete::fake {

class FakeDcgm {
 public:
  explicit FakeDcgm(const std::string& path) : library_(Library::open(path).value()) {}

  void script(const std::string& text) const {
    if (find<int(const char*)>("fake_dcgm_script")(text.c_str()) != 0)
      throw std::invalid_argument(text);
  }
  void advance(std::chrono::microseconds time) const {
    find<void(long long)>("fake_dcgm_advance")(time.count());
  }
  void release() const { find<void()>("fake_dcgm_release")(); }
  [[nodiscard]] int watches() const { return find<int()>("fake_dcgm_watches")(); }

 private:
  template <class Function>
  [[nodiscard]] Function& find(const char* name) const {
    return **library_.function<Function>(name);
  }
  Library library_;
};

}  // namespace mete::fake
