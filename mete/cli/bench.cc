// mete bench: matrix multiplies over type, size, clock and trial, measured and kept; and memory
// bandwidth. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/bench_memory.h"
#include "mete/cli/bench_parts.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/study_output.h"
#include "mete/cli/target.h"
#include "mete/kernel/stream.h"
#include "mete/provider/board/machine.h"
#include "mete/signal/control_guard.h"
#include "mete/study/axis.h"
#include "mete/study/efficiency/board_bench.h"
#include "mete/study/efficiency/runtime_bench.h"
#include "mete/study/efficiency/study_store.h"

namespace mete {
namespace {

constexpr int kMostTrials = 100'000;
constexpr int kMostThreads = 4096;
constexpr int kMostSeconds = 86'400;

/// A GPU, or the CPU, as signals and controls name them.
struct Part {
  Domain domain = Domain::board;
  int index = 0;
  std::vector<std::string> power;  ///< signals to be tried in this order
  std::string clock;               ///< the control
};
Part part_of(const std::optional<int>& gpu) {
  if (gpu) return {Domain::gpu, *gpu, {"GPU_POWER"}, "GPU_CORE_FREQUENCY_MAX_CONTROL"};
  return {Domain::board, 0, {"CPU_POWER", "BOARD_POWER"}, "CPU_FREQUENCY_MAX_CONTROL"};
}

/// The power signal asked for, or the first of the part's own.
Result<std::optional<BenchMeter>> make_meter(const BenchOptions& options, const Part& part,
                                             Platform& platform) {
  if (options.power == "none") return std::optional<BenchMeter>();
  const auto names = options.power.empty() ? part.power : std::vector<std::string>{options.power};
  for (const auto& name : names) {
    auto info = platform.signal_info(name);
    if (!info) {
      if (!options.power.empty()) return info.error();
      continue;
    }
    const bool own = info->domain == part.domain || info->domain == Domain::gpu_chip;
    const auto handle =
        platform.push_signal({info->name, own ? part.domain : Domain::board, own ? part.index : 0});
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

/// The clocks asked for, as the device supports them; an error names those that it does not.
Result<std::vector<double>> clocks_of(const BenchOptions& options, const Part& part,
                                      const Platform& platform) {
  if (options.frequencies.empty()) return std::vector<double>();
  auto info = platform.control_info(part.clock);
  if (!info) {
    return fail(info.error().code, "--frequency: the clock cannot be set here: {}",
                info.error().what);
  }
  METE_TRY(const auto limits, platform.limits({info->name, info->domain, part.index}));
  std::vector<std::string> notes;
  METE_TRY(const auto axis, resolve_axis(*info, limits, join(options.frequencies, ","), 1, notes));
  return axis.values;
}

/// What the machine takes when nothing is multiplied: 2 s, before the first run.
double idle_watts(const BenchMeter& meter, Clock& clock) {
  constexpr int kLooks = 20;
  double sum = 0;
  meter.read();
  for (int i = 0; i < kLooks; ++i) {
    clock.sleep_until(clock.now() + from_seconds(0.1));
    sum += meter.read() / kLooks;
  }
  return sum;
}

std::string binary_hash() {
  const auto bytes = read_file("/proc/self/exe");
  if (!bytes) return "";
  GemmRun content;
  content.origin = "";
  content.point.device = *bytes;
  return fmt::format("{:016x}", content_hash(content));
}

/// Runs the grid, keeps what is measured, prints it.
Result<ExitCode> run_grid(const BenchOptions& options, const BenchPlan& plan, BenchDevice& device,
                          BenchSitting sitting, const Context& context) {
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
    say(fmt::format("mete bench: {} has all {} trials of every point already", options.output,
                    plan.trials));
  }
  Progress progress("bench", static_cast<double>(steps.size()), context.clock);
  const auto keep = [&](const GemmRun& run) -> Result<void> {
    if (!store) return {};
    METE_TRY_VOID(same_library(before, run, options.output));
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
  // The study may hold other devices and grids: this is about what was asked for now.
  std::erase_if(all, [&](const GemmRun& run) {
    return std::find(plan.points.begin(), plan.points.end(), run.point) == plan.points.end();
  });
  const auto rows =
      summarise_gemm(all, sitting.replayed ? PowerRule::notebook : PowerRule::settled);
  if (options.json) {
    fmt::print("{}\n", bench_json(rows, outcome, sitting, options.output).dump());
  } else {
    print_bench(rows, all, outcome, sitting, options.output);
  }
  if (outcome.interrupted) {
    say(fmt::format("mete bench: interrupted{}", store
                                                     ? "; the same command goes on where it stopped"
                                                     : "; with -o FILE it could go on later"));
    return 128 + context.interrupt.signal();
  }
  return 0;
}

BenchPlan plan_of(const BenchOptions& options, std::vector<GemmPoint> points) {
  BenchPlan plan;
  plan.points = std::move(points);
  plan.trials = static_cast<std::size_t>(options.trials);
  plan.seconds = options.seconds;
  plan.seed = options.seed;
  return plan;
}

int threads_of(const BenchOptions& options) {
  return options.threads > 0 ? options.threads
                             : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Result<Json> environment_of(const BenchOptions& options, GemmRuntime& runtime,
                            const std::optional<int>& gpu, const SysRoot& sys) {
  Json out =
      Json::object({{"libraries", runtime.libraries()}, {"seed", std::to_string(options.seed)}});
  if (!gpu) {
    out.set("threads", threads_of(options));
    out.set("library", options.library);
    const auto huge = sys.read_text("/sys/kernel/mm/transparent_hugepage/enabled");
    out.set("transparent_huge_pages", huge ? std::string(trim(*huge)) : "none");
    return out;
  }
  METE_TRY(auto name, runtime.device_name(*gpu));
  out.set("gpu", std::move(name));
  return out;
}

/// The units' peaks for the types asked for: measured on a CPU, computed for a GPU.
void tell_peaks(const std::vector<GemmPoint>& points, const std::optional<int>& gpu,
                GemmRuntime& runtime, RuntimeBench& device, Json& environment) {
  std::set<std::string> told;
  for (const auto& point : points) {
    const auto type = gemm_type_named(point.dtype);
    if (!type || !told.insert(point.dtype).second) continue;
    if (gpu) {
      const auto peaks = runtime.peaks(*type, *gpu);
      environment.set("computed_peak_flops_" + point.dtype, peaks.plain);
      environment.set("computed_peak_flops_" + point.dtype + "_tensor", peaks.tensor);
    } else {
      environment.set("peak_flops_" + point.dtype, device.peak(*type));
    }
  }
}

/// What was typed of --library.
Result<void> check_library(const BenchOptions& options) {
  if (options.library == "auto") return {};
  const auto known = gemm_libraries();
  if (options.device != "cpu" || options.workload != "gemm") {
    return fail(Errc::invalid, "--library {}: only gemm on cpu has libraries to choose from",
                options.library);
  }
  if (std::find(known.begin(), known.end(), options.library) == known.end()) {
    return fail(Errc::invalid, "--library {}: there are auto, {}", options.library,
                join({known.begin(), known.end()}, ", "));
  }
  return {};
}

Result<ExitCode> bench_machine(const BenchOptions& options, const Context& context) {
  std::optional<int> gpu;
  if (options.device != "cpu") {
    METE_TRY(gpu, cuda_index(options.device));
  }
  const auto part = part_of(gpu);
  METE_TRY(auto unclocked,
           machine_points(options, {}));  // what was typed, before anything is opened
  METE_TRY(auto* runtime, gpu ? open_cuda_runtime() : open_blas_runtime());
  BenchSitting sitting;
  sitting.device = device_label(options);
  METE_TRY(sitting.environment, environment_of(options, *runtime, gpu, context.sys));
  Platform platform(builtin_providers(provider_context(context)));
  METE_TRY(const auto clocks, clocks_of(options, part, platform));
  METE_TRY(auto points, machine_points(options, clocks));
  METE_TRY(auto meter, make_meter(options, part, platform));
  sitting.has_power = meter.has_value();
  if (meter) sitting.environment.set("idle_watts", idle_watts(*meter, context.clock));

  BenchHost host;
  host.threads = threads_of(options);
  host.gpu = gpu;
  host.library = options.library;
  host.meter = std::move(meter);
  host.interrupt = &context.interrupt;
  host.free_bytes = [&] { return gpu ? runtime->free_bytes(*gpu) : available_memory(context.sys); };
  ControlGuard guard(platform, context.state_directory);
  if (!clocks.empty()) {
    const Request request{part.clock, part.domain, part.index};
    METE_TRY_VOID(guard.borrow(request));
    host.set_clock = [&platform, request](double hertz) {
      return platform.write_control(request, hertz);
    };
  }
  RuntimeBench device(*runtime, context.clock, std::move(host));
  for (const auto& point : points) METE_TRY_VOID(device.check(point));
  tell_peaks(points, gpu, *runtime, device, sitting.environment);
  METE_TRY(const auto code, run_grid(options, plan_of(options, std::move(points)), device,
                                     std::move(sitting), context));
  METE_TRY_VOID(guard.restore());
  return code;
}

Result<ExitCode> bench_board(const BenchOptions& options, const Context& context) {
  METE_TRY(auto board, load_board(options.device.substr(6)));
  VirtualClock clock;
  METE_TRY(const auto machine, Machine::make(std::move(board), {}, 1, clock, options.seed));
  METE_TRY(auto points, board_points(options, *machine));
  BoardBench device(*machine);
  BenchSitting sitting{options.device, Json::object({{"replayed", true}}), true, true};
  return run_grid(options, plan_of(options, std::move(points)), device, std::move(sitting),
                  context);
}

/// The loops' bandwidths on the CPU or a GPU.
Result<std::vector<StreamResult>> measure_stream(const BenchOptions& options,
                                                 const Context& context) {
  if (options.device == "cpu")
    return run_stream(threads_of(options), options.trials, context.clock, context.interrupt);
  if (options.device.starts_with("board:")) {
    METE_TRY(const auto board, load_board(options.device.substr(6)));
    return fail(Errc::unsupported,
                "board {}: nobody measured its memory bandwidth: stream runs on cpu and cuda:N; "
                "`mete list kernels --board {}` shows what was measured",
                board.name, options.device.substr(6));
  }
  METE_TRY(const int gpu, cuda_index(options.device));
  METE_TRY(auto* runtime, open_cuda_runtime());
  return runtime->measure_stream(gpu, options.trials);
}

Result<ExitCode> bench_stream(const BenchOptions& options, const Context& context) {
  METE_TRY(const auto results, measure_stream(options, context));
  Json list = Json::array();
  for (const auto& result : results) {
    const auto rate = positive_mean_interval(result.bytes_per_second);
    const double best =
        *std::max_element(result.bytes_per_second.begin(), result.bytes_per_second.end());
    if (options.json) {
      list.push(Json::object({{"kernel", result.kernel},
                              {"bytes_per_second", rate.estimate},
                              {"interval", interval_json(rate)},
                              {"best", best}}));
    } else {
      const auto doubt = rate.bounded() ? fmt::format("[{:.2f}, {:.2f}], best {:.2f}",
                                                      rate.low / 1e9, rate.high / 1e9, best / 1e9)
                                        : "(one run)";
      fmt::print("{:<8}{:>10.2f} GB/s {}\n", result.kernel, rate.estimate / 1e9, doubt);
    }
  }
  if (!options.json) return 0;
  auto told = Json::object({{"device", options.device}, {"kernels", std::move(list)}});
  if (options.device == "cpu") told.set("threads", threads_of(options));
  fmt::print("{}\n", told.dump());
  return 0;
}

Result<ExitCode> run(const BenchOptions& options, const Context& context) {
  if (!(options.seconds > 0 && options.seconds <= kMostSeconds)) {
    return fail(Errc::invalid, "--seconds {:g}: expected more than 0, and at most {}",
                options.seconds, kMostSeconds);
  }
  METE_TRY_VOID(check_library(options));
  if (options.workload == "stream") return bench_stream(options, context);
  if (options.workload != "gemm")
    return fail(Errc::invalid, "no workload '{}': there are gemm, stream and memory",
                options.workload);
  if (options.device == "cpu" || options.device.starts_with("cuda"))
    return bench_machine(options, context);
  if (options.device.starts_with("board:")) return bench_board(options, context);
  return fail(Errc::invalid, "no device '{}': there are cpu, cuda:N and board:NAME",
              options.device);
}

}  // namespace

Runner add_bench(OptionSet& app) {
  auto options = std::make_shared<BenchOptions>();
  auto memory = std::make_shared<MemoryBenchOptions>();
  app.add_option("WORKLOAD", options->workload,
                 "gemm (matrix multiply), stream (memory bandwidth), or memory (plans of fast and "
                 "slow memory: models x optimizers x ratios)")
      ->required();
  app.add_option("--device", options->device,
                 "cpu, cuda:N, or board:NAME to replay a board's measurements")
      ->capture_default_str();
  app.add_option(
         "--type", options->types,
         "float,double,bf16,int8 (cpu); also half and tf32 (cuda); those that were measured "
         "(board)")
      ->delimiter(',');
  app.add_option("--library", options->library,
                 "Who multiplies on the cpu: onednn, openblas, or auto: the first that takes the "
                 "type (float: oneDNN with AVX-512, else OpenBLAS; double: OpenBLAS; bf16, int8: "
                 "oneDNN); each run tells which it was")
      ->capture_default_str();
  app.add_option("--tensor", options->tensor,
                 "on,off: a GPU's tensor cores asked for or not [both]")
      ->delimiter(',');
  app.add_option("--size", options->sizes, "N,N,.. or ROWSxDEPTH")->delimiter(',');
  app.add_option("--frequency", options->frequencies,
                 "Clocks: of a board [all]; elsewhere set for the "
                 "run and given back [left as they are]")
      ->delimiter(',');
  app.add_option("--trials", options->trials, "Runs of every point")
      ->range(1, kMostTrials)
      ->capture_default_str();
  app.add_option("--seconds", options->seconds,
                 "Shortest time of a run; with a meter, until it has settled")
      ->capture_default_str();
  app.add_option("--threads", options->threads, "Threads [all]")->range(1, kMostThreads);
  app.add_option("--power", options->power,
                 "The signal that tells the power [CPU_POWER or BOARD_POWER; GPU_POWER], or none");
  app.add_option("--seed", options->seed, "Same seed, same order and same matrices")
      ->capture_default_str();
  app.add_option("-o,--output", options->output,
                 "Keep every run in this study file (memory: folder); an interrupted grid goes on "
                 "from it");
  app.add_flag("--json", options->json, "Tell it as JSON");
  add_memory_bench_options(app, *memory);
  return [options, memory](const Context& context) {
    if (options->workload != "memory") return run(*options, context);
    memory->threads = options->threads;
    memory->seed = options->seed;
    memory->out = options->output;
    memory->json = options->json;
    return bench_memory(*memory, context);
  };
}

}  // namespace mete
