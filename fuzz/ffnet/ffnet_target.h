// What any bytes must do in the reader of networks and frequency maps: be refused in one line that
// names the file, or give something that answers. Shared by the fuzzer and the replay of its
// corpus. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "fuzz/check.h"

#include "mete/learn/ffnet.h"

namespace mete::fuzz {

inline void ffnet_target(std::string_view bytes) {
  auto net = FeedForwardNet::parse(bytes, "file");
  if (net) {
    require(net->inputs() > 0 && !net->outputs().empty());
    std::vector<double> scores(net->outputs().size());
    const std::vector<double> clocks(net->outputs().size(), 1e9);
    for (const double value : {0.0, -1.5, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
      net->forward(std::vector<double>(net->inputs(), value), scores);
      const double mixed = mix_frequencies(scores, clocks);
      // NaN, infinity, or a mean of equal clocks.
      require(!(mixed < 0.999e9) && (mixed < 1.001e9 || !(mixed <= 1e300)));
    }
  } else {
    require_fair(net.error(), "file: ");
  }
  const auto map = FrequencyMap::parse(bytes, "file");
  if (map) {
    require(map->size() > 0);
  } else {
    require_fair(map.error(), "file: ");
  }
}

}  // namespace mete::fuzz
