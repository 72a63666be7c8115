// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/board_bench.h"

#include <optional>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::string_view kPrefix = "gemm-";
constexpr int kSeconds = 30;

std::string kernel_name(const GemmPoint& point) {
  return fmt::format("gemm-{}-{}", point.dtype, point.rows);
}

/// "gemm-float-1024" → type and size.
std::optional<GemmPoint> point_of(const BoardKernel& kernel) {
  if (!kernel.name.starts_with(kPrefix)) return std::nullopt;
  const auto parts = split(std::string_view(kernel.name).substr(kPrefix.size()), '-');
  if (parts.size() != 2) return std::nullopt;
  const auto size = parse_int(parts[1]);
  if (!size || *size <= 0) return std::nullopt;
  GemmPoint point;
  point.dtype = std::string(parts[0]);
  point.rows = point.depth = static_cast<std::uint64_t>(*size);
  // The board's table does not tell the two apart: in the Jetson study the tensor cores never ran.
  point.tensor = "nontensor";
  return point;
}

}  // namespace

std::vector<GemmPoint> board_gemm_points(const Board& board, const std::vector<double>& clocks) {
  std::vector<GemmPoint> out;
  for (const auto& kernel : board.kernels) {
    auto point = point_of(kernel);
    if (!point) continue;
    point->device = board.name;
    for (const double clock : clocks) {
      point->frequency = clock;
      out.push_back(*point);
    }
  }
  return out;
}

Result<void> BoardBench::check(const GemmPoint& point) {
  if (point.tensor == "tensor") {
    return fail(Errc::unsupported,
                "board {}: its tensor cores were never measured: leave --tensor off",
                machine_.board().name);
  }
  if (!point.square())
    return fail(Errc::unsupported, "board {}: only square sizes were measured",
                machine_.board().name);
  METE_TRY(const auto kernel, machine_.board().find_kernel(kernel_name(point)));
  static_cast<void>(kernel);
  return {};
}

Result<GemmRun> BoardBench::measure(const GemmPoint& point, const BenchPlan& /*plan*/,
                                    std::uint64_t /*seed*/) {
  METE_TRY(auto program, load_program(fmt::format("{}:{}s", kernel_name(point), 100 * kSeconds),
                                      machine_.board()));
  auto& clock = machine_.clock();
  const auto top = machine_.clocks().back();
  const double wanted = point.frequency > 0 ? point.frequency : top;
  machine_.set_range(0, {machine_.clocks().front(), wanted});
  const auto start = clock.now();
  machine_.start(std::move(program));
  GemmRun run;
  run.point = point;
  const double before = machine_.gpu(0).totals().kernels;
  for (int second = 0; second <= kSeconds; ++second) {
    clock.sleep_until(start + from_seconds(second));
    run.power.push_back({static_cast<double>(second), machine_.gpu(0).sensor_watts()});
  }
  run.seconds = kSeconds;
  run.iterations = machine_.gpu(0).totals().kernels - before;
  machine_.stop();
  run.flops = point.operations() * run.iterations / run.seconds;
  run.tensor_observed = "nontensor";
  run.power_source = "replayed from board " + machine_.board().name;
  return run;
}

}  // namespace mete
