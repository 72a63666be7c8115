// The checks that every provider makes of a request.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/request_check.h"

#include "mete/base/text.h"

namespace mete {
namespace {

template <class Row>
Result<std::size_t> find_row(const std::vector<Row>& rows, const char* kind,
                             const std::string& provider, const Request& request, int parts) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].name != request.name) continue;
    if (rows[i].domain != request.domain) {
      return fail(Errc::invalid, "{}: provider {} has it at domain {}, not {}", request.name,
                  provider, domain_name(rows[i].domain), domain_name(request.domain));
    }
    if (request.index < 0 || request.index >= parts) {
      return fail(Errc::invalid, "{}: there is no {} {} here: expected 0 to {}", request.name,
                  domain_name(request.domain), request.index, parts - 1);
    }
    return i;
  }
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.name);
  return fail(Errc::invalid, "{}: provider {} has no {} of that name{}", request.name, provider,
              kind, did_you_mean(request.name, names));
}

}  // namespace

Result<std::size_t> find_signal(const ProviderInfo& info, const Request& request, int parts) {
  return find_row(info.signals, "signal", info.name, request, parts);
}

Result<std::size_t> find_control(const ProviderInfo& info, const Request& request, int parts) {
  return find_row(info.controls, "control", info.name, request, parts);
}

}  // namespace mete
