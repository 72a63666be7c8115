// mete read: the value of a signal, as geopmread prints it.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/cli/command.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"
#include "mete/cli/patient_read.h"
#include "mete/cli/target.h"

namespace mete {
namespace {

struct Options {
  TargetOptions target;
  std::string name;
  std::string domain = "board";
  std::string index;  // "" or "*": every part
  bool json = false;
};

/// The parts asked for: one, or all of the domain.
Result<std::vector<Request>> requests_of(const Platform& platform, const Options& options) {
  const bool all = options.index == "*" || (options.index.empty() && options.domain != "board");
  if (!all) {
    METE_TRY(Request one, parse_request(platform, options.name, options.domain,
                                        options.index.empty() ? "0" : options.index));
    return std::vector<Request>{std::move(one)};
  }
  METE_TRY(const Domain domain, parse_domain(options.domain));
  return platform.expand({options.name, domain});
}

void print_plain(const SignalInfo& info, const Request& request, const Reading& reading,
                 bool several) {
  const std::string value = print_value(reading.or_nan(), info.format);
  const std::string label =
      several ? fmt::format("{} {} ", domain_name(request.domain), request.index) : std::string();
  // Scripts get the value alone, as from geopmread; people also what it is.
  if (::isatty(STDOUT_FILENO) != 0) {
    fmt::print("{}{} {}{}({})\n", label, value, info.unit == "1" ? "" : info.unit,
               info.unit.empty() || info.unit == "1" ? "" : " ", source_name(info.source));
  } else {
    fmt::print("{}{}\n", label, value);
  }
}

Json json_of(const SignalInfo& info, const Request& request, const Reading& reading,
             bool replayed) {
  Json out = Json::object(
      {{"name", info.name},
       {"domain", domain_name(request.domain)},
       {"index", request.index},
       {"value", reading.or_nan()},
       {"unit", info.unit},
       {"source", source_name(replayed && info.name != "TIME" ? Source::replayed : info.source)}});
  if (reading.fault) out.set("fault", errc_name(*reading.fault));
  return out;
}

Result<ExitCode> list_names(const Platform& platform, bool json) {
  Json names = Json::array();
  for (const auto& info : platform.signals()) {
    if (json) {
      names.push(info.name);
    } else {
      fmt::print("{}\n", info.name);
    }
  }
  if (json) fmt::print("{}\n", names.dump());
  return 0;
}

Result<ExitCode> read(const Options& options, const Context& context) {
  std::vector<std::string> notices;
  METE_TRY(const auto target, make_target(options.target, context, 0, notices));
  for (const auto& notice : notices) say(fmt::format("mete read: {}", notice));
  Platform& platform = target->platform();
  if (options.name.empty()) return list_names(platform, options.json);
  if (!target->replayed() && !platform.has_signal(options.name)) {
    if (auto why = explain_absence(platform, options.name)) return *why;
  }
  METE_TRY(const SignalInfo info, platform.signal_info(options.name));
  METE_TRY(const auto requests, requests_of(platform, options));
  std::vector<int> handles;
  for (const auto& request : requests) {
    METE_TRY(const int handle, platform.push_signal(request));
    handles.push_back(handle);
  }
  read_with_patience(*target, handles);
  Json array = Json::array();
  std::string faults;
  for (std::size_t i = 0; i < handles.size(); ++i) {
    const Reading reading = platform.sample(handles[i]);
    if (reading.fault) {
      faults += fmt::format("{}{} ({})", faults.empty() ? "" : ", ", report_name(requests[i]),
                            errc_name(*reading.fault));
    }
    if (options.json) {
      array.push(json_of(info, requests[i], reading, target->replayed()));
    } else if (handles.size() > 1 || !reading.fault) {
      print_plain(info, requests[i], reading, handles.size() > 1);
    }
  }
  if (options.json)
    fmt::print("{}\n", handles.size() == 1 ? array.items().front().dump() : array.dump());
  if (!faults.empty())
    return fail(Errc::failed, "could not be read: {}; `mete doctor` may say why", faults);
  return 0;
}

}  // namespace

Runner add_read(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->name,
                 "A signal, by any generation's name; without it, all names are listed");
  app.add_option("DOMAIN", options->domain, "board, package, core, cpu, memory, gpu, ..")
      ->capture_default_str();
  app.add_option("INDEX", options->index, "Which part; without it, or *, every part of the domain");
  app.add_flag("--json", options->json, "Value, unit, source and domain as JSON");
  add_target_options(app, options->target);
  return [options](const Context& context) { return read(*options, context); };
}

}  // namespace mete
