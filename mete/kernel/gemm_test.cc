// Each multiply against a naive one, and the judge against multiplies that are wrong.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/gemm.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace mete {
namespace {

class Fake final : public Gemm {
 public:
  Fake(GemmShape shape, double wrong) : shape_(shape), wrong_(wrong) {}
  Result<void> run(std::uint64_t) override { return {}; }
  Result<void> finish() override { return {}; }
  double a(std::uint64_t row, std::uint64_t k) const override {
    return static_cast<double>((row * 7 + k * 3) % 5) - 2;
  }
  double b(std::uint64_t k, std::uint64_t column) const override {
    return static_cast<double>((k + column) % 3);
  }
  double c(std::uint64_t row, std::uint64_t column) const override {
    double sum = wrong_;
    for (std::uint64_t k = 0; k < shape_.depth; ++k) sum += a(row, k) * b(k, column);
    return sum;
  }
  std::string implementation() const override { return "fake"; }

 private:
  GemmShape shape_;
  double wrong_;
};

/// nullptr only where the plugin was not built: one that was built must load.
GemmRuntime* runtime_or_none() {
  auto runtime = open_blas_runtime();
#ifdef METE_HAVE_BLAS
  EXPECT_TRUE(runtime) << runtime.error().what;
#endif
  return runtime ? *runtime : nullptr;
}

TEST(GemmCheck, FindsWhatIsWrong) {
  const GemmJob job{{16, 24}, GemmType::f32, 1, 1};
  EXPECT_TRUE(check_gemm(Fake(job.shape, 0), job, 50, Rng(1)).ok());
  EXPECT_FALSE(check_gemm(Fake(job.shape, 1), job, 50, Rng(1)).ok());
  EXPECT_FALSE(check_gemm(Fake(job.shape, std::nan("")), job, 50, Rng(1)).ok());
}

TEST(GemmCheck, CountsAsTheStudyDoes) {
  EXPECT_EQ((GemmShape{1024, 96}).operations(), 1024.0 * 1024.0 * 191.0);
  EXPECT_EQ((GemmShape{10, 20}).bytes(GemmType::bf16), 2 * 200 * 2 + 100 * 4);
  EXPECT_FALSE(gemm_type_named("fp13"));
}

class OnCpu : public testing::TestWithParam<GemmType> {};

TEST_P(OnCpu, AgreesWithTheNaiveMultiply) {
  auto* runtime = runtime_or_none();
  if (runtime == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  for (const auto shape : {GemmShape{1, 1}, GemmShape{7, 13}, GemmShape{64, 64}, GemmShape{100, 17},
                           GemmShape{33, 300}}) {
    const GemmJob job{shape, GetParam(), 1, 42};
    const auto gemm = runtime->make(job);
    if (!gemm) GTEST_SKIP() << gemm.error().what;
    ASSERT_TRUE((*gemm)->run(2));
    ASSERT_TRUE((*gemm)->finish());
    const auto error = check_gemm(**gemm, job, 200, Rng(3));
    EXPECT_TRUE(error.ok()) << (*gemm)->implementation() << ": " << error.worst << " > "
                            << error.tolerance;
    if (shape.rows > 1) {
      EXPECT_GT(input_variance(**gemm, shape, 50, Rng(4)), 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, OnCpu,
                         testing::Values(GemmType::f64, GemmType::f32, GemmType::bf16,
                                         GemmType::int8),
                         [](const auto& type) { return std::string(gemm_type_name(type.param)); });

TEST(OnCpuOnly, HalfIsRefusedInWords) {
  auto* runtime = runtime_or_none();
  if (runtime == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  const auto gemm = runtime->make({{8, 8}, GemmType::f16, 1, 1});
  ASSERT_FALSE(gemm);
  EXPECT_EQ(gemm.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace mete
