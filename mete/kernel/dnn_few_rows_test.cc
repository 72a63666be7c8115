// Dense layers of small batches and their gradients against the naive multiply: tails of every
// kind, infinities, any number of threads. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/dnn_test_support.h"

namespace mete {
namespace {

using namespace dnn_testing;

// Dense layers of small batches: every size of a group of rows, columns that end within a vector
// and within a tile, depths that end within a tile.
TEST(Dnn, MatMulOfFewRows) {
  std::vector<DnnCase> cases;
  for (const std::int64_t rows : {1, 2, 3, 7, 15, 16, 17, 23, 24, 31, 32, 33, 47, 64, 65}) {
    cases.push_back({&kMatMulOp, {f32({rows, 517}), f32({517, 613})}, {}, 518});
  }
  // Many rows: columns in whole tiles, in less than one, in more than are summed at once.
  cases.push_back({&kMatMulOp, {f32({20, 270'000}), f32({270'000, 1})}, {}, 270'001});
  cases.push_back({&kMatMulOp, {f32({20, 8192}), f32({8192, 33})}, {}, 8193});
  cases.push_back({&kMatMulOp, {f32({20, 512}), f32({512, 960})}, {}, 513});
  cases.push_back({&kMatMulOp, {f32({64, 40}), f32({40, 7001})}, {}, 41});
  Attributes scaled;
  scaled.scale = 0.3;
  cases.push_back({&kMatMulOp, {f32({16, 512}), f32({512, 1024})}, scaled, 513});
  cases.push_back({&kMatMulOp, {f32({16, 8192}), f32({8192, 33})}, {}, 8193});
  cases.push_back({&kMatMulOp, {f32({5, 1}), f32({1, 300'001})}, {}, 2});
  cases.push_back({&kMatMulOp, {f32({2, 3, 600}), f32({600, 500})}, {}, 601});
  check_all(cases);
}

// Their gradients, by the matrix transposed: rows of every group's size, columns that end within a
// vector, a pair, a strip, and on a power of two; results that end within eight rows, sixteen and a
// block; on more threads than there are sixteens.
TEST(Dnn, MatMulOfFewRowsTurned) {
  std::vector<DnnCase> cases;
  Attributes turned;
  turned.transpose_b = true;
  for (const std::int64_t rows : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33}) {
    cases.push_back({&kMatMulOp, {f32({rows, 519}), f32({613, 519})}, turned, 520});
    cases.push_back({&kMatMulOp, {f32({rows, 1024}), f32({256, 1024})}, turned, 1025});
  }
  for (const std::int64_t rows : {1, 5, 16, 32}) {
    cases.push_back({&kMatMulOp, {f32({rows, 1}), f32({270'001, 1})}, turned, 2});
    cases.push_back({&kMatMulOp, {f32({rows, 270'001}), f32({1, 270'001})}, turned, 270'002});
    cases.push_back({&kMatMulOp, {f32({rows, 30'011}), f32({9, 30'011})}, turned, 30'012});
  }
  cases.push_back({&kMatMulOp, {f32({2, 3, 600}), f32({500, 600})}, turned, 601});
  turned.scale = 0.3;
  cases.push_back({&kMatMulOp, {f32({16, 517}), f32({521, 517})}, turned, 518});
  cases.push_back({&kMatMulOp, {f32({6, 514}), f32({519, 514})}, turned, 515});
  check_all(cases);
}

// Nothing that lies beyond a row's end, or in another row, gets into a product: infinite elements
// reach only the results that they belong to.
TEST(Dnn, MatMulOfFewRowsKeepsInfinityWhereItBelongs) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  for (const bool turned : {false, true}) {
    for (const std::int64_t rows : {1, 2, 4, 8, 15, 16, 32, 43}) {
      Attributes attributes;
      attributes.transpose_b = turned;
      const DnnCase c{&kMatMulOp, {f32({rows, 521}), f32({521, 521})}, attributes, 522};
      const auto job = job_of_case(c);
      const DnnBuffers inputs = fill(c, Rng(7));
      // The 301st column of the matrix as multiplied.
      const auto at = [&](std::size_t k) { return turned ? 300 * 521 + k : k * 521 + 300; };
      for (std::size_t k = 0; k < 521; ++k) inputs[1].floats()[at(k)] = HUGE_VALF;
      const auto kernel = library->make(job);
      ASSERT_TRUE(kernel) << kernel.error().what;
      DnnBuffers made = results_of(job, 0);
      ASSERT_TRUE((*kernel)->run(inputs_of(inputs), outputs_of(made)));
      for (std::size_t i = 0; i < static_cast<std::size_t>(rows) * 521; ++i) {
        EXPECT_EQ(std::isfinite(made[0].floats()[i]), i % 521 != 300)
            << describe(job) << ": result " << i;
      }
    }
  }
}

// Sums are those of one thread, bit for bit, however many share the work.
TEST(Dnn, MatMulOfFewRowsIsTheSameOnAnyNumberOfThreads) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  for (const bool turned : {false, true}) {
    // 1024: tiles that depend on the number of threads.
    for (const auto& [rows, size] :
         {std::pair<std::int64_t, std::int64_t>{3, 603}, {16, 603}, {16, 1024}, {32, 603}}) {
      Attributes attributes;
      attributes.transpose_b = turned;
      const DnnCase c{&kMatMulOp, {f32({rows, size}), f32({size, size})}, attributes, 1025};
      const DnnBuffers inputs = fill(c, Rng(9));
      auto job = job_of_case(c);
      std::vector<DnnBuffers> made;
      for (const int threads : {1, 2, 3, 5, 64}) {
        job.threads = threads;
        const auto kernel = library->make(job);
        ASSERT_TRUE(kernel) << kernel.error().what;
        if ((*kernel)->implementation().find("few rows") == std::string::npos) {
          GTEST_SKIP() << "multiplied by a library here, which may split sums";
        }
        made.push_back(results_of(job, 0));
        ASSERT_TRUE((*kernel)->run(inputs_of(inputs), outputs_of(made.back())));
        EXPECT_EQ(std::memcmp(made[0][0].data(), made.back()[0].data(), made[0][0].bytes()), 0)
            << describe(job) << " on " << threads << " threads";
      }
    }
  }
}

}  // namespace
}  // namespace mete
