// SPDX-License-Identifier: BSD-3-Clause
#include "python/core/node.h"

#include <cstdlib>
#include <string>

#include "python/core/convert.h"
#include <pybind11/stl.h>
#include <unistd.h>

#include "mete/base/json.h"
#include "mete/cli/look.h"
#include "mete/cli/patient_read.h"
#include "mete/control/agent.h"
#include "mete/provider/board/board.h"
#include "mete/signal/control_guard.h"

namespace py = pybind11;

namespace mete {
namespace {

std::string environment_or(const char* variable, const char* fallback) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): under Python's lock
  return value != nullptr && *value != '\0' ? value : fallback;
}

/// The options as a Target that only looks.
std::unique_ptr<Target> looking_at(const py::dict& options) {
  static const NoInterrupt never;
  std::vector<std::string> notices;
  return value_or_raise(make_target(target_options(options), python_context(never), 0, notices));
}

py::object signals(const py::dict& options) {
  const auto target = looking_at(options);
  Json list = Json::array();
  for (const auto& info : target->platform().signals()) {
    list.push(to_json(info, target->platform().topology()));
  }
  return to_python(list);
}

py::object controls(const py::dict& options) {
  const auto target = looking_at(options);
  Platform& platform = target->platform();
  Json list = Json::array();
  for (const auto& info : platform.controls()) {
    Json json = to_json(info, platform.topology());
    if (const auto limits = platform.limits({info.name, info.domain, 0})) {
      json.set("min", limits->min);
      json.set("max", limits->max);
      json.set("supported", Json::array_of(limits->supported));
    }
    list.push(std::move(json));
  }
  return to_python(list);
}

py::dict domains(const py::dict& options) {
  const auto target = looking_at(options);
  py::dict counts;
  for (int i = 0; i < kDomainCount; ++i) {
    const auto domain = static_cast<Domain>(i);
    counts[py::str(std::string(domain_name(domain)))] = target->platform().topology().count(domain);
  }
  return counts;
}

double read_signal(const std::string& name, const std::string& domain, int index,
                   const py::dict& options) {
  const auto target = looking_at(options);
  Platform& platform = target->platform();
  if (!target->replayed() && !platform.has_signal(name)) {
    if (auto why = explain_absence(platform, name)) raise_error(*why);
  }
  const auto request = value_or_raise(parse_request(platform, name, domain, std::to_string(index)));
  const int handle = value_or_raise(platform.push_signal(request));
  {
    const py::gil_scoped_release unlocked;
    read_with_patience(*target, {handle});
  }
  const Reading reading = platform.sample(handle);
  if (reading.fault) {
    raise_error(fail(*reading.fault, "{} could not be read ({}); `mete doctor` may say why",
                     report_name(request), errc_name(*reading.fault)));
  }
  return reading.value;
}

py::dict agents() {
  py::dict out;
  for (const auto& entry : builtin_agents()) {
    out[py::str(std::string(entry.name))] = std::string(entry.description);
  }
  return out;
}

}  // namespace

Context python_context(const Interrupt& interrupt) {
  static SteadyClock clock;
  char node[256] = "localhost";
  ::gethostname(node, sizeof node - 1);
  return {clock, interrupt, SysRoot(environment_or("METE_SYS_ROOT", "/")),
          default_state_directory(), node};
}

TargetOptions target_options(const py::dict& options) {
  TargetOptions out;
  const auto given = [&](const char* key) {
    return options.contains(key) && !options[key].is_none();
  };
  if (given("board")) out.board = options["board"].cast<std::string>();
  if (given("gpus")) out.gpus = options["gpus"].cast<int>();
  if (given("board_option")) out.board_options = options["board_option"].cast<std::string>();
  if (given("seed")) out.seed = options["seed"].cast<std::uint64_t>();
  return out;
}

void add_node_functions(py::module_& module) {
  module.def("signals", signals);
  module.def("controls", controls);
  module.def("domains", domains);
  module.def("read_signal", read_signal);
  module.def("agents", agents);
  module.def("boards", [] { return builtin_board_names(); });
}

}  // namespace mete
