// Rows of a table by their numbers. The gradient of a table is never made whole: only the rows that
// were used are updated, so that a table of gigabytes costs a batch of rows.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_rank(in[0], 2, "table"));
  if (in[1].type != DataType::i64) return fail(Errc::invalid, "rows: expected whole numbers");
  auto dims = in[1].shape.dims();
  dims.push_back(in[0].shape[1]);
  return std::vector<TensorType>{TensorType{Shape{std::move(dims)}}};
}

Result<std::vector<TensorType>> infer_update(Types in, const Attributes& a) {
  METE_TRY(const auto rows, infer(std::vector<TensorType>{in[0], in[2]}, a));
  METE_TRY_VOID(expect_equal(rows[0], in[1]));
  return std::vector<TensorType>{in[0]};
}

OpWork update_work(Types in, Types /*out*/, const Attributes& /*a*/) {
  return {0, times(2, in[1].shape.elements())};
}

void gradient(GradientScope& scope) {
  scope.row_updates.push_back({scope.in(0), scope.dy(), scope.in(1)});
}

}  // namespace

const Op kEmbeddingOp = {
    .name = "embedding", .inputs = 2, .infer = infer, .work = no_work, .gradient = gradient};
const Op kEmbeddingSgdOp = {.name = "embedding-sgd",
                            .inputs = 3,
                            .infer = infer_update,
                            .work = update_work,
                            .reuse = Reuse::must};

}  // namespace mete
