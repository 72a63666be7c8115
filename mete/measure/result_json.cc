// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/result_json.h"

namespace mete {
namespace {

Json joules_json(const std::vector<std::pair<std::string, double>>& joules) {
  Json out = Json::object();
  for (const auto& [name, value] : joules) out.set(name, value);
  return out;
}

}  // namespace

Json region_json(const RegionTotal& region) {
  return Json::object({{"name", region.name},
                       {"count", static_cast<std::int64_t>(region.count)},
                       {"seconds", region.seconds},
                       {"energy_joules", joules_json(region.joules)},
                       {"own_energy_joules", joules_json(region.own_joules)}});
}

Json spans_json(const std::vector<RegionSpan>& spans) {
  Json out = Json::array();
  for (const RegionSpan& span : spans) {
    Json one = Json::array_of(std::vector<double>{span.begin, span.end});
    one.push(static_cast<std::int64_t>(span.count));
    one.push(span.seconds);
    one.push(static_cast<std::int64_t>(span.threads));
    out.push(std::move(one));
  }
  return out;
}

Json balances_json(const std::vector<EnergyBalance>& balances) {
  Json out = Json::object();
  for (const auto& one : balances) {
    out.set(one.domain, Json::object({{"measured", one.measured},
                                      {"attributed", one.attributed},
                                      {"idle", one.idle},
                                      {"others", one.others}}));
  }
  return out;
}

}  // namespace mete
