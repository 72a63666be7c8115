// The explicit list of providers: add a line here for a new one.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/builtin.h"

#include <array>

#include "mete/provider/dcgm/dcgm_provider.h"
#include "mete/provider/hwmon/hwmon_provider.h"
#include "mete/provider/jetson/jetson_provider.h"
#include "mete/provider/linux/linux_provider.h"
#include "mete/provider/nvml/nvml_provider.h"
#include "mete/provider/rapl/rapl_provider.h"
#include "mete/provider/region/region_provider.h"
#include "mete/provider/time/time_provider.h"

namespace mete {
namespace {

using Make = std::unique_ptr<Provider> (*)(const ProviderContext&);

// Where two offer the same name, the earlier one's is used: the most direct source comes first.
constexpr std::array kProviders{
    Make{[](const ProviderContext& c) { return make_time_provider(c.clock, c.origin); }},
    Make{[](const ProviderContext& c) { return make_region_provider(c.counts); }},
    Make{[](const ProviderContext& c) { return make_rapl_provider(c.root, c.clock); }},
    Make{[](const ProviderContext& c) { return make_paced_linux_provider(c.root, c.clock); }},
    Make{[](const ProviderContext& c) { return make_jetson_provider(c.root, c.clock); }},
    Make{[](const ProviderContext& c) {
      return make_nvml_provider({.library = c.nvml_library, .root = c.root, .notice = c.notice});
    }},
    Make{[](const ProviderContext& c) {
      return make_dcgm_provider({.library = c.dcgm_library, .root = c.root, .notice = c.notice});
    }},
    Make{[](const ProviderContext& c) { return make_hwmon_provider(c.root, c.clock); }},
};

}  // namespace

std::vector<std::unique_ptr<Provider>> builtin_providers(const ProviderContext& context) {
  std::vector<std::unique_ptr<Provider>> providers;
  for (const Make make : kProviders) providers.push_back(make(context));
  return providers;
}

}  // namespace mete
