// mete bench: matrix multiplies over type, size, clock and trial, measured and kept; and memory
// bandwidth. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/study_output.h"
#include "mete/cli/target.h"
#include "mete/kernel/stream.h"
#include "mete/provider/board/machine.h"
#include "mete/signal/control_guard.h"
#include "mete/study/efficiency/board_bench.h"
#include "mete/study/efficiency/cpu_bench.h"
#include "mete/study/efficiency/study_store.h"

namespace mete {
namespace {

struct Options {
  std::string workload;
  std::string device = "cpu";
  std::vector<std::string> types;
  std::vector<std::string> sizes;
  std::vector<std::string> frequencies;
  int trials = 3;
  double seconds = 1;
  int threads = 0;
  std::string power;
  std::uint64_t seed = 1;
  std::string output;
  bool json = false;
};

/// "1024" or "1024x96".
Result<std::pair<std::uint64_t, std::uint64_t>> parse_size(const std::string& text) {
  const auto cross = text.find('x');
  const auto rows = parse_int(text.substr(0, cross));
  const auto depth = cross == std::string::npos ? rows : parse_int(text.substr(cross + 1));
  constexpr std::int64_t kLargest = 1 << 20;
  if (!rows || !depth || *rows < 1 || *depth < 1 || *rows > kLargest || *depth > kLargest) {
    return fail(Errc::invalid, "--size {}: expected N, or ROWSxDEPTH, each from 1 to {}", text,
                kLargest);
  }
  return std::pair(static_cast<std::uint64_t>(*rows), static_cast<std::uint64_t>(*depth));
}

Result<std::vector<GemmPoint>> cpu_points(const Options& options) {
  if (!options.frequencies.empty()) {
    return fail(Errc::unsupported,
                "cpu: --frequency is for boards; run this bench under `mete sweep --control "
                "CPU_FREQUENCY_MAX_CONTROL=..`");
  }
  const auto types =
      options.types.empty() ? std::vector<std::string>{"float", "double"} : options.types;
  const auto sizes = options.sizes.empty() ? std::vector<std::string>{"256", "512", "1024", "2048"}
                                           : options.sizes;
  std::vector<GemmPoint> points;
  for (const auto& type : types) {
    METE_TRY(const auto known, gemm_type_named(type));
    for (const auto& size : sizes) {
      METE_TRY(const auto shape, parse_size(size));
      // On a CPU the small types run on the matrix units where there are any: nothing to ask for.
      const bool small = known != GemmType::f32 && known != GemmType::f64;
      points.push_back({"cpu", type, small ? "tensor" : "nontensor", shape.first, shape.second, 0});
    }
  }
  return points;
}

Result<std::vector<GemmPoint>> board_points(const Options& options, const Machine& machine) {
  auto points = board_gemm_points(machine.board(), machine.clocks());
  if (points.empty())
    return fail(Errc::invalid, "board {} has no matrix multiplies", machine.board().name);
  std::vector<double> clocks;
  for (const auto& text : options.frequencies) {
    METE_TRY(const double hertz, parse_quantity(text, "Hz"));
    const auto& known = machine.clocks();
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](double c) { return std::abs(c - hertz) <= 0.5e6; });
    if (found == known.end()) {
      std::vector<std::string> names;
      for (const double c : known) names.push_back(fmt::format("{:.2f}", c / 1e6));
      return fail(Errc::invalid, "--frequency {}: board {} has, in MHz: {}", text,
                  machine.board().name, join(names, " "));
    }
    clocks.push_back(*found);
  }
  std::vector<std::string> sizes;
  for (const auto& text : options.sizes) {
    METE_TRY(const auto shape, parse_size(text));
    sizes.push_back(GemmPoint{"", "", "", shape.first, shape.second, 0}.size_text());
  }
  const auto wanted = [](const auto& list, const auto& value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  std::erase_if(points, [&](const GemmPoint& point) {
    return !wanted(options.types, point.dtype) || !wanted(sizes, point.size_text()) ||
           !wanted(clocks, point.frequency);
  });
  if (points.empty()) {
    return fail(Errc::invalid,
                "board {} measured none of these types and sizes; `mete list kernels --board {}` "
                "shows what",
                machine.board().name, machine.board().name);
  }
  return points;
}

/// The power signal asked for, or the first of those that tell of a CPU.
Result<std::optional<BenchMeter>> make_meter(const Options& options, Platform& platform) {
  std::vector<std::string> names{"CPU_POWER", "BOARD_POWER"};
  if (options.power == "none") return std::optional<BenchMeter>();
  if (!options.power.empty()) names = {options.power};
  for (const auto& name : names) {
    auto info = platform.signal_info(name);
    if (!info) {
      if (!options.power.empty()) return info.error();
      continue;
    }
    const auto handle = platform.push_signal({info->name, Domain::board, 0});
    if (!handle) {
      if (!options.power.empty()) return handle.error();
      continue;
    }
    BenchMeter meter;
    meter.source = fmt::format("{}, {}", info->name, source_name(info->source));
    meter.read = [&platform, h = *handle] {
      platform.read_batch();
      return platform.value(h);
    };
    return std::optional<BenchMeter>(std::move(meter));
  }
  return std::optional<BenchMeter>();
}

std::string binary_hash() {
  const auto bytes = read_file("/proc/self/exe");
  if (!bytes) return "";
  GemmRun content;
  content.origin = "";
  content.point.device = *bytes;
  return fmt::format("{:016x}", content_hash(content));
}

struct Sitting {
  std::string device;
  Json environment;
  bool has_power = false;
  bool replayed = false;
};

Json outcome_json(const std::vector<EfficiencyRow>& rows, const BenchOutcome& outcome,
                  const Sitting& sitting, const std::string& output) {
  Json json = summary_json(rows, sitting.replayed ? PowerRule::notebook : PowerRule::settled);
  json.set("study", output.empty() ? Json() : Json(output));
  json.set("device", sitting.device);
  json.set("replayed", sitting.replayed);
  json.set("power", sitting.has_power);
  json.set("environment", sitting.environment);
  json.set("reference_spread", outcome.reference_spread);
  json.set("interrupted", outcome.interrupted);
  Json observed = Json::array();
  for (const auto& run : outcome.runs) {
    observed.push(Json::object({{"dtype", run.point.dtype},
                                {"size", run.point.size_text()},
                                {"frequency", run.point.frequency},
                                {"flops", run.flops},
                                {"iterations", run.iterations},
                                {"seconds", run.seconds},
                                {"tensor_requested", run.point.tensor},
                                {"tensor_observed", run.tensor_observed}}));
  }
  json.set("runs", std::move(observed));
  return json;
}

void print_outcome(const std::vector<EfficiencyRow>& rows, const BenchOutcome& outcome,
                   const Sitting& sitting, const std::string& output) {
  fmt::print("{:<8}{:<11}{:<12}{:>10}  {:<28}{:>10}  {}\n", "type", "tensor", "size", "MHz",
             "GFLOP/s [95 %]", "W", "GFLOP/s per W");
  for (const auto& row : rows) {
    const auto rate = row.flops.bounded()
                          ? fmt::format("{:.1f} [{:.1f}, {:.1f}]", row.flops.estimate / 1e9,
                                        row.flops.low / 1e9, row.flops.high / 1e9)
                          : fmt::format("{:.1f} (one run)", row.flops.estimate / 1e9);
    fmt::print(
        "{:<8}{:<11}{:<12}{:>10}  {:<28}{:>10}  {}\n", row.point.dtype, row.point.tensor,
        row.point.size_text(),
        row.point.frequency > 0 ? fmt::format("{:.2f}", row.point.frequency / 1e6) : "as it was",
        rate, std::isnan(row.watts.estimate) ? "-" : fmt::format("{:.2f}", row.watts.estimate),
        std::isnan(row.flops_per_watt.estimate)
            ? "-"
            : fmt::format("{:.2f}", row.flops_per_watt.estimate / 1e9));
  }
  if (sitting.replayed)
    fmt::print("replayed from a board: these are its makers' measurements, not this machine's\n");
  if (!sitting.has_power) {
    fmt::print(
        "no power signal here, so no joules: `mete doctor` says why, --power SIGNAL names "
        "another\n");
  }
  if (!std::isnan(outcome.reference_spread)) {
    fmt::print(
        "the reference point, measured again and again, differed by {} (standard deviation)\n",
        format_percent(outcome.reference_spread, 2));
  }
  if (!output.empty())
    fmt::print("{}: every run with its samples; `mete study summary {}`\n", output, output);
}

/// Runs the grid, keeps what is measured, prints it.
Result<ExitCode> run_grid(const Options& options, const BenchPlan& plan, BenchDevice& device,
                          Sitting sitting, const Context& context) {
  for (const auto& point : plan.points) METE_TRY_VOID(device.check(point));
  std::optional<StudyStore> store;
  std::vector<GemmRun> before;
  std::int64_t session = 0;
  if (!options.output.empty()) {
    METE_TRY(store, StudyStore::open(options.output, StudyStore::Mode::create));
    METE_TRY(before, store->runs());
    METE_TRY(session, store->add_session(
                          {"measured by mete bench", format_wall_time(context.clock.wall_seconds()),
                           context.node, sitting.environment.dump(-1), binary_hash()}));
  }
  const auto steps = bench_steps(plan, before);
  if (steps.empty()) {
    fmt::print(stderr, "mete bench: {} has all {} trials of every point already\n", options.output,
               plan.trials);
  }
  Progress progress("bench", static_cast<double>(steps.size()), context.clock);
  const auto keep = [&](const GemmRun& run) -> Result<void> {
    if (!store) return {};
    METE_TRY_VOID(store->begin());
    METE_TRY(const auto added, store->add_run(session, run));
    static_cast<void>(added);
    return store->commit();
  };
  const auto tell = [&](const BenchProgress& now) {
    progress.update(static_cast<double>(now.done),
                    fmt::format("{} {}: {}", now.last->point.dtype, now.last->point.size_text(),
                                format_quantity(now.last->flops, "FLOP/s")));
  };
  METE_TRY(const auto outcome, run_bench(plan, steps, device, context.interrupt, keep, tell));
  progress.finish();
  auto all = before;
  all.insert(all.end(), outcome.runs.begin(), outcome.runs.end());
  const auto rows =
      summarise_gemm(all, sitting.replayed ? PowerRule::notebook : PowerRule::settled);
  if (options.json) {
    fmt::print("{}\n", outcome_json(rows, outcome, sitting, options.output).dump());
  } else {
    print_outcome(rows, outcome, sitting, options.output);
  }
  if (outcome.interrupted) {
    fmt::print(stderr, "mete bench: interrupted{}\n",
               store ? "; the same command goes on where it stopped"
                     : "; with -o FILE it could go on later");
    return 128 + context.interrupt.signal();
  }
  return 0;
}

BenchPlan plan_of(const Options& options, std::vector<GemmPoint> points) {
  BenchPlan plan;
  plan.points = std::move(points);
  plan.trials = static_cast<std::size_t>(options.trials);
  plan.seconds = options.seconds;
  plan.seed = options.seed;
  return plan;
}

int threads_of(const Options& options) {
  return options.threads > 0 ? options.threads
                             : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Result<ExitCode> bench_cpu(const Options& options, const Context& context) {
  METE_TRY(auto points, cpu_points(options));
  METE_TRY(auto* runtime, open_blas_runtime());
  Platform platform(builtin_providers(provider_context(context)));
  METE_TRY(auto meter, make_meter(options, platform));
  Sitting sitting;
  sitting.device = "cpu";
  sitting.has_power = meter.has_value();
  const int threads = threads_of(options);
  sitting.environment = Json::object({{"libraries", runtime->libraries()},
                                      {"threads", threads},
                                      {"seed", std::to_string(options.seed)}});
  if (meter) {
    // What the machine takes when nothing is multiplied: 2 s, before the first run.
    double idle = 0;
    constexpr int kLooks = 20;
    meter->read();
    for (int i = 0; i < kLooks; ++i) {
      context.clock.sleep_until(context.clock.now() + from_seconds(0.1));
      idle += meter->read() / kLooks;
    }
    sitting.environment.set("idle_watts", idle);
  }
  CpuBench device(*runtime, context.clock, context.sys, threads, std::move(meter));
  for (const auto type : {GemmType::f32, GemmType::f64}) {
    const bool asked = std::any_of(points.begin(), points.end(),
                                   [&](const auto& p) { return p.dtype == gemm_type_name(type); });
    if (asked)
      sitting.environment.set(fmt::format("peak_flops_{}", gemm_type_name(type)),
                              device.peak(type));
  }
  return run_grid(options, plan_of(options, std::move(points)), device, std::move(sitting),
                  context);
}

Result<ExitCode> bench_board(const Options& options, const Context& context) {
  METE_TRY(auto board, load_board(options.device.substr(6)));
  VirtualClock clock;
  METE_TRY(const auto machine, Machine::make(std::move(board), {}, 1, clock, options.seed));
  METE_TRY(auto points, board_points(options, *machine));
  BoardBench device(*machine);
  Sitting sitting{options.device, Json::object({{"replayed", true}}), true, true};
  return run_grid(options, plan_of(options, std::move(points)), device, std::move(sitting),
                  context);
}

Result<ExitCode> bench_stream(const Options& options, const Context& context) {
  if (options.device != "cpu") return fail(Errc::unsupported, "stream runs on cpu");
  const int threads = threads_of(options);
  METE_TRY(const auto results, run_stream(threads, options.trials, context.clock));
  Json list = Json::array();
  for (const auto& result : results) {
    const auto rate = mean_interval(result.bytes_per_second);
    const double best =
        *std::max_element(result.bytes_per_second.begin(), result.bytes_per_second.end());
    if (options.json) {
      list.push(Json::object({{"kernel", result.kernel},
                              {"bytes_per_second", rate.estimate},
                              {"interval", interval_json(rate)},
                              {"best", best}}));
    } else {
      fmt::print("{:<8}{:>10} GB/s [{:.2f}, {:.2f}], best {:.2f}\n", result.kernel,
                 fmt::format("{:.2f}", rate.estimate / 1e9), rate.low / 1e9, rate.high / 1e9,
                 best / 1e9);
    }
  }
  if (options.json)
    fmt::print("{}\n", Json::object({{"threads", threads}, {"kernels", std::move(list)}}).dump());
  return 0;
}

Result<ExitCode> run(const Options& options, const Context& context) {
  if (options.trials < 1 || !(options.seconds > 0)) {
    return fail(Errc::invalid, "--trials and --seconds must be positive");
  }
  if (options.workload == "stream") return bench_stream(options, context);
  if (options.workload != "gemm")
    return fail(Errc::invalid, "no workload '{}': there are gemm and stream", options.workload);
  if (options.device == "cpu") return bench_cpu(options, context);
  if (options.device.starts_with("board:")) return bench_board(options, context);
  if (options.device.starts_with("cuda")) {
    return fail(Errc::unavailable,
                "{}: this mete has no CUDA backend; cpu and board:NAME are there", options.device);
  }
  return fail(Errc::invalid, "no device '{}': there are cpu and board:NAME", options.device);
}

}  // namespace

Runner add_bench(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("WORKLOAD", options->workload,
                 "gemm (matrix multiply) or stream (memory bandwidth)")
      ->required();
  app.add_option("--device", options->device, "cpu, or board:NAME to replay a board's measurements")
      ->capture_default_str();
  app.add_option("--type", options->types,
                 "float,double,bf16,int8 (cpu); those that were measured (board)")
      ->delimiter(',');
  app.add_option("--size", options->sizes, "N,N,.. or ROWSxDEPTH")->delimiter(',');
  app.add_option("--frequency", options->frequencies, "Clocks of a board [all]")->delimiter(',');
  app.add_option("--trials", options->trials, "Runs of every point")->capture_default_str();
  app.add_option("--seconds", options->seconds,
                 "Shortest time of a run; with a meter, until it has settled")
      ->capture_default_str();
  app.add_option("--threads", options->threads, "Threads [all]");
  app.add_option("--power", options->power,
                 "The signal that tells the power [CPU_POWER, BOARD_POWER], or none");
  app.add_option("--seed", options->seed, "Same seed, same order and same matrices")
      ->capture_default_str();
  app.add_option("-o,--output", options->output,
                 "Keep every run in this study file; an interrupted grid goes on from it");
  app.add_flag("--json", options->json, "Tell it as JSON");
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
