// How a tensor's elements lie in memory. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "mete/graph/graph.h"

namespace mete {

enum class Layout : std::uint8_t {
  plain,          ///< row-major, as the shape says
  channels_last,  ///< N,C,H,W stored as N,H,W,C
  blocked,        ///< N,C,H,W stored as N,C/16,H,W,16: C a multiple of 16
  /// Filters O,I,h,w stored as O/16,I/16,h,w,16 of I,16 of O: both multiples of 16
  filter_blocked,
};
/// Channels in a block: as many floats as a vector register of AVX-512 holds.
inline constexpr std::int64_t kLayoutBlock = 16;
std::string_view layout_name(Layout layout);

/// One per tensor: images (what convolutions, pools and batch norms make and read, and what flows
/// between them through ops that treat all elements alike, or along axis 1) in channels_last, all
/// else plain. A reshape between the two is a copy.
std::vector<Layout> assign_layouts(const Graph& graph);
/// True if the node is a view whose result needs no work: a reshape that keeps the layout, or one
/// between layouts that agree for these sizes (a single row and column, or a single channel).
bool is_free_view(const Graph& graph, NodeId node, std::span<const Layout> layouts);
/// `from` in one layout to `to` in another: elements of 4 or 8 bytes. The naive loop: for tests,
/// and for putting data in.
void convert_layout(const TensorType& type, const void* from, Layout from_layout, void* to,
                    Layout to_layout);

}  // namespace mete
