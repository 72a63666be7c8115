// Each multiply against a naive one, and the judge against multiplies that are wrong.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/gemm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/kernel/matrix_memory.h"

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

/// Both libraries' float, at sizes on either side of what wakes threads and of whole pages per row.
TEST(OnCpuOnly, EveryLibraryAgreesWithTheNaiveMultiply) {
  auto* runtime = runtime_or_none();
  if (runtime == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  for (const auto library : gemm_libraries()) {
    for (const auto shape :
         {GemmShape{1, 1}, GemmShape{3, 1}, GemmShape{1, 77}, GemmShape{129, 255},
          GemmShape{1024, 3}, GemmShape{31, 1024}, GemmShape{1023, 1025}, GemmShape{2048, 17}}) {
      GemmJob job{shape, GemmType::f32, 2, 42};
      job.library = library;
      const auto gemm = runtime->make(job);
      ASSERT_TRUE(gemm) << gemm.error().what;
      ASSERT_TRUE((*gemm)->run(2));
      ASSERT_TRUE((*gemm)->finish());
      const auto error = check_gemm(**gemm, job, 500, Rng(3));
      EXPECT_TRUE(error.ok()) << (*gemm)->implementation() << " " << shape.rows << "x"
                              << shape.depth << ": " << error.worst << " > " << error.tolerance;
      EXPECT_EQ(library == "onednn", (*gemm)->implementation().starts_with("oneDNN"));
    }
  }
}

TEST(OnCpuOnly, ALibraryThatLacksTheTypeSaysWhoHasIt) {
  auto* runtime = runtime_or_none();
  if (runtime == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  GemmJob job{{8, 8}, GemmType::f64, 1, 1};
  job.library = "onednn";
  const auto none = runtime->make(job);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unsupported);
  EXPECT_NE(none.error().what.find("openblas"), std::string::npos) << none.error().what;
}

TEST(MatrixMemory, PiecesAreZeroApartAndAligned) {
  auto memory = MatrixMemory::of(3 * 100'000 * sizeof(float), 3);
  ASSERT_TRUE(memory);
  float* pieces[3];
  for (auto& piece : pieces) {
    piece = memory->take<float>(100'000);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(piece) % 4096, 0U);
    for (std::size_t i = 0; i < 100'000; ++i) ASSERT_EQ(piece[i], 0) << i;
    std::fill_n(piece, 100'000, 1.0F);
  }
  const double share = memory->huge_share();
  EXPECT_TRUE(std::isnan(share) || (share >= 0 && share <= 1)) << share;
  const auto impossible = MatrixMemory::of(std::uint64_t{1} << 60U, 3);
  ASSERT_FALSE(impossible);
  EXPECT_NE(impossible.error().what.find("no memory"), std::string::npos);
}

TEST(MatrixMemory, RowsOfWholePagesLieFurtherApart) {
  EXPECT_EQ(row_stride(1023, 4), 1023U);
  EXPECT_EQ(row_stride(1024, 4), 1024U + 64);
  EXPECT_EQ(row_stride(2048, 8), 2048U + 32);
  EXPECT_EQ(row_stride(100, 1), 100U);
}

TEST(OnCpuOnly, HalfIsRefusedInWords) {
  auto* runtime = runtime_or_none();
  if (runtime == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  const auto gemm = runtime->make({{8, 8}, GemmType::f16, 1, 1});
  ASSERT_FALSE(gemm);
  EXPECT_EQ(gemm.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace mete
