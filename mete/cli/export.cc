// mete export: what this machine tells of its power and use, for Prometheus.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/export_server.h"
#include "mete/cli/export_text.h"
#include "mete/cli/node_watch.h"
#include "mete/cli/options.h"
#include "mete/cli/target.h"
#include "mete/provider/builtin.h"
#include "mete/provider/estimate/estimate_provider.h"

namespace mete {
namespace {

struct Options {
  std::string listen = "127.0.0.1:9464";
  std::string period = "1s";
  std::string format = "prometheus";
  std::string output;
  std::string estimate;
  std::size_t processes = 0;
  bool once = false;
  bool each_cpu = false;
};

Result<Platform> make_platform(const Options& options, const Context& context) {
  auto providers = builtin_providers(provider_context(context));
  if (!options.estimate.empty()) {
    METE_TRY(const LoadModel model, parse_load_model(options.estimate, context.sys));
    providers.push_back(make_estimate_provider(context.sys, context.clock, model));
  }
  return Platform(std::move(providers));
}

Result<Nanoseconds> parse_period(const std::string& text) {
  constexpr double kShortest = 0.01;
  constexpr double kLongest = 60;  // a RAPL counter at full power comes round in about a minute
  METE_TRY(const double seconds, parse_quantity(text, "s"));
  if (!(seconds >= kShortest && seconds <= kLongest)) {
    return fail(Errc::invalid,
                "--period {}: expected 10ms to 60s (energy counters come round in about a minute)",
                text);
  }
  return from_seconds(seconds);
}

Result<MetricsFormat> parse_format(const std::string& text) {
  if (text == "prometheus") return MetricsFormat::prometheus;
  if (text == "openmetrics") return MetricsFormat::openmetrics;
  return fail(Errc::invalid, "--format '{}': expected prometheus or openmetrics", text);
}

ExporterFacts facts_of(const Platform& platform, const Context& context) {
  ExporterFacts facts;
  facts.version = METE_VERSION;
  facts.started = context.clock.wall_seconds();
  for (const auto* provider : platform.providers()) {
    facts.providers.push_back({provider->name, provider->available});
  }
  return facts;
}

Result<void> write_out(const std::string& text, const std::string& path) {
  if (!path.empty()) return write_file_atomically(path, text);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    return fail(Errc::failed, "standard output: {}", errno_text(errno));
  }
  return {};
}

void read_all(NodeWatch& watch, ProcessWatch* processes, ExporterFacts& facts,
              const Context& context) {
  watch.read(context.clock.now());
  if (processes == nullptr) return;
  processes->look(context.clock.now());
  facts.processes = processes->busiest();
}

/// A second look after half a second: what is a difference (power, utilisation) then tells of it.
Result<ExitCode> export_once(const Options& options, MetricsFormat format, NodeWatch& watch,
                             ProcessWatch* processes, ExporterFacts facts, const Context& context) {
  constexpr Nanoseconds kLook = std::chrono::milliseconds(500);
  const Nanoseconds end = context.clock.now() + kLook;
  while (context.interrupt.signal() == 0 && context.clock.now() < end) {
    context.clock.sleep_until(context.clock.now() + kLook / 10);
  }
  read_all(watch, processes, facts, context);
  facts.faults = watch.faults();
  METE_TRY_VOID(write_out(metrics_text(watch.values(), facts, format, false), options.output));
  return 0;
}

Result<ExitCode> serve(MetricsServer& server, Nanoseconds period, NodeWatch& watch,
                       ProcessWatch* processes, ExporterFacts facts, const Context& context) {
  const Interrupt& interrupt = context.interrupt;
  // Collectors are answered from the last reading: however often they ask, devices are asked once
  // a period.
  const MetricsPage page = [&](MetricsFormat format) {
    facts.faults = watch.faults();
    return metrics_text(watch.values(), facts, format);
  };
  Nanoseconds next = context.clock.now();
  while (interrupt.signal() == 0) {
    read_all(watch, processes, facts, context);
    next = std::max(next + period, context.clock.now());
    server.serve_until(next, context.clock, interrupt, page);
  }
  return 0;
}

Result<ExitCode> run_export(const Options& options, const Context& context) {
  METE_TRY(const MetricsFormat format, parse_format(options.format));
  METE_TRY(const Nanoseconds period, parse_period(options.period));
  METE_TRY(const ListenAddress address, parse_listen_address(options.listen));
  if (!options.once && !options.output.empty()) {
    return fail(Errc::invalid, "-o goes with --once: without it the text is served over HTTP");
  }
  METE_TRY(Platform platform, make_platform(options, context));
  const auto begin = [&]() -> Result<NodeWatch> {
    std::vector<std::string> notices;
    METE_TRY(NodeWatch watch, NodeWatch::open(platform, options.each_cpu, notices));
    for (const auto& notice : notices) say(fmt::format("mete export: {}", notice));
    watch.read_first(context.clock, context.interrupt);
    return watch;
  };
  std::optional<ProcessWatch> processes;
  const auto watch_processes = [&](const NodeWatch& watch) -> ProcessWatch* {
    if (options.processes == 0) return nullptr;
    std::vector<std::string> notices;
    processes.emplace(platform, watch, context.sys, options.processes, notices);
    for (const auto& notice : notices) say(fmt::format("mete export: {}", notice));
    processes->look(context.clock.now());
    return &*processes;
  };
  if (options.once) {
    METE_TRY(NodeWatch watch, begin());
    return export_once(options, format, watch, watch_processes(watch), facts_of(platform, context),
                       context);
  }
  METE_TRY(MetricsServer server, MetricsServer::listen(address));
  METE_TRY(NodeWatch watch, begin());
  say(fmt::format("mete export: {} tells {} values, read every {}; Ctrl-C ends it", server.url(),
                  watch.values().size(), options.period));
  if (!server.loopback()) {
    say("mete export: everybody who reaches this address can read them");
  }
  return serve(server, period, watch, watch_processes(watch), facts_of(platform, context), context);
}

}  // namespace

Runner add_export(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--listen", options->listen,
                 "Address and port to answer at; 0.0.0.0:PORT for every interface")
      ->capture_default_str();
  app.add_flag("--once", options->once, "Print the metrics once and end");
  app.add_option("-o,--output", options->output,
                 "With --once: into this file, in one piece (a textfile collector's *.prom)");
  app.add_option("--format", options->format,
                 "With --once: prometheus or openmetrics; over HTTP the collector chooses")
      ->capture_default_str();
  app.add_option("--period", options->period, "How often everything is read")
      ->capture_default_str();
  app.add_flag("--each-cpu", options->each_cpu, "Every CPU by itself, not taken together");
  app.add_option("--processes", options->processes,
                 "Tell this many processes too, those with the most power; each is a series of its "
                 "own to Prometheus")
      ->range(0, 1000);
  app.add_option("--estimate", options->estimate,
                 "Where nothing measures power: estimate the CPUs' from their load; auto, or watts "
                 "IDLE:FULL");
  return [options](const Context& context) { return run_export(*options, context); };
}

}  // namespace mete
