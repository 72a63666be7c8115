// Layouts in blocks of 16 channels: what oneDNN's convolutions are fastest in on CPUs with AVX-512.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mete/graph/graph.h"
#include "mete/kernel/layout.h"

namespace mete {

class KernelLibrary;

/// True if tensors of this shape can have that layout: channels_last and the blocked ones need four
/// axes, the blocked ones channels in multiples of 16.
bool layout_fits(const Shape& shape, Layout layout);
/// Where an element lies: `index` counts along each axis of `shape`, which the layout fits.
std::size_t layout_offset(const Shape& shape, Layout layout, std::span<const std::int64_t> index);

/// What assign_layouts() gave, with every image in channels_last whose channels are a multiple of
/// 16 in `blocked`, and filters that only convolutions of one group and their updates touch in
/// `filter_blocked`, where their sizes allow.
std::vector<Layout> blocked_layouts(const Graph& graph, std::vector<Layout> layouts);
/// assign_layouts(), in blocks if the first library prefers them.
std::vector<Layout> layouts_for(const Graph& graph, std::span<KernelLibrary* const> libraries);

}  // namespace mete
