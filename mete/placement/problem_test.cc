// Problems from text: what is read, and how what is wrong is refused.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/problem.h"

#include <string>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/placement/placement_test_support.h"

namespace mete {
namespace {

constexpr std::string_view kSmall = R"({"format":"mete.placement-problem/1","name":"small",
 "tiers":["fast","slow"],"move_bytes_per_s":{"fast_to_slow":12e9,"slow_to_fast":29e9},
 "tensors":[{"id":7,"bytes":4096,"uses":[0,1]},{"id":3,"bytes":100,"uses":[1]}],
 "kernels":[{"id":0,"op":"Relu","tensors":[7],"seconds":[1e-6,2e-6]},
            {"id":1,"op":"Add","tensors":[3,7],"seconds":[1,2,3,4]}]})";

std::string with(std::string_view from, std::string_view to) {
  std::string text(kSmall);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_refused(const std::string& text, std::string_view words) {
  const auto problem = parse_problem(text, "p.json");
  ASSERT_FALSE(problem) << words;
  EXPECT_EQ(problem.error().code, Errc::invalid);
  EXPECT_TRUE(problem.error().what.starts_with("p.json: ")) << problem.error().what;
  EXPECT_NE(problem.error().what.find(words), std::string::npos) << problem.error().what;
  EXPECT_EQ(problem.error().what.find('\n'), std::string::npos);
}

TEST(Problem, IdsAreNamesAndBitsFollowTheKernelsOrder) {
  const auto problem = parse_problem(kSmall, "p").value();
  EXPECT_EQ(problem.kernels[1].tensors, (std::vector<std::uint32_t>{1, 0}));
  EXPECT_EQ(all_fast_peak(problem), 4196U);
  EXPECT_DOUBLE_EQ(all_fast_seconds(problem), 1.000001);
  EXPECT_DOUBLE_EQ(all_slow_seconds(problem), 4.000002);
  EXPECT_EQ(least_memory(problem).bytes, 0U);
}

TEST(Problem, NullIsWhatCannotRun) {
  const auto problem = parse_problem(with("[1,2,3,4]", "[1,2,null,null]"), "p").value();
  const auto least = least_memory(problem);
  EXPECT_EQ(least.bytes, 4096U);  // bit 1 is tensor 7
  EXPECT_EQ(least.kernel, 1U);
  EXPECT_TRUE(forced_fast(problem)[0][1]);
  EXPECT_FALSE(forced_fast(problem)[1][0]);
  // Tensor 3 alone can be slow, and so can 7: together there must be a time.
  expect_refused(with("[1,2,3,4]", "[1,2,3,null]"), "kernel 1 (Add)");
}

TEST(Problem, WrongInputIsNamed) {
  expect_refused("", "line 1");
  expect_refused("[]", "expected a placement problem");
  expect_refused(with("problem/1", "problem/9"), "expected a placement problem");
  expect_refused(with("12e9", "0"), "fast_to_slow");
  expect_refused(with("12e9", "\"x\""), "fast_to_slow");
  expect_refused(with("4096", "-1"), "tensors[0]");
  expect_refused(with("4096", "99999999999999999"), "tensor 7");
  expect_refused(with("\"id\":3", "\"id\":7"), "given before");
  expect_refused(with("\"uses\":[0,1]", "\"uses\":[0]"), "tensor 7");
  expect_refused(with("\"uses\":[0,1]", "\"uses\":[1,0]"), "ascending");
  expect_refused(with("\"uses\":[0,1]", "\"uses\":[0,1,2]"), "only 2");
  expect_refused(with("\"uses\":[0,1]", "\"uses\":[]"), "used by no kernel");
  expect_refused(with("[3,7]", "[7,7]"), "twice");
  expect_refused(with("[3,7]", "[3,8]"), "kernels[1]");
  expect_refused(with("[1,2,3,4]", "[1,2,3]"), "expected 4 times");
  expect_refused(with("[1,2,3,4]", "[1,2,3,-4]"), "kernel 1 (Add)");
  expect_refused(with("[1,2,3,4]", "[1,2,3,1e400]"), "p.json");
  expect_refused(with("\"id\":1,\"op\"", "\"id\":5,\"op\""), "in order");
}

TEST(Problem, EveryCutIsRefused) {
  for (std::size_t n = 0; n < kSmall.size() - 1; ++n) {
    const auto problem = parse_problem(kSmall.substr(0, n), "p.json");
    ASSERT_FALSE(problem) << n;
    ASSERT_TRUE(problem.error().what.starts_with("p.json: "));
  }
}

TEST(Problem, AMillionUsesOfNothing) {
  std::string text = R"({"format":"mete.placement-problem/1","move_bytes_per_s":{"fast_to_slow":1,)"
                     R"("slow_to_fast":1},"tensors":[{"id":0,"bytes":1,"uses":[)";
  for (int i = 0; i < 1'000'000; ++i) text += "1,";
  expect_refused(text + "1]}],\"kernels\":[]}", "there are no kernels");
}

TEST(Problem, WrittenProblemsReadBackEqual) {
  Rng rng(3);
  for (int round = 0; round < 50; ++round) {
    const auto problem = test::random_problem(rng, 4, 5, true);
    ASSERT_TRUE(check(problem)) << check(problem).error().what;
    const auto text = to_json(problem).dump(-1);
    const auto again = parse_problem(text, "p").value();
    EXPECT_EQ(to_json(again).dump(-1), text);
    EXPECT_EQ(least_memory(again).bytes, least_memory(problem).bytes);
  }
}

}  // namespace
}  // namespace mete
