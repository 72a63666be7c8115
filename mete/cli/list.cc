// mete list: signals, controls, domains, agents, boards, kernels or aliases, one row each.
// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"
#include "mete/cli/target.h"
#include "mete/control/agent.h"
#include "mete/placement/solver.h"
#include "mete/provider/board/board.h"

namespace mete {
namespace {

struct Options {
  TargetOptions target;
  std::string what;
  bool json = false;
};

/// A list in both forms: an array of objects for machines, rows of cells for people.
struct Listing {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
};

std::string where(Domain domain, const Topology& topology) {
  return fmt::format("{} ({})", domain_name(domain), topology.count(domain));
}

Result<Listing> list_signals(const Options& options, const Context& context) {
  std::vector<std::string> notices;
  METE_TRY(const auto target, make_target(options.target, context, 0, notices));
  Listing out;
  const Topology& topology = target->platform().topology();
  for (const auto& info : target->platform().signals()) {
    out.json.push(to_json(info, topology));
    out.rows.push_back({info.name, info.unit, where(info.domain, topology),
                        std::string(aggregation_name(info.aggregation)),
                        std::string(source_name(info.source)), info.description});
  }
  return out;
}

Result<Listing> list_controls(const Options& options, const Context& context) {
  std::vector<std::string> notices;
  METE_TRY(const auto target, make_target(options.target, context, 0, notices));
  Listing out;
  Platform& platform = target->platform();
  for (const auto& info : platform.controls()) {
    Json json = to_json(info, platform.topology());
    std::string range = "unknown";
    if (const auto limits = platform.limits({info.name, info.domain, 0})) {
      json.set("min", limits->min);
      json.set("max", limits->max);
      json.set("supported", Json::array_of(limits->supported));
      range = fmt::format("{} to {}", format_quantity(limits->min, info.unit),
                          format_quantity(limits->max, info.unit));
      if (!limits->supported.empty())
        range += fmt::format(", {} settings", limits->supported.size());
    }
    out.json.push(std::move(json));
    out.rows.push_back(
        {info.name, info.unit, where(info.domain, platform.topology()), range, info.description});
  }
  return out;
}

Result<Listing> list_domains(const Options& options, const Context& context) {
  std::vector<std::string> notices;
  METE_TRY(const auto target, make_target(options.target, context, 0, notices));
  Listing out;
  for (int i = 0; i < kDomainCount; ++i) {
    const auto domain = static_cast<Domain>(i);
    const int count = target->platform().topology().count(domain);
    out.json.push(Json::object({{"name", domain_name(domain)}, {"id", i}, {"count", count}}));
    out.rows.push_back({std::string(domain_name(domain)), std::to_string(count)});
  }
  return out;
}

Result<Listing> list_agents(const Options& /*options*/, const Context& /*context*/) {
  Listing out;
  for (const auto& agent : builtin_agents()) {
    out.json.push(Json::object({{"name", agent.name}, {"description", agent.description}}));
    out.rows.push_back({std::string(agent.name), std::string(agent.description)});
  }
  return out;
}

Result<Listing> list_boards(const Options& /*options*/, const Context& /*context*/) {
  Listing out;
  for (const auto& name : builtin_board_names()) {
    METE_TRY(const Board board, load_board(name));
    out.json.push(Json::object({{"name", name},
                                {"kernels", board.kernels.size()},
                                {"clocks", Json::array_of(board.clocks)},
                                {"source", board.source}}));
    out.rows.push_back({name, fmt::format("{} kernels", board.kernels.size()),
                        fmt::format("{} clocks, {} to {}", board.clocks.size(),
                                    format_quantity(board.clocks.front(), "Hz"),
                                    format_quantity(board.clocks.back(), "Hz"))});
  }
  return out;
}

Result<Listing> list_kernels(const Options& options, const Context& /*context*/) {
  if (options.target.board.empty()) {
    return fail(
        Errc::invalid,
        "kernels are those of a board: add --board NAME; `mete list boards` shows the names");
  }
  METE_TRY(const Board board, load_board(options.target.board));
  Listing out;
  for (std::size_t k = 0; k < board.kernels.size(); ++k) {
    const BoardKernel& kernel = board.kernels[k];
    const OperatingPoint& top = kernel.points.back();
    out.json.push(Json::object({{"name", kernel.name},
                                {"set", kernel.set},
                                {"seconds", top.seconds},
                                {"watts", top.watts}}));
    out.rows.push_back(
        {kernel.name, kernel.set,
         fmt::format("{}, {} at {}", format_quantity(top.seconds, "s"),
                     format_quantity(top.watts, "W"), format_quantity(board.clocks.back(), "Hz"))});
  }
  return out;
}

Result<Listing> list_aliases(const Options& /*options*/, const Context& /*context*/) {
  Listing out;
  for (const auto& alias : aliases()) {
    out.json.push(Json::object({{"alias", alias.old_name}, {"name", alias.name}}));
    out.rows.push_back({std::string(alias.old_name), std::string(alias.name)});
  }
  return out;
}

Result<Listing> list_solvers(const Options& /*options*/, const Context& /*context*/) {
  Listing out;
  for (const auto& solver : builtin_solvers()) {
    out.json.push(Json::object({{"name", solver.name}, {"description", solver.description}}));
    out.rows.push_back({std::string(solver.name), std::string(solver.description)});
  }
  return out;
}

struct Kind {
  std::string_view name;
  Result<Listing> (*list)(const Options&, const Context&);
};
constexpr std::array<Kind, 8> kKinds{{{"signals", list_signals},
                                      {"controls", list_controls},
                                      {"domains", list_domains},
                                      {"agents", list_agents},
                                      {"boards", list_boards},
                                      {"kernels", list_kernels},
                                      {"aliases", list_aliases},
                                      {"solvers", list_solvers}}};

std::string kind_names(std::string_view separator) {
  std::vector<std::string> names;
  for (const auto& kind : kKinds) names.emplace_back(kind.name);
  return join(names, separator);
}

Result<ExitCode> list(const Options& options, const Context& context) {
  for (const auto& kind : kKinds) {
    if (kind.name != options.what) continue;
    METE_TRY(const Listing listing, kind.list(options, context));
    if (options.json) {
      fmt::print("{}\n", listing.json.dump());
    } else if (listing.rows.empty()) {
      say(fmt::format("mete list: no {} here; `mete doctor` says why", options.what));
    } else {
      fmt::print("{}", align(listing.rows));
    }
    return 0;
  }
  return fail(Errc::invalid, "'{}' cannot be listed; expected {}", options.what, kind_names(", "));
}

}  // namespace

Runner add_list(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("WHAT", options->what, kind_names(" | "))->required();
  app.add_flag("--json", options->json, "As a JSON array of objects");
  add_target_options(app, options->target);
  return [options](const Context& context) { return list(*options, context); };
}

}  // namespace mete
