// SPDX-License-Identifier: BSD-3-Clause
#include <cblas.h>
#include <fmt/format.h>

#include "mete/kernel/blas/plain_gemm.h"

namespace mete::blas {
namespace {

template <class T>
class OpenblasGemm final : public PlainGemm<T> {
 public:
  using PlainGemm<T>::PlainGemm;
  Result<void> run(std::uint64_t count) override {
    openblas_set_num_threads(this->threads_);
    for (std::uint64_t i = 0; i < count; ++i) multiply();
    return {};
  }
  [[nodiscard]] std::string implementation() const override { return openblas_version(); }

 private:
  void multiply() {
    const auto m = static_cast<blasint>(this->rows_);
    const auto k = static_cast<blasint>(this->depth_);
    const auto lda = static_cast<blasint>(this->narrow_);
    const auto ldb = static_cast<blasint>(this->wide_);
    if constexpr (sizeof(T) == 4) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, m, k, 1.0F, this->a_, lda, this->b_,
                  ldb, 0.0F, this->c_, ldb);
    } else {
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, m, k, 1.0, this->a_, lda, this->b_,
                  ldb, 0.0, this->c_, ldb);
    }
  }
};

template <class T>
Result<std::unique_ptr<Gemm>> made(const GemmJob& job) {
  METE_TRY(auto memory, MatrixMemory::of(plain_bytes<T>(job.shape), 3));
  return std::unique_ptr<Gemm>(new OpenblasGemm<T>(job, std::move(memory)));
}

}  // namespace

std::string openblas_version() {
  // "OpenBLAS 0.3.21 NO_LAPACK .. SkylakeX MAX_THREADS=64": name, version and kernel say enough.
  const std::string config = openblas_get_config();
  return fmt::format("{} {}", config.substr(0, config.find(' ', config.find(' ') + 1)),
                     openblas_get_corename());
}

Result<std::unique_ptr<Gemm>> make_openblas_gemm(const GemmJob& job) {
  return job.type == GemmType::f32 ? made<float>(job) : made<double>(job);
}

}  // namespace mete::blas
