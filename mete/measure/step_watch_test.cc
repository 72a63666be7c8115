// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/step_watch.h"

#include <future>

#include <gtest/gtest.h>

namespace mete {
namespace {

class Asked final : public Interrupt {
 public:
  int signal() const noexcept override { return signals > 0 ? 2 : 0; }
  bool repeated() const noexcept override { return signals > 1; }
  std::atomic<int> signals{0};
};

constexpr StepWatch::Limits kQuick{.step = std::chrono::hours(1),
                                   .asked = std::chrono::milliseconds(5),
                                   .obey = std::chrono::milliseconds(20),
                                   .look = std::chrono::milliseconds(1)};

TEST(StepWatch, AStepThatObeysIsInterruptedOnceAndNothingIsTakenOver) {
  Asked asked;
  std::promise<void> interrupted;
  std::atomic<int> times{0};
  std::atomic<int> taken{0};
  {
    StepWatch watch(asked,
                    {[&] {
                       if (times++ == 0) interrupted.set_value();
                     },
                     [&](double) { ++taken; }},
                    kQuick);
    {
      const StepWatch::Scope step(&watch);
    }
    asked.signals = 1;
    const StepWatch::Scope step(&watch);
    interrupted.get_future().wait();  // as a Python step would: it returns when interrupted
  }
  EXPECT_EQ(times, 1);
  EXPECT_EQ(taken, 0);
}

TEST(StepWatch, AStepThatDoesNotObeyIsTakenOver) {
  // Left to the end of the process, as the real ones are: the step's thread never gets out.
  static auto* asked = new Asked;
  static auto* taken = new std::promise<double>;
  asked->signals = 1;
  auto told = taken->get_future();
  static auto* watch =
      new StepWatch(*asked, {[] {}, [](double seconds) { taken->set_value(seconds); }}, kQuick);
  std::thread([] {
    const StepWatch::Scope step(watch);
    std::this_thread::sleep_for(std::chrono::hours(1));
  }).detach();
  EXPECT_GT(told.get(), 0.02);
}

TEST(StepWatch, NobodyAskedAndTheStepIsNotLongSoNothingHappens) {
  Asked asked;
  std::atomic<int> times{0};
  {
    StepWatch watch(asked, {[&] { ++times; }, [&](double) { ++times; }}, kQuick);
    const StepWatch::Scope step(&watch);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  EXPECT_EQ(times, 0);
}

TEST(StepWatch, ALongStepIsInterruptedUnasked) {
  const NoInterrupt nobody;
  std::promise<void> interrupted;
  auto limits = kQuick;
  limits.step = std::chrono::milliseconds(10);
  limits.obey = std::chrono::hours(1);
  std::atomic<bool> told{false};
  StepWatch watch(nobody,
                  {[&] {
                     if (!told.exchange(true)) interrupted.set_value();
                   },
                   {}},
                  limits);
  const StepWatch::Scope step(&watch);
  interrupted.get_future().wait();
}

}  // namespace
}  // namespace mete
