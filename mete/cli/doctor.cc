// mete doctor: what can be measured and controlled here, what is missing, why, and the next step.
// Changes nothing. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/library.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"
#include "mete/cli/target.h"
#include "mete/provider/board/board.h"

namespace mete {
namespace {

/// A part of mete, or a right of the user, that some verbs need.
struct Part {
  std::string what;
  bool good = false;
  std::string state;
  std::string next;  // empty if good
};

struct Findings {
  std::vector<SignalInfo> signals;
  std::vector<ControlInfo> controls;
  std::vector<Absence> missing;
  std::vector<Part> parts;
};

struct PluginPart {
  const char* file;
  const char* what;
  const char* packages;
};
constexpr PluginPart kPlugins[] = {
    {"mete_torch.so", "training and the torch agent", "libtorch-dev"},
    {"mete_python.so", "agents in Python", "pybind11-dev python3-dev"},
    {"mete_blas.so", "matrix multiply on the CPU", "libopenblas-openmp-dev libdnnl-dev"},
    {"mete_onnx.so", "ONNX files in", "libonnx-dev libprotobuf-dev"},
    {"mete_clp.so", "placements with a proven gap", "coinor-libclp-dev coinor-libcbc-dev"},
};

Part plugin_part(const PluginPart& plugin) {
  const auto paths = plugin_paths(plugin.file);
  const auto found =
      std::find_if(paths.begin(), paths.end(), [](const std::string& p) { return path_exists(p); });
  if (found != paths.end()) return {plugin.what, true, *found, ""};
  return {plugin.what, false, fmt::format("the plugin {} was not found", plugin.file),
          fmt::format("sudo apt install {}, then build again", plugin.packages)};
}

/// Verbs that set controls write down what they changed before they change it.
Part state_part(const std::string& folder) {
  std::string existing = folder;
  while (!existing.empty() && existing != "/" && !path_exists(existing))
    existing = dir_name(existing);
  if (::access(existing.c_str(), W_OK) == 0) return {"state files", true, folder, ""};
  return {"state files", false, fmt::format("{} cannot be written", existing),
          "set METE_STATE_DIR to a folder of yours; controls are not changed without it"};
}

Part leftover_part(const std::string& folder) {
  const auto names = list_directory(folder);
  const auto count =
      names ? std::count_if(names->begin(), names->end(),
                            [](const std::string& n) { return n.rfind("controls-", 0) == 0; })
            : 0;
  if (count == 0) return {"controls left changed", true, "none", ""};
  return {"controls left changed", false,
          fmt::format("{} state file{} in {}, of runs that go on or were killed", count,
                      count == 1 ? "" : "s", folder),
          "mete restore gives back what killed runs left"};
}

Findings examine(const Platform& platform, const Context& context) {
  Findings out;
  out.signals = platform.signals();
  out.controls = platform.controls();
  for (const auto* provider : platform.providers()) {
    if (provider->name == "region") continue;  // a run's program has it, or nobody: no lack here
    out.missing.insert(out.missing.end(), provider->absences.begin(), provider->absences.end());
  }
  for (const auto& plugin : kPlugins) out.parts.push_back(plugin_part(plugin));
  out.parts.push_back(state_part(context.state_directory));
  out.parts.push_back(leftover_part(context.state_directory));
  out.parts.push_back({"boards to replay", true, join(builtin_board_names(), ", "), ""});
  return out;
}

std::string describe_topology(const Topology& topology) {
  std::vector<std::string> words;
  for (int i = 1; i < kDomainCount; ++i) {
    const auto domain = static_cast<Domain>(i);
    if (topology.count(domain) > 0)
      words.push_back(fmt::format("{} {}", topology.count(domain), domain_name(domain)));
  }
  return words.empty() ? "no parts that mete knows" : join(words, ", ");
}

template <class Info>
std::string rows_of(const std::vector<Info>& infos, const Topology& topology) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& info : infos) {
    rows.push_back({"  " + info.name, info.unit.empty() ? "-" : info.unit,
                    fmt::format("{} ({})", domain_name(info.domain), topology.count(info.domain)),
                    info.description});
  }
  return rows.empty() ? "  nothing\n" : align(rows);
}

void print_plain(const Findings& f, const Platform& platform, const Context& context) {
  const Topology& topology = platform.topology();
  fmt::print("{}: {}; running as {}\n", context.node, describe_topology(topology),
             ::geteuid() == 0 ? "root" : "an ordinary user");
  fmt::print("\nCan be measured\n{}", rows_of(f.signals, topology));
  fmt::print("\nCan be controlled\n{}", rows_of(f.controls, topology));
  fmt::print("\nMissing\n");
  for (const auto& a : f.missing)
    fmt::print("  {}\n    why:  {}\n    next: {}\n", a.what, a.why, a.next);
  if (f.missing.empty()) fmt::print("  nothing\n");
  fmt::print("\nParts\n");
  for (const auto& p : f.parts) {
    fmt::print("  {}  {}: {}\n", p.good ? "ok  " : "lack", p.what, p.state);
    if (!p.good) fmt::print("        next: {}\n", p.next);
  }
}

void print_json(const Findings& f, const Platform& platform, const Context& context) {
  const Topology& topology = platform.topology();
  Json domains = Json::object();
  for (int i = 0; i < kDomainCount; ++i) {
    const auto domain = static_cast<Domain>(i);
    domains.set(domain_name(domain), topology.count(domain));
  }
  Json signals = Json::array();
  for (const auto& info : f.signals) signals.push(to_json(info, topology));
  Json controls = Json::array();
  for (const auto& info : f.controls) controls.push(to_json(info, topology));
  Json missing = Json::array();
  for (const auto& absence : f.missing) missing.push(to_json(absence));
  Json parts = Json::array();
  for (const auto& p : f.parts) {
    parts.push(
        Json::object({{"what", p.what}, {"ok", p.good}, {"state", p.state}, {"next", p.next}}));
  }
  fmt::print("{}\n", Json::object({{"node", context.node},
                                   {"domains", domains},
                                   {"signals", signals},
                                   {"controls", controls},
                                   {"missing", missing},
                                   {"parts", parts}})
                         .dump());
}

}  // namespace

Runner add_doctor(OptionSet& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "The same as JSON");
  return [json](const Context& context) -> Result<ExitCode> {
    const Platform platform(builtin_providers(provider_context(context)));
    const Findings findings = examine(platform, context);
    if (*json) {
      print_json(findings, platform, context);
    } else {
      print_plain(findings, platform, context);
    }
    return 0;
  };
}

}  // namespace mete
