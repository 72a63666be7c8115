// What a model comes to, layer by layer: parameters, operations, bytes. Three counts of operations,
// because the tools that people know disagree: strict MACs (multiply-adds of convolutions and
// matrix products), FLOPs (2 x MACs plus the other operations, docs/models.md), and what torchinfo
// would print. All for the whole batch. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/graph/graph.h"

namespace mete {

struct LayerSummary {
  std::string name;
  std::string op;                ///< what it is named for: its op with most work
  Shape output;                  ///< of its last node
  std::uint64_t parameters = 0;  ///< each counted where it is used first
  std::uint64_t macs = 0;
  std::uint64_t flops = 0;
  std::uint64_t torchinfo_mult_adds = 0;
  std::uint64_t activation_bytes = 0;  ///< results, views not counted
  std::uint64_t bytes_read = 0;        ///< by its nodes, parameters too, each use counted
  std::uint64_t bytes_written = 0;
};

/// A forward pass, or a whole training step.
struct PassSummary {
  std::size_t nodes = 0;
  std::uint64_t macs = 0;
  std::uint64_t flops = 0;
  std::uint64_t peak_bytes = 0;           ///< parameters and inputs too, memory reused in place
  std::uint64_t no_reuse_peak_bytes = 0;  ///< the same if no result overwrote an input
  std::string peak_at;                    ///< the layer and op
};

struct ModelSummary {
  std::string name;
  std::uint64_t parameters = 0;
  std::uint64_t parameter_bytes = 0;
  std::uint64_t input_bytes = 0;
  std::uint64_t activation_bytes = 0;
  std::uint64_t torchinfo_mult_adds = 0;
  PassSummary forward;
  PassSummary training;
  std::vector<LayerSummary> layers;  ///< those with a node in the forward pass
};

/// Of a forward graph; it needs no loss, and the training step is left empty.
Result<ModelSummary> summarise_forward(const Graph& forward);
/// Of a forward graph with its loss, and of one training step made of it.
Result<ModelSummary> summarise(const Graph& forward);
/// Layers included. Bytes and counts are whole numbers.
Json to_json(const ModelSummary& summary);

}  // namespace mete
