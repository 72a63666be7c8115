// A world for a provider under test: it makes instances of the provider, lets time pass, and takes
// the hardware away. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/fixtures/sys/fake_sys.h"

#include "mete/base/clock.h"
#include "mete/signal/provider.h"

namespace mete::test {

class World {
 public:
  virtual ~World() = default;
  /// A fresh instance on the same hardware, as another process would have.
  virtual std::unique_ptr<Provider> provider() = 0;
  /// Lets 10 ms pass.
  virtual void advance() {}
  /// Takes the hardware away; false if that cannot happen to it.
  virtual bool remove() { return false; }
  /// False on the machine that runs the tests: its controls are not ours.
  [[nodiscard]] virtual bool may_write() const { return true; }
};

/// One line of the suite's list.
struct ProviderCase {
  std::string name;
  std::function<std::unique_ptr<World>()> make;
};

using MakeFromRoot = std::function<std::unique_ptr<Provider>(SysRoot)>;
using FillTree = std::function<void(fake::FakeSys&)>;

/// A provider over a fake tree. `step` is what happens in 10 ms.
class TreeWorld final : public World {
 public:
  TreeWorld(MakeFromRoot make, const FillTree& fill, FillTree step)
      : make_(std::move(make)), step_(std::move(step)) {
    fill(sys_);
  }
  std::unique_ptr<Provider> provider() override { return make_(sys_.root()); }
  void advance() override { step_(sys_); }
  bool remove() override {
    sys_.remove_everything();
    return true;
  }

 private:
  fake::FakeSys sys_;
  MakeFromRoot make_;
  FillTree step_;
};

inline ProviderCase on_tree(std::string name, MakeFromRoot make, FillTree fill, FillTree step) {
  return {std::move(name), [=] { return std::make_unique<TreeWorld>(make, fill, step); }};
}

using MakeFromRootAndClock = std::function<std::unique_ptr<Provider>(SysRoot, const Clock&)>;

/// The same for a provider that tells the time too: 10 ms pass on its clock with every step.
class ClockedTreeWorld final : public World {
 public:
  ClockedTreeWorld(MakeFromRootAndClock make, const FillTree& fill, FillTree step)
      : make_(std::move(make)), step_(std::move(step)) {
    fill(sys_);
  }
  std::unique_ptr<Provider> provider() override { return make_(sys_.root(), clock_); }
  void advance() override {
    clock_.advance_to(clock_.now() + std::chrono::milliseconds(10));
    step_(sys_);
  }
  bool remove() override {
    sys_.remove_everything();
    return true;
  }

 private:
  fake::FakeSys sys_;
  VirtualClock clock_;
  MakeFromRootAndClock make_;
  FillTree step_;
};

inline ProviderCase on_clocked_tree(std::string name, MakeFromRootAndClock make, FillTree fill,
                                    FillTree step) {
  return {std::move(name), [=] { return std::make_unique<ClockedTreeWorld>(make, fill, step); }};
}

/// A provider over this machine: read only.
class HereWorld final : public World {
 public:
  explicit HereWorld(MakeFromRoot make) : make_(std::move(make)) {}
  std::unique_ptr<Provider> provider() override { return make_(SysRoot()); }
  void advance() override {
    const Nanoseconds step = std::chrono::milliseconds(10);
    clock_.sleep_until(clock_.now() + step);
  }
  [[nodiscard]] bool may_write() const override { return false; }

 private:
  MakeFromRoot make_;
  SteadyClock clock_;
};

inline ProviderCase on_this_machine(std::string name, MakeFromRoot make) {
  return {std::move(name), [=] { return std::make_unique<HereWorld>(make); }};
}

/// A provider over a virtual clock.
class ClockWorld final : public World {
 public:
  using Make = std::function<std::unique_ptr<Provider>(VirtualClock&)>;
  explicit ClockWorld(Make make) : make_(std::move(make)) {}
  std::unique_ptr<Provider> provider() override { return make_(clock_); }
  void advance() override { clock_.advance_to(clock_.now() + std::chrono::milliseconds(10)); }

 private:
  VirtualClock clock_;
  Make make_;
};

inline ProviderCase on_clock(std::string name, ClockWorld::Make make) {
  return {std::move(name), [=] { return std::make_unique<ClockWorld>(make); }};
}

}  // namespace mete::test
