// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include <dnnl.hpp>
#include <fmt/format.h>
#include <omp.h>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

using dnnl::memory;

/// The nearest bf16, ties to even: the upper half of a float.
std::uint16_t to_bf16(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  bits += 0x7fffU + ((bits >> 16U) & 1U);
  return static_cast<std::uint16_t>(bits >> 16U);
}
double from_bf16(std::uint16_t half) {
  const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16U;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return static_cast<double>(value);
}

struct Bf16 {
  using A = std::uint16_t;
  using B = std::uint16_t;
  using C = float;
  static constexpr auto kA = memory::data_type::bf16;
  static constexpr auto kB = memory::data_type::bf16;
  static constexpr auto kC = memory::data_type::f32;
  static A fill_a(Rng& rng) { return to_bf16(static_cast<float>(2 * rng.uniform() - 1)); }
  static B fill_b(Rng& rng) { return fill_a(rng); }
  static double value(A x) { return from_bf16(x); }
};

struct Int8 {
  using A = std::uint8_t;
  using B = std::int8_t;
  using C = std::int32_t;
  static constexpr auto kA = memory::data_type::u8;
  static constexpr auto kB = memory::data_type::s8;
  static constexpr auto kC = memory::data_type::s32;
  // Seven bits: CPUs without VNNI add pairs of products in 16 bits, which eight would overflow.
  static A fill_a(Rng& rng) { return static_cast<A>(rng.below(128)); }
  static B fill_b(Rng& rng) { return static_cast<B>(static_cast<int>(rng.below(128)) - 64); }
  static double value(A x) { return static_cast<double>(x); }
  static double value(B x) { return static_cast<double>(x); }
};

template <class Type>
class OnednnGemm final : public Gemm {
 public:
  OnednnGemm(const GemmJob& job, MatrixMemory matrices)
      : rows_(job.shape.rows),
        depth_(job.shape.depth),
        asked_(job.threads),
        threads_(threads_worth(job)),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        matrices_(std::move(matrices)),
        a_(matrices_.template take<typename Type::A>(rows_ * depth_), rows_ * depth_),
        b_(depth_ * rows_),
        c_(matrices_.template take<typename Type::C>(rows_ * rows_), rows_ * rows_) {
    Rng rng(job.seed);
    for (auto& x : a_) x = Type::fill_a(rng);
    for (auto& x : b_) x = Type::fill_b(rng);
    omp_set_num_threads(threads_);
    const auto m = static_cast<memory::dim>(rows_);
    const auto k = static_cast<memory::dim>(depth_);
    using tag = memory::format_tag;
    const memory::desc a({m, k}, Type::kA, tag::ab);
    // The library may keep B in blocks of its own: a program that multiplies by the same B again
    // and again does so.
    const memory::desc b({k, m}, Type::kB, tag::any);
    const memory::desc c({m, m}, Type::kC, tag::ab);
    const dnnl::matmul::primitive_desc how(dnnl::matmul::desc(a, b, c), engine_);
    name_ = how.impl_info_str();
    multiply_ = dnnl::matmul(how);
    memory plain({{k, m}, Type::kB, tag::ab}, engine_, b_.data());
    auto packed = MatrixMemory::of(how.weights_desc().get_size(), 1);
    if (!packed) throw std::bad_alloc();
    packed_.emplace(std::move(*packed));
    memory blocked(how.weights_desc(), engine_,
                   packed_->take<std::byte>(how.weights_desc().get_size()));
    dnnl::reorder(plain, blocked).execute(stream_, plain, blocked);
    stream_.wait();
    arguments_ = {{DNNL_ARG_SRC, memory(a, engine_, a_.data())},
                  {DNNL_ARG_WEIGHTS, blocked},
                  {DNNL_ARG_DST, memory(c, engine_, c_.data())}};
  }
  Result<void> run(std::uint64_t count) override {
    try {
      omp_set_num_threads(threads_);
      for (std::uint64_t i = 0; i < count; ++i) multiply_.execute(stream_, arguments_);
      return {};
    } catch (const std::exception& error) {
      return fail(Errc::failed, "oneDNN: {}", error.what());
    }
  }
  Result<void> finish() override {
    stream_.wait();
    return {};
  }
  [[nodiscard]] double a(std::uint64_t row, std::uint64_t k) const override {
    return Type::value(a_[row * depth_ + k]);
  }
  [[nodiscard]] double b(std::uint64_t k, std::uint64_t column) const override {
    return Type::value(b_[k * rows_ + column]);
  }
  [[nodiscard]] double c(std::uint64_t row, std::uint64_t column) const override {
    return static_cast<double>(c_[row * rows_ + column]);
  }
  [[nodiscard]] std::string implementation() const override {
    return fmt::format("{} matmul {}, B packed ahead{}", onednn_version(), name_,
                       threads_note(threads_, asked_));
  }
  [[nodiscard]] double huge_page_share() const override { return matrices_.huge_share(); }

 private:
  std::uint64_t rows_;
  std::uint64_t depth_;
  int asked_;
  int threads_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  MatrixMemory matrices_;
  std::optional<MatrixMemory> packed_;
  std::span<typename Type::A> a_;
  std::vector<typename Type::B> b_;  ///< for the judge: what is multiplied is the packed copy
  std::span<typename Type::C> c_;
  std::string name_;
  dnnl::matmul multiply_;
  std::unordered_map<int, memory> arguments_;
};

}  // namespace

std::string onednn_version() {
  const auto* v = dnnl::version();
  return fmt::format("oneDNN {}.{}.{}", v->major, v->minor, v->patch);
}

Result<std::unique_ptr<Gemm>> make_onednn_gemm(const GemmJob& job) {
  if (job.type == GemmType::bf16 && dnnl::get_effective_cpu_isa() < dnnl::cpu_isa::avx512_core) {
    return fail(
        Errc::unsupported,
        "bf16: this CPU has neither AVX-512 nor AMX, without which oneDNN has no such multiply");
  }
  try {
    const auto elements = job.shape.rows * job.shape.depth;
    METE_TRY(auto matrices,
             MatrixMemory::of(
                 elements * gemm_input_bytes(job.type) + job.shape.rows * job.shape.rows * 4, 2));
    if (job.type == GemmType::bf16)
      return std::unique_ptr<Gemm>(new OnednnGemm<Bf16>(job, std::move(matrices)));
    return std::unique_ptr<Gemm>(new OnednnGemm<Int8>(job, std::move(matrices)));
  } catch (const std::exception& error) {
    return fail(Errc::unsupported, "{}: oneDNN has no such multiply here ({})",
                gemm_type_name(job.type), error.what());
  }
}

}  // namespace mete::blas
