// SPDX-License-Identifier: BSD-3-Clause
#include <new>
#include <vector>

#include <cblas.h>
#include <fmt/format.h>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

template <class T>
class OpenblasGemm final : public Gemm {
 public:
  explicit OpenblasGemm(const GemmJob& job)
      : rows_(job.shape.rows),
        depth_(job.shape.depth),
        threads_(job.threads),
        a_(rows_ * depth_),
        b_(depth_ * rows_),
        c_(rows_ * rows_) {
    Rng rng(job.seed);
    // In -1..1: sums stay near 0, so that an error shows.
    for (auto& x : a_) x = static_cast<T>(2 * rng.uniform() - 1);
    for (auto& x : b_) x = static_cast<T>(2 * rng.uniform() - 1);
  }
  Result<void> run(std::uint64_t count) override {
    openblas_set_num_threads(threads_);
    for (std::uint64_t i = 0; i < count; ++i) multiply();
    return {};
  }
  Result<void> finish() override { return {}; }
  [[nodiscard]] double a(std::uint64_t row, std::uint64_t k) const override {
    return static_cast<double>(a_[row * depth_ + k]);
  }
  [[nodiscard]] double b(std::uint64_t k, std::uint64_t column) const override {
    return static_cast<double>(b_[k * rows_ + column]);
  }
  [[nodiscard]] double c(std::uint64_t row, std::uint64_t column) const override {
    return static_cast<double>(c_[row * rows_ + column]);
  }
  [[nodiscard]] std::string implementation() const override { return openblas_version(); }

 private:
  void multiply() {
    const auto m = static_cast<blasint>(rows_);
    const auto k = static_cast<blasint>(depth_);
    if constexpr (sizeof(T) == 4) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, m, k, 1.0F, a_.data(), k, b_.data(),
                  m, 0.0F, c_.data(), m);
    } else {
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, m, k, 1.0, a_.data(), k, b_.data(),
                  m, 0.0, c_.data(), m);
    }
  }
  std::uint64_t rows_;
  std::uint64_t depth_;
  int threads_;
  std::vector<T> a_;
  std::vector<T> b_;
  std::vector<T> c_;
};

}  // namespace

std::string openblas_version() {
  // "OpenBLAS 0.3.21 NO_LAPACK .. SkylakeX MAX_THREADS=64": name, version and kernel say enough.
  const std::string config = openblas_get_config();
  return fmt::format("{} {}", config.substr(0, config.find(' ', config.find(' ') + 1)),
                     openblas_get_corename());
}

Result<std::unique_ptr<Gemm>> make_openblas_gemm(const GemmJob& job) {
  try {
    if (job.type == GemmType::f32) return std::unique_ptr<Gemm>(new OpenblasGemm<float>(job));
    return std::unique_ptr<Gemm>(new OpenblasGemm<double>(job));
  } catch (const std::bad_alloc&) {
    return fail(Errc::failed, "no memory for three matrices of {} rows", job.shape.rows);
  }
}

}  // namespace mete::blas
