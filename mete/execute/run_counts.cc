// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/run_counts.h"

#include <string>

namespace mete {
namespace {

struct Count {
  std::size_t number = 0;
  std::uint64_t bytes = 0;
  void add(std::uint64_t more) {
    ++number;
    bytes += more;
  }
};

struct Moves {
  Count to_slow, to_fast;
  [[nodiscard]] Count both() const {
    return {to_slow.number + to_fast.number, to_slow.bytes + to_fast.bytes};
  }
};

void count_operands(const Graph& graph, const std::vector<TensorId>& ids,
                    const std::vector<PoolPlace>& places, Count& all, Count& fast) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::uint64_t bytes = graph.tensors[ids[i]].bytes();
    all.add(bytes);
    if (places[i].fast) fast.add(bytes);
  }
}

std::int64_t whole(std::uint64_t n) { return static_cast<std::int64_t>(n); }

void tell_moves(Json& json, const Moves& moves, std::string_view kind) {
  json.set(fmt::format("num_{}move_nodes", kind), moves.both().number);
  json.set(fmt::format("num_pmem_{}move_nodes", kind), moves.to_slow.number);
  json.set(fmt::format("num_dram_{}move_nodes", kind), moves.to_fast.number);
  json.set(fmt::format("bytes_{}moved", kind), whole(moves.both().bytes));
  json.set(fmt::format("bytes_{}moved_pmem", kind), whole(moves.to_slow.bytes));
  json.set(fmt::format("bytes_{}moved_dram", kind), whole(moves.to_fast.bytes));
}

}  // namespace

Json run_counts(const ExecutionPlan& plan, const Graph& graph) {
  std::size_t kernels = 0;
  Count in, fast_in, out, fast_out;
  Moves waited, beside;
  double move_seconds = 0;
  for (const auto& step : plan.steps) {
    if (step.kind == StepKind::run) {
      const auto& node = graph.nodes[step.node];
      ++kernels;
      count_operands(graph, node.inputs, step.inputs, in, fast_in);
      count_operands(graph, node.outputs, step.outputs, out, fast_out);
      continue;
    }
    if (step.kind == StepKind::wait) continue;
    Moves& moves = step.kind == StepKind::copy ? waited : beside;
    (step.to.fast ? moves.to_fast : moves.to_slow).add(step.bytes);
    if (step.kind == StepKind::copy) move_seconds += step.predicted_seconds;
  }
  Json json = Json::object({{"num_kernels", kernels},
                            {"num_input_tensors", in.number},
                            {"num_output_tensors", out.number},
                            {"num_dram_input_tensors", fast_in.number},
                            {"num_dram_output_tensors", fast_out.number},
                            {"bytes_input_tensors", whole(in.bytes)},
                            {"bytes_output_tensors", whole(out.bytes)},
                            {"bytes_dram_input_tensors", whole(fast_in.bytes)},
                            {"bytes_dram_output_tensors", whole(fast_out.bytes)},
                            {"move_time", move_seconds}});
  tell_moves(json, waited, "");
  tell_moves(json, beside, "async_");
  return json;
}

std::uint64_t io_bytes(const Graph& graph) {
  std::uint64_t sum = 0;
  for (const auto& tensor : graph.tensors) sum += tensor.producer == kNoNode ? tensor.bytes() : 0;
  for (const auto id : graph.results) sum += graph.tensors[id].bytes();
  return sum;
}

}  // namespace mete
