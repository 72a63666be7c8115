// oneDNN's sgemm: BLAS' own definition, in row-major order. Where the CPU has AVX-512 it is the
// fastest float multiply of Debian's (docs/adr/0004). SPDX-License-Identifier: BSD-3-Clause
#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>

#include "mete/kernel/blas/plain_gemm.h"

namespace mete::blas {
namespace {

class OnednnSgemm final : public PlainGemm<float> {
 public:
  OnednnSgemm(const GemmJob& job, MatrixMemory memory)
      : PlainGemm(job, std::move(memory)), used_(threads_worth(job)) {}
  Result<void> run(std::uint64_t count) override {
    omp_set_num_threads(used_);
    const auto m = static_cast<dnnl_dim_t>(rows_);
    const auto k = static_cast<dnnl_dim_t>(depth_);
    const auto lda = static_cast<dnnl_dim_t>(narrow_);
    const auto ldb = static_cast<dnnl_dim_t>(wide_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto code = dnnl_sgemm('N', 'N', m, m, k, 1.0F, a_, lda, b_, ldb, 0.0F, c_, ldb);
      if (code != dnnl_success)
        return fail(Errc::failed, "oneDNN: sgemm failed with code {}", static_cast<int>(code));
    }
    return {};
  }
  [[nodiscard]] std::string implementation() const override {
    return fmt::format("{} sgemm{}", onednn_version(), threads_note(used_, threads_));
  }

 private:
  int used_;
};

}  // namespace

Result<std::unique_ptr<Gemm>> make_onednn_sgemm(const GemmJob& job) {
  METE_TRY(auto memory, MatrixMemory::of(plain_bytes<float>(job.shape), 3));
  return std::unique_ptr<Gemm>(new OnednnSgemm(job, std::move(memory)));
}

}  // namespace mete::blas
