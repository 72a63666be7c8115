// NVIDIA GPUs under test, played by fake libraries.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>

#include "tests/conformance/provider_world.h"
#include "tests/fakes/dcgm/fake_engine.h"
#include "tests/fakes/nvml/fake_machine.h"

#include "mete/provider/dcgm/dcgm_provider.h"
#include "mete/provider/nvml/nvml_provider.h"

namespace mete::test {

class NvmlWorld final : public World {
 public:
  NvmlWorld(std::string library, const std::string& script)
      : library_(std::move(library)), fake_(library_) {
    fake_.script(script + ";time=manual");
  }
  std::unique_ptr<Provider> provider() override {
    return make_nvml_provider({.library = library_, .wait = std::chrono::seconds(5)});
  }
  void advance() override { fake_.advance(std::chrono::milliseconds(10)); }
  bool remove() override {
    fake_.script("unplug");
    return true;
  }

 private:
  std::string library_;
  fake::FakeNvml fake_;
};

inline ProviderCase on_nvml(std::string name, std::string library, std::string script) {
  return {std::move(name), [=] { return std::make_unique<NvmlWorld>(library, script); }};
}

class DcgmWorld final : public World {
 public:
  DcgmWorld(std::string library, const std::string& script)
      : library_(std::move(library)), fake_(library_) {
    fake_.script(script + ";time=manual");
  }
  std::unique_ptr<Provider> provider() override {
    return make_dcgm_provider({.library = library_, .wait = std::chrono::seconds(5)});
  }
  void advance() override { fake_.advance(std::chrono::milliseconds(10)); }
  bool remove() override {
    fake_.script("unplug");
    return true;
  }

 private:
  std::string library_;
  fake::FakeDcgm fake_;
};

inline ProviderCase on_dcgm(std::string name, std::string library, std::string script) {
  return {std::move(name), [=] { return std::make_unique<DcgmWorld>(library, script); }};
}

}  // namespace mete::test
